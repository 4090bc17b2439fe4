"""The log: lines for people on a terminal, JSON lines otherwise, one line per event."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

import orjson
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("access")

# ``extra`` fields that reach the log; anything else given there is for other handlers
FIELDS = ("request_id", "client_id", "route", "method", "status", "duration_ms", "bytes", "address", "key")
# journald's priorities, sd-daemon(3)
PRIORITIES = {"CRITICAL": 2, "ERROR": 3, "WARNING": 4, "INFO": 6, "DEBUG": 7}
# what would break a line or steer a terminal: texts of strangers get into messages
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_TRACEBACK = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_MAX_MESSAGE_CHARACTERS = 8192  # a line longer than that is no longer read by anybody, nor by journald


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time, level, logger, message, the given fields, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage()[:_MAX_MESSAGE_CHARACTERS],
        }
        line.update(_fields(record))
        exception = self._exception(record)
        if exception:
            line["exception"] = exception
        return orjson.dumps(line, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

    def _exception(self, record: logging.LogRecord) -> str:
        parts = []
        if record.exc_info:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(self.formatStack(record.stack_info))
        return "\n".join(parts)


class JournalFormatter(JsonFormatter):
    """The same after the priority that journald takes off, so that ``journalctl -p err`` works."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return f"<{PRIORITIES.get(record.levelname, 6)}>{super().format(record)}"


class HumanFormatter(logging.Formatter):
    """A record as a line to read: local time, level, logger, message, given fields; then the traceback."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        """The first line."""
        record.message = _CONTROL.sub(_escape, record.message[:_MAX_MESSAGE_CHARACTERS])
        details = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = super().formatMessage(record)
        return f"{line} [{_CONTROL.sub(_escape, details)}]" if details else line

    def formatException(self, ei: Any) -> str:  # noqa: N802 (the base class's name)
        """The traceback, without what would steer a terminal."""
        return _CONTROL_IN_TRACEBACK.sub(_escape, super().formatException(ei))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _time(record: logging.LogRecord) -> str:
    instant = datetime.fromtimestamp(record.created, UTC)
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond // 1000:03d}Z"


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    values = ((name, getattr(record, name, None)) for name in FIELDS)
    return {name: value for name, value in values if value is not None}


class Log:
    """The process's log: where it goes, in which form, and how much of it."""

    def __init__(self, stream: TextIO, formatter: logging.Formatter, level: str) -> None:
        self.handler = logging.StreamHandler(stream)
        self.handler.setFormatter(formatter)
        self._level = _number(level)
        self._root = logging.getLogger()
        self._before = (self._root.level, list(self._root.handlers))
        self._excepthook = sys.excepthook

    @classmethod
    def on(cls, stream: TextIO, level: str, *, journal_stream: str = "") -> Log:
        """The log that suits a stream: a terminal's, journald's, or anything else's.

        ``journal_stream`` is systemd's JOURNAL_STREAM: device and inode of the stream that it gave us.
        """
        if stream.isatty():
            return cls(stream, HumanFormatter(), level)
        if is_journal(stream, journal_stream):
            return cls(stream, JournalFormatter(), level)
        return cls(stream, JsonFormatter(), level)

    @property
    def level(self) -> str:
        """The level in force, in lower case."""
        return logging.getLevelName(self._root.level).lower()

    def start(self) -> None:
        """Take over the root logger, Python's warnings and what ends the process."""
        self._root.handlers = [self.handler]
        self._root.setLevel(self._level)
        # a line for each malformed request would let a stranger fill the disk
        logging.getLogger("tornado.general").setLevel(logging.WARNING)
        logging.captureWarnings(True)
        sys.excepthook = _log_crash

    def stop(self) -> None:
        """Leave things as they were found."""
        level, self._root.handlers = self._before[0], self._before[1]
        self._root.setLevel(level)
        logging.captureWarnings(False)
        sys.excepthook = self._excepthook

    def set_level(self, level: str) -> None:
        """Log from this level on."""
        self._level = _number(level)
        self._apply(self._level)

    def toggle_debug(self) -> None:
        """To DEBUG, or from DEBUG back to the level that was set."""
        if self._root.level != logging.DEBUG:
            self._apply(logging.DEBUG)
        else:
            self._apply(self._level if self._level != logging.DEBUG else logging.INFO)

    def _apply(self, level: int) -> None:
        # said at either level, whichever is the lower: a change nobody sees is taken for a broken switch
        self._root.setLevel(logging.INFO)
        logger.info("the log level is now %s", logging.getLevelName(level))
        self._root.setLevel(level)


class RateLimitedLog:
    """Logs at most ``per_minute`` lines a minute and says how many it left out."""

    def __init__(
        self, target: logging.Logger, per_minute: int = 10, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._target = target
        self._per_minute = per_minute
        self._monotonic = monotonic
        self._minute = -1
        self._lines = 0

    def log(self, text: str, *args: Any, level: int = logging.WARNING, error: Any = None) -> None:
        """Log a line, with the traceback of ``error``, unless there were enough of them this minute."""
        minute = int(self._monotonic() // 60)
        if minute != self._minute:
            left_out = self._lines - self._per_minute
            if left_out > 0:
                self._target.log(level, "%d more lines like these were left out", left_out)
            self._minute, self._lines = minute, 0
        self._lines += 1
        if self._lines <= self._per_minute:
            self._target.log(level, text, *args, exc_info=error)


class FailureLog:
    """Failures of ours, which a stranger may know how to bring about: all are counted, by kind of exception.

    Of each kind ten a minute are logged with their traceback, so that nobody fills the disk.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.counts: Counter[str] = Counter()
        self._monotonic = monotonic
        self._logs: dict[tuple[str, str], RateLimitedLog] = {}

    def log(self, target: logging.Logger, error: BaseException, text: str, *args: Any) -> None:
        """Count a failure, and tell of it."""
        kind = type(error).__name__
        self.counts[kind] += 1
        log = self._logs.setdefault((target.name, kind), RateLimitedLog(target, monotonic=self._monotonic))
        log.log(text, *args, level=logging.ERROR, error=error)


class AccessLog:
    """One line for each answered request; ``address`` tells whose it was, behind whatever proxies."""

    def __init__(self, address: Callable[[HTTPServerRequest], str]) -> None:
        self._address = address

    def write(self, handler: RequestHandler, route: str | None) -> None:
        """Log an answered request: the path without its query, which may hold a key."""
        request = handler.request
        duration_ms = round(request.request_time() * 1000, 2)
        details: Mapping[str, Any] = {
            "method": request.method,
            "route": route,
            "status": handler.get_status(),
            "duration_ms": duration_ms,
            "bytes": _answer_bytes(handler),
            "address": self._address(request),
            "key": _key_name(handler),
            "request_id": getattr(handler, "request_id", None),
        }
        access_logger.info("%s %s", request.method, request.path[:200], extra=details)


def _key_name(handler: RequestHandler) -> str | None:
    """Whose key the request showed."""
    key = getattr(handler, "key", None)
    return None if key is None else str(key.name)


def _answer_bytes(handler: RequestHandler) -> int | None:
    """The length of the answer's body as sent; None where it has no length (a stream, a socket)."""
    # Tornado has setters for headers but no getter
    length = handler._headers.get("Content-Length")
    if length is None:
        return None
    return 0 if handler.request.method == "HEAD" else int(length)


def _number(level: str) -> int:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"the log level must be debug, info, warning or error, was {level!r}")
    return number


def is_journal(stream: TextIO, journal_stream: str) -> bool:
    """Whether a stream ends in journald; ``journal_stream`` is its device and inode as systemd tells."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return False
    return journal_stream == f"{status.st_dev}:{status.st_ino}"


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log what nobody caught, in one line like everything else."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("the process ends: %s", error, exc_info=(kind, error, trace))
