"""The one thread that writes: a bounded queue of jobs, taken in batches, each batch one transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    PendingRollbackError,
    ProgrammingError,
    SQLAlchemyError,
)

from domain.market import HealthStatus
from feed.history.store.database import Database
from feed.history.store.jobs import MinuteJob
from feed.history.store.problems import STORE_ERRORS, HistoryError

logger = logging.getLogger(__name__)

MOST_MINUTES = (
    64  # that are remembered: as many as wait where the store fails: then the oldest are lost there too
)
_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)
# of these the job is the cause, not the database
_FAULTS_OF_A_JOB = (IntegrityError, DataError, ProgrammingError)


class Job(Protocol):
    """One piece of work of the writer; an urgent one is not kept waiting for others."""

    urgent: bool

    def write(self, connection: Connection) -> None:
        """Write it, within the transaction of a batch; may run again if that fails."""
        ...

    def undo(self) -> None:
        """Forget what ``write`` remembered outside the database: its transaction failed."""
        ...


@dataclass(frozen=True, slots=True)
class WriterHealth:
    """How writing goes. ``reason``: for anybody; ``lag_s``: how long the oldest waiting job has waited."""

    state: str
    reason: str | None
    queue_length: int
    dropped: int
    lag_s: float


class Writer:
    """Writes jobs in order, the queue never longer than ``queue_limit``.

    A batch that fails for the database's sake is kept and tried again; meanwhile the queue fills up and then
    drops what is added. A job that fails for its own sake is dropped alone. Both are counted and logged.
    """

    def __init__(
        self,
        database: Database,
        *,
        flush_interval_s: float,
        queue_limit: int,
        stall_after_s: float = 30.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._flush_interval_s = flush_interval_s
        self._queue_limit = queue_limit
        self._stall_after_s = stall_after_s
        self._monotonic = monotonic
        self._waiting: deque[tuple[float, Job]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._reason: str | None = None
        self._failures = 0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="history-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, job: Job) -> bool:
        """Queue a job, never waiting; False where the queue is full and the job is dropped."""
        with self._changed:
            if len(self._waiting) >= self._queue_limit:
                self._drop(1, "the queue is full")
                return False
            self._waiting.append((self._monotonic(), job))
            self._changed.notify_all()
            return True

    def pending(self) -> list[Job]:
        """What is not committed yet, oldest first."""
        with self._changed:
            return [job for _, job in self._waiting]

    def health(self) -> WriterHealth:
        """How writing goes."""
        with self._changed:
            lag_s = self._monotonic() - self._waiting[0][0] if self._waiting else 0.0
            reason = self._reason
            if reason is None and lag_s > self._stall_after_s + self._flush_interval_s:
                reason = f"The history store has taken nothing for {lag_s:.0f} s."
            return WriterHealth(
                HealthStatus.DEGRADED if reason else HealthStatus.OK,
                reason,
                len(self._waiting),
                self.dropped,
                lag_s,
            )

    def offer(self, job: Job, *, ahead: int = 2) -> bool:
        """Queue a job of the background once fewer than ``ahead`` wait; False when the writer ends."""
        with self._changed:
            while not self._stopping and len(self._waiting) >= ahead and self._thread.is_alive():
                self._changed.wait(1.0)
            if self._stopping or not self._thread.is_alive():
                return False
            self._waiting.append((self._monotonic(), job))
            self._changed.notify_all()
            return True

    def drain(self, timeout_s: float) -> bool:
        """Wait until all that was queued is written; False if it was not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Write what is queued and end; what cannot be written in time is counted and logged."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        with self._changed:
            if self._waiting:
                self._drop(len(self._waiting), "the server stopped before they could be written")

    def _drop(self, count: int, why: str) -> None:
        self.dropped += count
        # one line for the first, then at every doubling: a stalled disk must not fill the log as well
        if self.dropped & (self.dropped - 1) == 0 or count > 1:
            logger.warning("history dropped %d batches, %d in all: %s", count, self.dropped, why)

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            if not batch:
                return
            if self._write(batch):
                self._finish(len(batch))
            elif not self._wait_to_retry():
                return

    def _next_batch(self) -> list[Job]:
        """All that waits, once the oldest has waited long enough; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            if self._waiting and not self._failures:
                due_s = self._waiting[0][0] + self._flush_interval_s / 2 - self._monotonic()
                self._changed.wait_for(self._is_pressed, max(due_s, 0))
            return [job for _, job in self._waiting]

    def _is_pressed(self) -> bool:
        if self._stopping or len(self._waiting) > self._queue_limit // 2:
            return True
        return any(job.urgent for _, job in self._waiting)

    def _finish(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                self._waiting.popleft()
            if self._reason is not None:
                logger.warning("history is written again")
            self._reason, self._failures = None, 0
            self._changed.notify_all()

    def _write(self, batch: Sequence[Job]) -> bool:
        try:
            with self._database.writing() as connection:
                for job in batch:
                    self._write_one(connection, job)
        except (*STORE_ERRORS, HistoryError) as error:
            for job in batch:
                job.undo()
            self._fail(error)
            return False
        return True

    def _write_one(self, connection: Connection, job: Job) -> None:
        """Write one job; one that fails for its own sake is dropped alone, so that others get through."""
        try:
            with connection.begin_nested():
                job.write(connection)
        except Exception as error:
            if _is_of_the_database(error):
                raise
            logger.exception("history could not write a batch")
            job.undo()
            with self._changed:
                self._drop(1, "it could not be written")

    def _fail(self, error: Exception) -> None:
        problem = self._database.problem(error)
        reason = problem.outline
        with self._changed:
            if reason != self._reason:
                logger.error("%s Serving goes on from memory; writing is tried again.", problem)
            self._reason = reason
            self._failures += 1

    def _wait_to_retry(self) -> bool:
        """Wait a while; False when the writer is to end instead."""
        pause_s = _RETRY_S[min(self._failures, len(_RETRY_S)) - 1]
        with self._changed:
            if self._stopping:
                return self._failures <= 1  # one last try after the stop was asked for
            self._changed.wait_for(lambda: self._stopping, pause_s)
            return True


class KeptMinutes(Writer):
    """Closed minutes, until the process that records says that they are stored; nothing is ever written."""

    def __init__(self, database: Database, **limits: Any) -> None:
        super().__init__(database, **limits)
        self._minutes: deque[MinuteJob] = deque(maxlen=MOST_MINUTES)

    def start(self) -> None:
        """Nothing is to be begun."""

    def put(self, job: Job) -> bool:
        """Remember a minute; what else would be written another process writes."""
        if isinstance(job, MinuteJob):
            self._minutes.append(job)
        return True

    def offer(self, job: Job, *, ahead: int = 2) -> bool:
        """Nothing of the background is written here."""
        return False

    def pending(self) -> list[Job]:
        """What is not stored yet, oldest first."""
        return list(self._minutes)

    def forget(self, before_ms: int) -> None:
        """Let go of the minutes before one."""
        while self._minutes and self._minutes[0].minute.start_ms < before_ms:
            self._minutes.popleft()

    def drain(self, timeout_s: float) -> bool:
        """Nothing is to be waited for."""
        return True

    def stop(self, timeout_s: float) -> None:
        """Nothing is to be written."""


def _is_of_the_database(error: Exception) -> bool:
    """Whether an error says that the database, its disk or its connection failed, and not the job."""
    if isinstance(error, SQLAlchemyError):
        return isinstance(error, DBAPIError | PendingRollbackError) and not isinstance(
            error, _FAULTS_OF_A_JOB
        )
    return isinstance(error, STORE_ERRORS)
