"""One writer at a time: what keeps a second server off a store."""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from feed.history.store.problems import HistoryError

_TRIES, _PAUSE_S = 5, 0.1
_ADVISORY_KEY = 0x0F5EED0617  # any number, the same in every server


class Lock(Protocol):
    """The right to write a store."""

    def hold(self) -> None:
        """Take it, or make sure that it is still held. Raises HistoryError where another has it."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class NoLock:
    """For a store that no other process can reach, or that is only read."""

    def hold(self) -> None:
        """Nothing to take."""

    def release(self) -> None:
        """Nothing to give back."""


class FileLock:
    """An exclusive transaction on a file beside the store: the system ends it with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def hold(self) -> None:
        """Take the lock once; it cannot be lost while the process lives."""
        if self._connection is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            f"{self._path}.lock", timeout=0, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" in str(error):
                raise HistoryError(_taken(str(self._path))) from error
            raise
        self._connection = connection

    def release(self) -> None:
        """End the transaction."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class AdvisoryLock:
    """PostgreSQL's advisory lock of a session; a lost connection loses it."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._connection: Connection | None = None

    def hold(self) -> None:
        """Take the lock, again where its connection was lost."""
        if self._connection is not None:
            try:
                self._connection.execute(text("SELECT 1"))
                return
            except SQLAlchemyError:
                self.release()
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        for _ in range(_TRIES):
            if connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY}):
                self._connection = connection
                return
            # a server that was killed a moment ago may still have its session there
            time.sleep(_PAUSE_S)
        connection.close()
        raise HistoryError(_taken(self._name))

    def release(self) -> None:
        """Close the session that holds the lock."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(SQLAlchemyError):
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})
            connection.invalidate()
            connection.close()


def _taken(name: str) -> str:
    return (
        f"Another server records into the history store {name}: stop that one, "
        "or give this one a store of its own with DATABASE_URL."
    )
