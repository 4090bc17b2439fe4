"""The circle: one market behind the mock feeds the live source of another server, whatever goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import Any

import numpy as np
import pytest
from tornado.netutil import bind_sockets

from feed.live import backoff, kite, source
from feed.live.broker import Limits
from feed.live.token_file import write_token
from tests.handlers.kite_mock.conftest import TOKEN

FIELDS = (
    "last_price",
    "open",
    "high",
    "low",
    "previous_close",
    "volume",
    "open_interest",
    "bid",
    "ask",
    "ask_quantity",
)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of a live day are short here; what they wait for is awaited."""
    for name in ("LOOK_S", "REPLAN_S", "LIST_RETRY_S"):
        monkeypatch.setattr(source, name, 0.02)
    monkeypatch.setattr(backoff, "FIRST_S", 0.02)
    monkeypatch.setattr(backoff, "LONGEST_S", 0.1)
    monkeypatch.setattr(
        kite, "Limits", lambda **limits: Limits(**{**limits, "request_interval_s": 0.02, "silence_s": 1.5})
    )


class Circle:
    """A mock and a server that is fed by it."""

    def __init__(self, mock: Any, fed: Any) -> None:
        self.mock, self.fed = mock, fed
        self.live = fed.server.source
        self.market = fed.server.market

    async def until(self, condition: Any) -> None:
        """Let both go on until something holds; the test's time is its limit."""
        while not condition():  # noqa: ASYNC110 - what is awaited is another server's affair
            await asyncio.sleep(0.01)

    async def listed(self) -> None:
        """Until the list of instruments is there and every row of it was told once."""
        await self.until(lambda: self.live.differences is not None and self.live.plan.socket_of)
        gather = self.live
        await self.until(lambda: np.count_nonzero(gather.gather.times_ms < 0) == 0)

    async def step(self) -> None:
        """A step of the mock's market, and one of the other once it arrived."""
        await self.mock.sandbox.step()
        origin, gather = self.mock.sandbox.server.market, self.live.gather
        row = gather.table.universe.row_of["NIFTY"]
        told = origin.quote("NIFTY").last_price
        await self.until(lambda: abs(gather.values["last_price"][row] - told) < 0.0051)
        await asyncio.sleep(0.05)  # the other sockets' frames of the same publication
        await self.fed.step()


@pytest.fixture
def circle(io_loop: Any, kite: Any, make_sandbox: Any) -> Any:
    """Make one; everything is on sockets, or in part polled."""
    made: list[Circle] = []

    async def start(token: str = TOKEN, feed: Any = None, **settings: Any) -> Circle:
        mock = await kite(feed=feed)
        root = mock.mock.url
        fed = await make_sandbox(
            own_market=True,
            feed={"source": "kite", "stale_after_s": 30.0, **(feed or {})},
            kite={
                "api_key": "mock",
                "access_token": token,
                "root_url": root,
                "ticker_url": root.replace("http", "ws"),
                **settings,
            },
        )
        await fed.server.ticker.prime()
        made.append(Circle(mock, fed))
        return made[-1]

    yield start
    for one in made:
        io_loop.run_sync(one.fed.server.ticker.close)


def same(one: Any, other: Any, name: str) -> bool:
    """Whether a field of all contracts is what the wire can carry of it."""
    ours, theirs = one.contracts[name], other.contracts[name]
    known = np.nan_to_num(theirs) > 0
    return bool(np.allclose(ours[known], theirs[known], atol=0.0051))


@pytest.mark.gen_test
async def test_what_the_wire_carries_is_the_same_on_both_sides(circle):
    made = await circle(sockets=3)
    await made.listed()
    await made.fed.step()
    origin = made.mock.sandbox.server.market
    assert [item.key for item in made.market.universe.listings] == [
        item.key for item in origin.universe.listings
    ]
    for name in FIELDS:
        assert same(made.market, origin, name), name
    for symbol in ("NIFTY", "RELIANCE", "CRUDEOIL", "M&M", "SENSEX"):
        assert made.market.quote(symbol).last_price == pytest.approx(
            origin.quote(symbol).last_price, abs=0.0051
        )
    chains = [
        json.loads(
            sandbox.server.services.views.chain(sandbox.server.market.universe.listing("NIFTY")).whole()
        )
        for sandbox in (made.fed, made.mock.sandbox)
    ]
    for name in ("total_ce_oi", "total_pe_oi", "pcr_oi", "max_pain", "atm_strike", "lot_size", "expires_at"):
        assert chains[0][name] == chains[1][name], name
    assert chains[0]["forward"] == pytest.approx(chains[1]["forward"], abs=0.02)
    assert made.live.differences == ()


@pytest.mark.gen_test
async def test_next_step_is_there_within_a_cycle(circle):
    made = await circle(sockets=3)
    await made.listed()
    for _ in range(4):
        await made.step()
    origin = made.mock.sandbox.server.market
    on_sockets = [origin.universe.listing("NIFTY"), origin.universe.listing("BANKNIFTY")]
    for listing in on_sockets:
        for name in ("last_price", "bid", "ask", "volume", "open_interest"):
            ours, theirs = made.market.legs(listing)[name], origin.legs(listing)[name]
            known = np.nan_to_num(theirs) > 0
            assert np.allclose(ours[known], theirs[known], atol=0.0051), (listing.key, name)


@pytest.mark.gen_test
async def test_everything_can_be_polled_and_what_is_followed_comes_to_a_socket(circle, connect):
    made = await circle(sockets=1, tokens_per_socket=400)
    await made.until(lambda: made.live.plan.socket_of)
    far = made.market.universe.chains("TCS")[-1].key
    assert far not in made.live.plan.socket_of
    client = await connect(made.fed, "websocket")
    asked = {"symbol": "TCS", "expiry": str(far[1])}
    refused = await client.call("subscribe_option_chain", asked)  # nothing is known of it yet
    assert refused["error"]["code"] == "FEED_UNAVAILABLE"
    await made.until(lambda: far in made.live.plan.socket_of)
    listing = made.live.gather.table.universe.find(far)
    rows = made.live.gather.table.find(listing.tokens)[0]
    await made.until(lambda: bool((made.live.gather.times_ms[rows] > 0).all()))
    await made.fed.step()
    await client.ask("subscribe_option_chain", asked)
    await made.until(lambda: any(len(item.modes) > 0 for item in made.mock.mock.tickers.followers.values()))
    assert made.live.plan.polled


@pytest.mark.gen_test
async def test_session_that_is_revoked_is_said_and_a_new_login_goes_on(circle, tmp_path):
    path = tmp_path / "kite.json"
    made = await circle(token="", token_file=str(path))
    await made.until(lambda: made.live.problem is not None)
    await made.fed.step()
    state = made.fed.server.ticker.state
    assert (state.problem.kind, state.name) == ("login_required", "disconnected")
    assert state.problem.message == "Kite needs today's login: run `python server.py login`."

    def log_in() -> None:
        sessions = made.mock.mock.sessions
        token = sessions.request_token(0.0)
        checksum = hashlib.sha256(f"mock{token}secret".encode()).hexdigest()
        session = sessions.begin("mock", token, checksum, 0.0, 0)
        write_token(path, "mock", {"access_token": session.access_token})

    log_in()
    await made.until(lambda: made.live.problem is None)
    await made.listed()
    made.mock.mock.sessions.end(made.mock.mock.sessions.login.access_token)
    await made.until(lambda: made.live.problem is not None and made.live.problem.kind == "login_required")
    assert made.live.problem.message == "Kite ended the session: run `python server.py login`."
    refused = made.mock.mock.tickers.messages
    log_in()
    await made.until(lambda: made.live.problem is None)
    assert made.mock.mock.tickers.messages > refused


@pytest.mark.gen_test
async def test_line_that_is_cut_or_silent_is_opened_again(circle, monkeypatch):
    made = await circle(sockets=1)
    await made.listed()
    before = made.live.reconnects
    for socket in list(made.mock.mock.tickers.followers):
        socket.ws_connection.stream.close()
    await made.until(lambda: made.live.reconnects > before and made.live.problem is None)
    await made.until(lambda: len(made.mock.mock.tickers.followers) == 1)


@pytest.mark.gen_test
async def test_line_without_a_sign_of_life_is_said_to_be_dead_and_opened_again(circle):
    made = await circle(sockets=1)
    await made.listed()
    made.mock.mock.heartbeat.stop()
    seen = []

    def silent() -> bool:
        if made.live.problem is not None:
            seen.append(made.live.problem)
        return bool(seen)

    await made.until(silent)
    assert seen[0].kind == "disconnected"
    assert seen[0].message == "Kite: nothing came on line 1 for 1.5 s."
    made.mock.mock.heartbeat.start()
    await made.until(lambda: made.live.problem is None and len(made.mock.mock.tickers.followers) == 1)


@pytest.mark.gen_test
async def test_broker_that_is_away_is_said_and_found_again(circle, fetch):
    made = await circle(sockets=2)
    await made.listed()
    await made.fed.step()
    port = made.mock.port
    await made.mock.mock.stop()
    await made.until(lambda: made.live.problem is not None)
    assert made.live.problem.kind == "disconnected"
    assert str(port) not in made.live.problem.message
    await made.fed.step()
    told = (await fetch(made.fed, "/metrics")).raw.decode()
    assert 'market_feed_problem{kind="disconnected"} 1.0' in told
    held = made.market.quote("NIFTY").last_price
    await made.fed.step()
    assert made.market.quote("NIFTY").last_price == held
    made.mock.mock.start(bind_sockets(port, "127.0.0.1"))
    await made.until(lambda: made.live.problem is None)
    await made.step()
    assert made.market.quote("NIFTY").last_price == pytest.approx(
        made.mock.sandbox.server.market.quote("NIFTY").last_price, abs=0.0051
    )


async def minutes_of(fetch: Any, sandbox: Any, symbol: str) -> dict[str, list[float]]:
    """Prices of the minutes that are over, by their beginning."""
    told = await fetch(sandbox, f"/api/historical-data/{symbol}?interval=1m&per_page=1000&from=2026-11-23")
    return {
        row["date"]: [
            row[name] for name in ("open", "high", "low", "close")
        ]  # an index has no volume at Kite
        for row in told.data["candles"]
        if row["closed"]
    }


@pytest.mark.gen_test(timeout=100)
async def test_no_minute_is_lost_that_the_broker_still_has(circle, fetch):
    made = await circle(feed={"speed": 60.0, "symbols": ["NIFTY", "GOLD"]}, sockets=1)  # steps of 30 s
    await made.listed()
    for _ in range(5):
        await made.step()
    port = made.mock.port
    await made.mock.mock.stop()
    await made.until(lambda: made.live.problem is not None)
    for _ in range(9):
        await made.mock.sandbox.step()
        await made.fed.step()
    made.mock.mock.start(bind_sockets(port, "127.0.0.1"))
    await made.until(lambda: made.live.problem is None)
    for _ in range(4):
        await made.step()
    # of a minute that was followed a step of half a minute shows but the ends: those are not asked for again
    followed = {f"2026-11-23T04:{minute}:00.000Z" for minute in (31, 32, 37, 38, 39)}
    for symbol in ("NIFTY", "GOLD"):
        wanted = await minutes_of(fetch, made.mock.sandbox, symbol)
        assert len(wanted) > 600  # this market began at midnight, ten hours before the other server did
        missed = dict(wanted)
        while missed:
            await asyncio.sleep(0.05)
            ours = await minutes_of(fetch, made.fed, symbol)
            missed = {at: it for at, it in wanted.items() if at not in followed and ours.get(at) != it}
        assert ours.keys() >= wanted.keys()
        assert sum("2026-11-23T04:33" <= at < "2026-11-23T04:37" for at in wanted) == 4
    assert made.live.problem is None
    told = (await fetch(made.fed, "/metrics")).raw.decode()
    assert 'market_live_instruments{way="line"}' in told
    assert re.search(r"^market_live_filled_minutes_total [1-9]", told, re.M)
    assert "market_live_lines 1.0" in told
    other = (await fetch(made.mock.sandbox, "/metrics")).raw.decode()
    assert "market_kite_mock_sockets 1.0" in other
    assert re.search(r"^market_kite_mock_packets_total [1-9]", other, re.M)
    assert 'market_feed_problem{kind="disconnected"} 0.0' in told


@pytest.mark.gen_test
async def test_expiry_and_the_list_after_it_are_taken_over(circle):
    feed = {"start": "2026-11-23T15:39:58+05:30"}
    made = await circle(feed=feed, sockets=3)
    await made.listed()
    await made.fed.step()
    expired = made.market.universe.listing("NIFTY").key
    assert str(expired[1]) == "2026-11-23"
    await made.mock.sandbox.step(8)
    assert made.mock.sandbox.server.market.universe.find(expired) is None
    await made.fed.step(8)
    await made.until(lambda: made.live.gather.table.universe.find(expired) is None)
    await made.fed.step()
    origin = made.mock.sandbox.server.market.universe
    assert [item.key for item in made.market.universe.listings] == [item.key for item in origin.listings]
    newest = made.market.universe.chains("NIFTY")
    await made.until(lambda: all(item.key in made.live.plan.socket_of for item in newest[:2]))


@pytest.mark.gen_test
async def test_no_secret_is_logged_or_told(circle, caplog, fetch):
    made = await circle(token="wrong-token-of-mine")
    await made.until(lambda: made.live.problem is not None)
    await made.fed.step()
    health = (await fetch(made.fed, "/health")).raw.decode()
    assert "login_required" in health
    said = caplog.text + health + repr(made.fed.server.settings) + repr(made.live.broker.account)
    assert "wrong-token-of-mine" not in said
