"""Who may use the server and how much: keys, allowances, proxies."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from handlers.access import WINDOW_S, AccessRules, Bucket
from handlers.errors import ApiError

KEY = "a-key-of-the-operator"
OTHER = "another-key-of-his"


@pytest.fixture
def guarded(io_loop, make_sandbox):
    return io_loop.run_sync(lambda: make_sandbox(server={"api_keys": [KEY, OTHER]}))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": KEY.upper()},
        {"Authorization": "Bearer nonsense"},
    ],
)
@pytest.mark.parametrize("path", ["/api/symbols", "/api/spot_price/NIFTY"])
@pytest.mark.gen_test
async def test_call_without_a_valid_key_is_refused(guarded, fetch, path, headers):
    answer = await fetch(guarded, path, headers=headers)
    assert answer.status == 401
    assert answer.error["code"] == "UNAUTHORIZED"
    assert KEY not in answer.raw.decode()


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": KEY}, {"X-API-Key": OTHER}, {"Authorization": f"Bearer {KEY}"}]
)
@pytest.mark.gen_test
async def test_call_with_any_of_the_keys_is_answered(guarded, fetch, headers):
    answer = await fetch(guarded, "/api/spot_price/NIFTY", headers=headers)
    assert answer.status == 200


@pytest.mark.gen_test
async def test_preflight_needs_no_key(guarded, fetch):
    # browsers send none with it
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "GET"}
    answer = await fetch(guarded, "/api/symbols", method="OPTIONS", headers=headers)
    assert answer.status == 204


@pytest.mark.parametrize("path", ["/health", "/health?probe=live", "/health?probe=ready", "/"])
@pytest.mark.gen_test
async def test_supervisor_and_address_bar_need_no_key(guarded, fetch, path):
    answer = await fetch(guarded, path)
    assert answer.status == 200


@pytest.fixture
def limited(io_loop, make_sandbox):
    return io_loop.run_sync(lambda: make_sandbox(limits={"rate_limit_per_minute": 3}))


@pytest.mark.gen_test
async def test_allowance_left_is_told_with_every_answer(limited, fetch):
    left = []
    for _ in range(3):
        answer = await fetch(limited, "/api/symbols")
        assert answer.status == 200
        assert answer.headers["RateLimit-Policy"] == '"default";q=3;w=60'
        left.append(answer.headers["RateLimit"].split(";")[1])
    assert left == ["r=2", "r=1", "r=0"]


@pytest.mark.gen_test
async def test_call_over_the_allowance_is_told_when_to_come_back(limited, fetch):
    for _ in range(3):
        await fetch(limited, "/api/symbols")
    answer = await fetch(limited, "/api/symbols")
    assert answer.status == 429
    assert answer.error["code"] == "RATE_LIMITED"
    assert answer.error["details"] == {"limit": 3}
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert answer.headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert ";r=0;" in answer.headers["RateLimit"]


@pytest.mark.gen_test
async def test_front_end_can_read_that_it_is_over_its_allowance(limited, fetch):
    origin = {"Origin": "http://localhost:3000"}
    for _ in range(3):
        await fetch(limited, "/api/symbols")
    answer = await fetch(limited, "/api/symbols", headers=origin)
    assert answer.status == 429
    assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]


@pytest.mark.gen_test
async def test_default_allowance_bears_a_screen_that_polls_every_second(make_sandbox, fetch):
    sandbox = await make_sandbox(limits={"rate_limit_per_minute": 1200})
    for _ in range(60):
        answer = await fetch(sandbox, "/api/spot_price/NIFTY")
        assert answer.status == 200


def rules_of(now=lambda: 0.0, **options):
    defaults = {"origins": (), "api_keys": (), "trusted_proxies": (), "rate_limit_per_minute": 60}
    return AccessRules(**{**defaults, **options}, monotonic=now)


def test_allowance_comes_back_with_time():
    now = [0.0]
    rules = rules_of(now=lambda: now[0], rate_limit_per_minute=2)
    rules.spend("a")
    rules.spend("a")
    with pytest.raises(ApiError):
        rules.spend("a")
    now[0] = WINDOW_S / 2
    rules.spend("a")
    with pytest.raises(ApiError):
        rules.spend("a")


def test_addresses_have_allowances_of_their_own():
    rules = rules_of(rate_limit_per_minute=1)
    rules.spend("a")
    rules.spend("b")
    with pytest.raises(ApiError) as refused:
        rules.spend("a")
    assert refused.value.code == "RATE_LIMITED"


@given(
    capacity=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 30), min_size=1, max_size=200),
)
def test_bucket_never_gives_more_than_capacity_and_refill(capacity, gaps):
    bucket, now, taken = Bucket(capacity, WINDOW_S, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
        assert taken <= capacity + now * capacity / WINDOW_S + 1e-6


@given(capacity=st.integers(1, 50), spent=st.integers(1, 60))
def test_bucket_gives_after_the_wait_it_names(capacity, spent):
    bucket = Bucket(capacity, WINDOW_S, 0.0)
    for _ in range(spent):
        bucket.take(0.0)
    assert bucket.take(bucket.wait_s() + 1e-6)


def request_from(address, forwarded=""):
    headers = HTTPHeaders({"Host": "here:5000", "X-Forwarded-For": forwarded})
    line = RequestStartLine("GET", "/", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=headers)
    request.remote_ip = address
    return request


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "address"),
    [
        ((), "198.51.100.7", "203.0.113.9", "198.51.100.7"),
        (("10.0.0.0/8",), "198.51.100.7", "203.0.113.9", "198.51.100.7"),
        (("10.0.0.0/8",), "10.1.1.1", "203.0.113.9", "203.0.113.9"),
        (("10.0.0.0/8",), "10.1.1.1", "203.0.113.9, 10.2.2.2", "203.0.113.9"),
        (("10.0.0.0/8",), "10.1.1.1", "192.0.2.66, 203.0.113.9", "203.0.113.9"),
        (("10.0.0.0/8",), "10.1.1.1", "nonsense", "10.1.1.1"),
        (("10.0.0.0/8",), "10.1.1.1", "", "10.1.1.1"),
        (("::1/128",), "::1", "2001:db8::5", "2001:db8::5"),
    ],
)
def test_address_is_the_last_one_not_vouched_for(proxies, remote, forwarded, address):
    rules = rules_of(trusted_proxies=proxies)
    assert rules.address(request_from(remote, forwarded)) == address


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("http://localhost:3000", True),
        ("http://localhost:3001", False),
        ("https://localhost:3000", False),
        ("http://localhost:3000.evil.example", False),
        ("null", False),
        ("http://here:5000", True),
        ("https://here:5000", False),
    ],
)
def test_origin_must_be_listed_or_the_servers_own(origin, is_allowed):
    rules = rules_of(origins=["http://localhost:3000/"])
    assert rules.allows_origin(origin, "here:5000", "http") is is_allowed


def test_wait_is_told_in_whole_seconds():
    rules = rules_of(rate_limit_per_minute=7)
    for _ in range(7):
        rules.spend("a")
    with pytest.raises(ApiError) as refused:
        rules.spend("a")
    assert refused.value.retry_after_s == math.ceil(60 / 7)
