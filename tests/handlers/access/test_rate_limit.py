"""How much a client may ask for: costs by route, what a kept answer costs, what is told, who shares what."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.access import rate_limit
from handlers.access.errors import ApiError
from handlers.access.rate_limit import (
    CACHED_SHARE,
    CHEAP,
    HEAVY,
    NORMAL,
    WINDOW_S,
    WRONG_KEY,
    Bucket,
    RateLimit,
)
from handlers.access.rules import AccessRules
from handlers.operations.application import HANDLERS
from handlers.rest.as_of import PastHandler
from schemas.configuration.api_keys import ApiKey, digest_of
from schemas.configuration.settings import SettingsSchema

DEFAULT = SettingsSchema().load({}).limits.rate_limit_per_minute
COSTS = sorted({CHEAP, NORMAL, HEAVY, *(handler.cost for handler in HANDLERS.values())})


class Stopwatch:
    """A clock that a test moves."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def stopwatch():
    return Stopwatch()


def rules_of(stopwatch, **options):
    given = {"origins": (), "api_keys": (), "trusted_proxies": (), "rate_limit_per_minute": DEFAULT}
    return AccessRules(**{**given, **options}, monotonic=stopwatch)


def count_let_through(rules, client, cost=NORMAL, most=10_000):
    """How many requests a client makes before it is refused."""
    for count in range(most):
        try:
            rules.spend(client, cost)
        except ApiError:
            return count
    return most


@pytest.mark.parametrize("cost", COSTS)
def test_front_end_may_poll_two_routes_a_second_for_ever(stopwatch, cost):
    # by arithmetic: what comes back in a second is more than two of the dearest take
    assert 2 * cost < DEFAULT / WINDOW_S
    limit = RateLimit(DEFAULT, stopwatch)
    for second in range(3 * 3600):
        stopwatch.now_s = float(second)
        for _ in range(2):
            headers = limit.spend("198.51.100.7", cost)
    assert int(headers["RateLimit-Remaining"]) == int(DEFAULT - 2 * cost)


@pytest.mark.parametrize(
    ("cost", "let_through"),
    [(CHEAP, 480), (NORMAL, 120), (HEAVY, 15), (WRONG_KEY, 6), (NORMAL * CACHED_SHARE, 480)],
)
def test_allowance_is_spent_by_what_requests_cost(stopwatch, cost, let_through):
    rules = rules_of(stopwatch, rate_limit_per_minute=120)
    assert count_let_through(rules, "198.51.100.7", cost) == let_through
    stopwatch.now_s = WINDOW_S / 2  # half of it is back
    assert count_let_through(rules, "198.51.100.7", cost) == let_through // 2
    stopwatch.now_s = 100 * WINDOW_S  # never more than all of it
    assert count_let_through(rules, "198.51.100.7", cost) == let_through


def test_request_dearer_than_the_whole_allowance_takes_all_of_it(stopwatch):
    limit = RateLimit(3, stopwatch)
    assert limit.spend("a", HEAVY)["RateLimit-Remaining"] == "0"
    assert limit.refund("a", HEAVY)["RateLimit-Remaining"] == "2"


def test_no_limit_is_no_limit(stopwatch):
    assert count_let_through(rules_of(stopwatch, rate_limit_per_minute=0), "a", HEAVY, most=5000) == 5000


HOLDER = ApiKey("grafana", "read", digest_of("of-grafana"))


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        ((None, "198.51.100.7"), (None, "198.51.100.7"), True),
        ((None, "198.51.100.7"), (None, "198.51.100.8"), False),
        ((HOLDER, "198.51.100.7"), (HOLDER, "203.0.113.9"), True),
        ((HOLDER, "198.51.100.7"), (None, "198.51.100.7"), False),
        ((HOLDER, "198.51.100.7"), (ApiKey("operator", "control", b""), "198.51.100.7"), False),
        ((None, "2001:db8:1:2::1"), (None, "2001:db8:1:2:ffff::9"), True),  # one subscriber's network
        ((None, "2001:db8:1:2::1"), (None, "2001:db8:1:3::1"), False),
        ((None, "fe80::1%eth0"), (None, "fe80::2%eth0"), True),
    ],
)
def test_allowance_is_a_keys_or_else_an_addresses(stopwatch, one, other, share):
    rules = rules_of(stopwatch, rate_limit_per_minute=1)
    rules.spend(rules.client(*one))
    if share:
        with pytest.raises(ApiError, match="More than 1 requests a minute"):
            rules.spend(rules.client(*other))
    else:
        rules.spend(rules.client(*other))


def test_name_of_a_key_is_no_address(stopwatch):
    rules = rules_of(stopwatch)
    assert rules.client(ApiKey("198.51.100.7", "read", b""), "") != "198.51.100.7"


CHEAP_ROUTES = {"/", "/health", "/api", "/api/symbols", "/api/expiries/{symbol}", "/api/market-status"} | {
    "/api/websocket/stats",
    "/api/openapi.json",
    "/api/asyncapi.json",
    "/api/docs",
}
HEAVY_ROUTES = {
    "/api/strategy",
    "/api/historical-data/{symbol}",
    "/api/dashboard-history/{symbol}",
    "/api/oi-history/{symbol}",
}


@pytest.mark.parametrize(("route", "handler"), list(HANDLERS.items()))
def test_every_route_costs_what_it_takes(route, handler):
    expected = CHEAP if route in CHEAP_ROUTES else HEAVY if route in HEAVY_ROUTES else NORMAL
    assert handler.cost == expected


@given(capacity=st.integers(1, 50), gaps=st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_bucket_never_gives_more_than_capacity_and_refill(capacity, gaps):
    bucket, now, taken = Bucket(capacity, WINDOW_S, 0.0), 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
        assert taken <= capacity + now * capacity / WINDOW_S + 1e-6


@given(capacity=st.integers(1, 50), costs=st.lists(st.floats(0.1, 20), max_size=100))
def test_refund_never_fills_a_bucket_above_its_capacity(capacity, costs):
    bucket = Bucket(capacity, WINDOW_S, 0.0)
    for cost in costs:
        bucket.take(0.0, cost)
        bucket.give_back(cost)
        assert bucket.left <= capacity


@given(capacity=st.integers(1, 50), spent=st.integers(1, 60))
def test_bucket_gives_after_the_wait_it_names(capacity, spent):
    bucket = Bucket(capacity, WINDOW_S, 0.0)
    for _ in range(spent):
        bucket.take(0.0)
    assert bucket.take(bucket.wait_s() + 1e-6)


def test_wait_is_told_in_whole_seconds(stopwatch):
    rules = rules_of(stopwatch, rate_limit_per_minute=7)
    for _ in range(7):
        rules.spend("a")
    with pytest.raises(ApiError) as refused:
        rules.spend("a")
    assert refused.value.retry_after_s == math.ceil(60 / 7)


# over real sockets


def make_limited(io_loop, make_sandbox, per_minute):
    """A server whose allowances do not come back while a test counts: its clock stands still."""
    sandbox = io_loop.run_sync(lambda: make_sandbox(limits={"rate_limit_per_minute": per_minute}))
    sandbox.server.access.rate_limit.monotonic = lambda: 0.0
    return sandbox


@pytest.fixture
def limited(io_loop, make_sandbox):
    return make_limited(io_loop, make_sandbox, 4)


def left(answer):
    return int(answer.headers["RateLimit-Remaining"])


@pytest.mark.gen_test
async def test_allowance_left_is_told_with_every_answer_under_all_its_names(limited, fetch):
    for remaining in (3, 2, 1, 0):
        answer = await fetch(limited, "/api/spot_price/NIFTY")
        assert answer.status == 200
        assert answer.headers["RateLimit-Policy"] == '"default";q=4;w=60'
        assert answer.headers["RateLimit"].startswith(f'"default";r={remaining};t=')
        assert answer.headers["RateLimit-Limit"] == "4"
        assert left(answer) == remaining
        assert 0 < int(answer.headers["RateLimit-Reset"]) <= 60


@pytest.mark.gen_test
async def test_call_over_the_allowance_is_told_when_to_come_back(limited, fetch):
    for _ in range(4):
        await fetch(limited, "/api/spot_price/NIFTY")
    answer = await fetch(limited, "/api/spot_price/NIFTY")
    assert answer.status == 429
    assert answer.error["code"] == "RATE_LIMITED"
    assert answer.error["details"] == {"limit": 4}
    assert 1 <= int(answer.headers["Retry-After"]) <= 15
    assert answer.headers["RateLimit-Policy"] == '"default";q=4;w=60'
    assert ";r=0;" in answer.headers["RateLimit"]


@pytest.mark.gen_test
async def test_front_end_can_read_that_it_is_over_its_allowance(limited, fetch):
    origin = {"Origin": "http://localhost:3000"}
    for _ in range(4):
        await fetch(limited, "/api/spot_price/NIFTY")
    answer = await fetch(limited, "/api/spot_price/NIFTY", headers=origin)
    assert answer.status == 429
    assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "RateLimit", "RateLimit-Remaining"} <= {*exposed}


@pytest.fixture
def exact(io_loop, make_sandbox):
    return make_limited(io_loop, make_sandbox, 1000)


async def spent(fetch, sandbox, path, **options):
    """An answer, and what it took of the allowance."""
    bucket = sandbox.server.access.rate_limit.buckets.get("127.0.0.1")
    before = 1000 if bucket is None else bucket.tokens
    answer = await fetch(sandbox, path, **options)
    return answer, before - sandbox.server.access.rate_limit.buckets["127.0.0.1"].tokens


@pytest.mark.parametrize(
    ("path", "cost"),
    [
        ("/health", CHEAP),
        ("/api/symbols", CHEAP),
        ("/api/spot_price/NIFTY", NORMAL),
        ("/api/dashboard_data?symbol=NIFTY", NORMAL),
        ("/api/historical-data/NIFTY", HEAVY),
        ("/api/option_chain?symbol=NIFTY&at=2026-11-23T04:00:00Z", HEAVY),
        ("/api/dashboard_data?symbol=NIFTY&at=2026-11-23T04:00:00Z", HEAVY),
        ("/api/no/such/route", NORMAL),
    ],
)
@pytest.mark.gen_test
async def test_request_costs_what_its_route_does(exact, fetch, path, cost):
    _, taken = await spent(fetch, exact, path)
    assert taken == cost


@pytest.mark.parametrize("path", ["/api/spot_price/NIFTY", "/api/option_chain?symbol=NIFTY", "/api/docs"])
@pytest.mark.gen_test
async def test_answer_that_the_client_has_costs_less(exact, fetch, path):
    answer, first = await spent(fetch, exact, path)
    headers = {"If-None-Match": answer.headers["ETag"]}
    again, taken = await spent(fetch, exact, path, headers=headers)
    assert again.status == 304
    assert taken == CACHED_SHARE * first
    assert left(again) == int(1000 - first - taken)  # told as it is after the refund


@pytest.mark.gen_test
async def test_chain_that_was_encoded_already_costs_less(exact, fetch):
    path = "/api/option_chain?symbol=FINNIFTY&strikes=7"
    answer, fresh = await spent(fetch, exact, path)
    assert (answer.status, fresh) == (200, NORMAL)
    answer, kept = await spent(fetch, exact, path)
    assert (answer.status, kept) == (200, CACHED_SHARE * NORMAL)
    await exact.step()
    answer, fresh = await spent(fetch, exact, path)
    assert (answer.status, fresh) == (200, NORMAL)


def test_past_is_dear_and_the_present_is_not():
    assert PastHandler.cost == NORMAL


def test_beyond_so_many_clients_the_one_longest_unused_is_forgotten(monkeypatch):
    monkeypatch.setattr(rate_limit, "MAX_BUCKETS", 3)
    limiter = RateLimit(2, lambda: 0.0)
    for client in ("first", "second", "third"):
        limiter.spend(client)
        limiter.spend(client)
    with pytest.raises(ApiError):
        limiter.spend("first")  # which is used again by that
    limiter.spend("fourth")
    for client in ("first", "third"):
        with pytest.raises(ApiError):
            limiter.spend(client)
    limiter.spend("second")  # forgotten, so it begins afresh
