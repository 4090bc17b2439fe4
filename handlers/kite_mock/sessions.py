"""Logins and what may be asked how often, by the rules of Kite Connect; the time is an argument."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from handlers.kite_mock.errors import KiteError, bad_token, too_many

REQUEST_TOKEN_S = 300.0  # as at Kite: minutes, once
MOST_REQUEST_TOKENS = 1000
RATES = {"quote": 1, "historical": 3}  # requests a second
OTHER_RATE = 10


@dataclass(frozen=True, slots=True)
class Login:
    """A session that began: its tokens, and the market's time of the login."""

    access_token: str
    public_token: str
    login_ms: int


class Sessions:
    """The one application and its one user: a new login ends the session before.

    ``fixed_token`` is accepted beside the token of the login, for programs that cannot log in; ``on_end`` is
    told of a session that is over.
    """

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        fixed_token: str = "",
        on_end: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.api_key = api_key
        self.on_end = on_end
        self.is_rejecting: Callable[[], bool] = lambda: False
        self.login: Login | None = None
        self._secret = api_secret
        self._fixed_token = fixed_token
        self.request_tokens: dict[str, float] = {}  # until when each may be used

    def request_token(self, now_s: float) -> str:
        """What the login page hands over, for one use."""
        self.request_tokens = {
            token: until_s for token, until_s in self.request_tokens.items() if until_s > now_s
        }
        while len(self.request_tokens) >= MOST_REQUEST_TOKENS:
            self.request_tokens.pop(next(iter(self.request_tokens)))
        token = secrets.token_urlsafe(24)
        self.request_tokens[token] = now_s + REQUEST_TOKEN_S
        return token

    def begin(self, api_key: str, request_token: str, checksum: str, now_s: float, now_ms: int) -> Login:
        """Begin a session. Raises KiteError for a stale or used request token, or a wrong checksum."""
        until_s = self.request_tokens.get(request_token, 0.0)
        text = (self.api_key + request_token + self._secret).encode()
        expected = hashlib.sha256(text).hexdigest()
        is_right = hmac.compare_digest(expected.encode(), checksum.encode())
        if api_key != self.api_key or not is_right:
            raise KiteError(403, "TokenException", "Invalid `checksum`.")
        if until_s <= now_s:
            raise KiteError(403, "TokenException", "Token is invalid or has expired.")
        del self.request_tokens[request_token]
        if self.login is not None:
            self.end(self.login.access_token)
        self.login = Login(secrets.token_urlsafe(24), secrets.token_urlsafe(24), now_ms)
        return self.login

    def end(self, access_token: str) -> None:
        """End a session. Raises KiteError for one that is not."""
        if self.login is None or not _same(self.login.access_token, access_token):
            raise bad_token()
        self.login = None
        self.on_end(access_token)

    def accepts(self, api_key: str, access_token: str) -> bool:
        """Whether a request or a socket with these is let in."""
        if self.is_rejecting():
            return False
        tokens = [self._fixed_token] if self._fixed_token else []
        if self.login is not None:
            tokens.append(self.login.access_token)
        return _same(api_key, self.api_key) and any(_same(access_token, token) for token in tokens)

    def check(self, authorization: str) -> str:
        """The access token of ``token KEY:TOKEN``. Raises KiteError."""
        scheme, _, pair = authorization.partition(" ")
        api_key, _, access_token = pair.partition(":")
        if scheme.lower() != "token" or not self.accepts(api_key, access_token):
            raise bad_token()
        return access_token


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Rates:
    """Requests of the last second, by family; a request over the rate is refused and does not count.

    Where it is not ``is_strict`` only ``is_refusing`` refuses, which says whether all are to be.
    """

    def __init__(self, *, is_strict: bool = True) -> None:
        self.refused = 0
        self.is_refusing: Callable[[], bool] = lambda: False
        self._is_strict = is_strict
        self._taken: dict[str, deque[float]] = {}

    def take(self, family: str, now_s: float) -> None:
        """Count a request. Raises KiteError where there were too many."""
        if self.is_refusing():
            raise too_many()
        if not self._is_strict:
            return
        most = RATES.get(family, OTHER_RATE)
        taken = self._taken.setdefault(family, deque(maxlen=most))
        if len(taken) == most and now_s - taken[0] < 1.0:
            self.refused += 1
            raise too_many()
        taken.append(now_s)
