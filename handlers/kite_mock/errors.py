"""Refusals as Kite words them."""

from __future__ import annotations


class KiteError(Exception):
    """A refusal: the HTTP status, the name of the exception that Kite's clients raise, and a sentence."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message


def bad_token() -> KiteError:
    """No session, or one that is over."""
    return KiteError(403, "TokenException", "Incorrect `api_key` or `access_token`.")


def bad_input(message: str) -> KiteError:
    """A request that breaks a rule."""
    return KiteError(400, "InputException", message)


def not_permitted() -> KiteError:
    """What an application without that permission is told."""
    return KiteError(403, "PermissionException", "Insufficient permission for that call.")


def too_many() -> KiteError:
    """More requests in a second than are allowed."""
    return KiteError(429, "NetworkException", "Too many requests")
