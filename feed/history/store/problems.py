"""What goes wrong with a store, said to the operator: one exception, one table of meanings."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sqlalchemy.exc import DatabaseError, DBAPIError, SQLAlchemyError

from domain.refusals import OperatorError
from feed.history.store.codec import Damaged

# whatever a database, its driver or its disk may raise
STORE_ERRORS = (SQLAlchemyError, sqlite3.Error, OSError)
FAULTS = (*STORE_ERRORS, Damaged)

# what a driver's message contains -> what to tell the operator; the first that fits
_MEANINGS: Mapping[str, str] = {
    "database or disk is full": "cannot grow: its disk is full",
    "no space left": "cannot grow: its disk is full",
    "readonly": "is read-only: make its file and folder writable for the server",
    "read-only": "is read-only: make it writable for the server",
    "permission denied": "may not be used by this user: check the owner of its file and folder",
    "malformed": "is damaged: move its file away to start afresh, or restore a copy",
    "not a database": "is no SQLite file: move it away, or name another in DATABASE_URL",
    "disk i/o error": "cannot be read or written: its disk reports an error",
    "unable to open": "cannot be opened: its folder must exist and be writable",
    "locked": "is held by another program",
    "connection refused": "cannot be reached: no PostgreSQL answers there",
    "could not translate host": "cannot be reached: the host of DATABASE_URL is unknown",
    "password authentication": "refuses the user or password of DATABASE_URL",
    "terminating connection": "has ended the connection",
    "connection is closed": "has ended the connection",
    "server closed the connection": "has ended the connection",
    "does not exist": "does not exist: create it, or name another in DATABASE_URL",
    "connection to server": "cannot be reached: PostgreSQL does not answer",
}


_PASSING = ("cannot be reached", "has ended the connection", "is held by another program")


class HistoryError(OperatorError):
    """History cannot be kept or read as asked; the message is a sentence for the operator.

    ``is_passing``: trying again later may do; ``is_lasting``: what it says is still so when the next question
    is answered. ``outline`` is the same for anybody who asks: no path, no host, nothing that a driver said.
    """

    def __init__(
        self,
        message: str,
        *,
        is_passing: bool = False,
        is_lasting: bool = False,
        outline: str | None = None,
    ) -> None:
        super().__init__(message)
        self.is_passing = is_passing
        self.is_lasting = is_lasting
        self.outline = message if outline is None else outline


def problem_of(name: str, error: BaseException) -> HistoryError:
    """What an error means for the store of that name."""
    if isinstance(error, HistoryError):
        error.outline = str(error).replace(f" {name}", "")
        return error
    said, meaning = _read(error)
    whole = f"cannot be used: {said}" if meaning is None else f"{meaning} ({said})"
    return HistoryError(
        f"The history store {name} {whole}.",
        is_passing=(meaning or "").startswith(_PASSING),
        # damage does not heal; the second is SQLite's for a malformed file
        is_lasting=isinstance(error, Damaged) or type(error) is DatabaseError,
        outline=f"The history store {meaning or 'cannot be used'}.",
    )


def _read(error: BaseException) -> tuple[str, str | None]:
    """What was said, and what it means where that is known."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = " ".join(str(cause).split()).rstrip(".") or type(cause).__name__
    if isinstance(cause, Damaged):
        return said, "is damaged in one place: what is stored there is lost, the rest can be read"
    return said, next((meaning for part, meaning in _MEANINGS.items() if part in said.lower()), None)
