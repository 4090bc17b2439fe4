"""The codes of refusals, each with its HTTP status."""

from __future__ import annotations

from enum import StrEnum


class ErrorCode(StrEnum):
    """Why a request or an event was refused."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN_ORIGIN = "FORBIDDEN_ORIGIN"
    NOT_FOUND = "NOT_FOUND"
    UNKNOWN_SYMBOL = "UNKNOWN_SYMBOL"
    UNKNOWN_EXPIRY = "UNKNOWN_EXPIRY"
    UNKNOWN_CONTRACT = "UNKNOWN_CONTRACT"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    FEED_UNAVAILABLE = "FEED_UNAVAILABLE"

    @property
    def status(self) -> int:
        """The status of an answer over HTTP."""
        return _STATUS[self]


_STATUS = {
    ErrorCode.VALIDATION_ERROR: 400,
    ErrorCode.UNAUTHORIZED: 401,
    ErrorCode.FORBIDDEN_ORIGIN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.UNKNOWN_SYMBOL: 404,
    ErrorCode.UNKNOWN_EXPIRY: 404,
    ErrorCode.UNKNOWN_CONTRACT: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.CONFLICT: 409,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.INTERNAL_ERROR: 500,
    ErrorCode.FEED_UNAVAILABLE: 503,
}
