"""From an exception to what a client is told, for REST and Socket.IO alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError
from tornado.web import HTTPError

from domain.errors import ErrorCode
from feed.history.history import HistoryError
from feed.history.past_states import InFuture, NotRecorded
from feed.market.market import FeedUnavailable
from feed.market.universe import NothingListed
from feed.reference.instruments import UnknownContract, UnknownExpiry, UnknownSymbol
from schemas.wire import timestamp

RETRY_AFTER_S = 5
MOST_NAME_CHARACTERS = 60  # of a parameter that a client made up


class ApiError(Exception):
    """A refusal with a code of the contract."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        details: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details or {})
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is told: the status is HTTP's, the rest goes over either transport."""

    status: int
    code: ErrorCode
    message: str
    details: dict[str, Any] = field(default_factory=dict)
    retry_after_s: float | None = None
    headers: dict[str, str] = field(default_factory=dict)


def describe(error: BaseException) -> Problem:
    """What to tell of an exception; of an unexpected one nothing of the inside."""
    for kind, tell in _TELLING.items():
        if isinstance(error, kind):
            return tell(error)
    return _problem(
        ErrorCode.INTERNAL_ERROR, "Something went wrong here; the log has it under this request id."
    )


def _problem(code: ErrorCode, message: str, details: dict[str, Any] | None = None) -> Problem:
    return Problem(code.status, code, message, details or {})


def _not_recorded(error: NotRecorded) -> Problem:
    """A refusal that says what is recorded."""
    message = f"Nothing is recorded of {error.symbol} at {timestamp(error.at_ms)}"
    if error.covered is None:
        return _problem(ErrorCode.NOT_FOUND, f"{message}.", {"covered": None})
    start, end = (timestamp(instant_ms) for instant_ms in error.covered)
    message = f"{message}; what is recorded begins {start} and ends {end}, and may have gaps."
    return _problem(ErrorCode.NOT_FOUND, message, {"covered": {"from": start, "to": end}})


def _api_error(error: ApiError) -> Problem:
    return Problem(
        error.code.status, error.code, error.message, error.details, error.retry_after_s, error.headers
    )


def _validation(error: ValidationError) -> Problem:
    details = _fields(error)
    return _problem(ErrorCode.VALIDATION_ERROR, _first_of(details), details)


def _unknown_symbol(error: UnknownSymbol) -> Problem:
    close = {"symbol": error.symbol, "close_matches": list(error.suggestions)}
    return _problem(ErrorCode.UNKNOWN_SYMBOL, f"The symbol {error.symbol} is not listed.", close)


def _unknown_expiry(error: UnknownExpiry) -> Problem:
    listed = [day.isoformat() for day in error.listed]
    message = f"{error.symbol} has no expiry on {error.expiry}."
    return _problem(ErrorCode.UNKNOWN_EXPIRY, message, {"symbol": error.symbol, "listed": listed})


def _nothing_listed(error: NothingListed) -> Problem:
    return _problem(ErrorCode.UNKNOWN_EXPIRY, str(error), {"symbol": error.symbol, "listed": []})


def _unknown_contract(error: UnknownContract) -> Problem:
    message = f"{error.symbol} {error.expiry} has no strike {error.strike:.12g}."
    return _problem(ErrorCode.UNKNOWN_CONTRACT, message, {"symbol": error.symbol, "near": list(error.near)})


def _in_future(error: InFuture) -> Problem:
    at, now = timestamp(error.at_ms), timestamp(error.now_ms)
    details = {"at": [f"must not lie in the future, was {at} and it is {now}"]}
    return _problem(ErrorCode.VALIDATION_ERROR, _first_of(details), details)


def _unavailable(error: FeedUnavailable) -> Problem:
    return Problem(503, ErrorCode.FEED_UNAVAILABLE, str(error), {}, RETRY_AFTER_S)


def _no_history(_: HistoryError) -> Problem:
    message = "History cannot be read at the moment; live data is served on."
    return Problem(503, ErrorCode.FEED_UNAVAILABLE, message, {}, RETRY_AFTER_S)


def _http_problem(error: HTTPError) -> Problem:
    """Tornado's own refusals."""
    if error.status_code == 404:
        return _problem(ErrorCode.NOT_FOUND, "There is no such route.")
    if error.status_code == 405:
        return _problem(ErrorCode.METHOD_NOT_ALLOWED, "This route does not take that method.")
    if error.status_code == 413:
        return _problem(ErrorCode.PAYLOAD_TOO_LARGE, "The body is larger than this server takes.")
    if 400 <= error.status_code < 500:
        return Problem(
            error.status_code, ErrorCode.VALIDATION_ERROR, "The request is not valid HTTP for this route."
        )
    return _problem(
        ErrorCode.INTERNAL_ERROR, "Something went wrong here; the log has it under this request id."
    )


def _first_of(details: Mapping[str, Sequence[str]]) -> str:
    """The first refusal as a sentence: a page that shows `message` alone tells its user what to change."""
    name, texts = next(iter(details.items()), ("_schema", ["is not valid"]))
    subject = "The request" if name == "_schema" else name[:MOST_NAME_CHARACTERS]
    others = len(details) - 1
    more = f" ({others} more in details)" if others > 0 else ""
    return f"{subject} {texts[0].rstrip('.')}{more}."


def _fields(error: ValidationError) -> dict[str, Any]:
    """Messages keyed by field, each a list of sentences; nested ones by their path."""
    result: dict[str, Any] = {}
    _flatten(error.messages, "", result)
    return result


def _flatten(messages: Any, path: str, result: dict[str, Any]) -> None:
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            _flatten(inner, f"{path}.{name}" if path else str(name), result)
    else:
        texts = messages if isinstance(messages, list) else [messages]
        result[path or "_schema"] = [str(text) for text in texts]


# the first kind that an exception is says what is told of it
_TELLING: Mapping[type[BaseException], Callable[[Any], Problem]] = {
    ApiError: _api_error,
    ValidationError: _validation,
    UnknownSymbol: _unknown_symbol,
    UnknownExpiry: _unknown_expiry,
    NothingListed: _nothing_listed,
    UnknownContract: _unknown_contract,
    InFuture: _in_future,
    NotRecorded: _not_recorded,
    FeedUnavailable: _unavailable,
    HistoryError: _no_history,
    HTTPError: _http_problem,
}
