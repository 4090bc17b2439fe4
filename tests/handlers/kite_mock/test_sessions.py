"""Logins and rates by Kite's rules, with a clock turned by hand."""

from __future__ import annotations

import hashlib

import pytest

from handlers.kite_mock.errors import KiteError
from handlers.kite_mock.sessions import REQUEST_TOKEN_S, Rates, Sessions


def login(sessions: Sessions, token: str, now_s: float = 0.0, secret: str = "secret"):
    checksum = hashlib.sha256(f"mock{token}{secret}".encode()).hexdigest()
    return sessions.begin("mock", token, checksum, now_s, 0)


def refusal(call) -> tuple[int, str]:
    with pytest.raises(KiteError) as caught:
        call()
    return caught.value.status, caught.value.error_type


def test_request_token_works_once_and_for_some_minutes():
    sessions = Sessions("mock", "secret")
    token = sessions.request_token(0.0)
    assert refusal(lambda: login(sessions, token, secret="wrong")) == (403, "TokenException")
    assert sessions.accepts("mock", login(sessions, token).access_token)
    assert refusal(lambda: login(sessions, token)) == (403, "TokenException")
    late = sessions.request_token(0.0)
    assert refusal(lambda: login(sessions, late, REQUEST_TOKEN_S)) == (403, "TokenException")
    assert refusal(lambda: login(sessions, "made up")) == (403, "TokenException")


def test_new_login_ends_the_session_before_and_its_sockets():
    sessions, ended = Sessions("mock", "secret"), []
    sessions.on_end = ended.append
    first = login(sessions, sessions.request_token(0.0)).access_token
    second = login(sessions, sessions.request_token(0.0)).access_token
    assert ended == [first]
    assert not sessions.accepts("mock", first)
    assert sessions.accepts("mock", second)
    sessions.end(second)
    assert not sessions.accepts("mock", second)
    assert refusal(lambda: sessions.end(second)) == (403, "TokenException")


def test_fixed_token_is_accepted_only_where_one_is_set():
    assert Sessions("mock", "secret", "given").accepts("mock", "given")
    assert not Sessions("mock", "secret").accepts("mock", "")
    assert not Sessions("mock", "secret", "given").accepts("other", "given")


@pytest.mark.parametrize(
    "header", ["", "token", "token mock", "Basic mock:given", "token mock:", "token x:given"]
)
def test_header_that_is_none_of_kites_is_refused(header):
    assert refusal(lambda: Sessions("mock", "secret", "given").check(header)) == (403, "TokenException")


def test_many_request_tokens_leave_memory_bounded():
    sessions = Sessions("mock", "secret")
    for _ in range(5000):
        sessions.request_token(0.0)
    assert len(sessions.request_tokens) <= 1001


@pytest.mark.parametrize(("family", "most"), [("quote", 1), ("historical", 3), ("other", 10)])
def test_rate_is_refused_not_delayed_and_a_second_later_it_is_free_again(family, most):
    rates = Rates()
    for _ in range(most):
        rates.take(family, 100.0)
    assert refusal(lambda: rates.take(family, 100.9)) == (429, "NetworkException")
    assert rates.refused == 1
    rates.take(family, 101.0)
