"""What readers of a store failed at, for whoever asks how history is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from feed.history.store.database import Database
from feed.history.store.problems import HistoryError

logger = logging.getLogger(__name__)

REMEMBERED_S = 5.0  # it may be long until somebody asks again


class ReadFaults:
    """Remembers a failure to read: damage for good, anything else until the next answer or for a while."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._monotonic = monotonic
        self._damage: str | None = None
        self._passing: str | None = None
        self._failed_s = 0.0

    @property
    def reason(self) -> str | None:
        """What cannot be read and why, for anybody; None where all can, as far as is known."""
        if self._passing is not None and self._monotonic() - self._failed_s > REMEMBERED_S:
            self._passing = None
        return self._damage or self._passing

    def answered(self) -> None:
        """Note that a question was answered."""
        self._passing = None

    def failed(self, error: BaseException) -> HistoryError:
        """Note a failure, and return it as a sentence for the operator."""
        self._failed_s = self._monotonic()
        problem = self._database.problem(error)
        if problem.outline not in (self._damage, self._passing):
            logger.error("%s Live data is served on.", problem)
        if problem.is_lasting:
            self._damage = problem.outline
        else:
            self._passing = problem.outline
        return problem
