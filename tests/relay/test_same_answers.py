"""Whatever a feed answers about a state, an edge at the same position answers in the same bytes."""

from __future__ import annotations

import asyncio
import json
import random
from datetime import datetime

import numpy as np
import pytest
from tornado.httpclient import AsyncHTTPClient

from domain.instants import IST, to_datetime, to_ms
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS
from tests.relay.pair import asked

ROUTES = (
    "/api/spot_price/NIFTY",
    "/api/option_chain?symbol=NIFTY",
    "/api/option_chain?symbol=RELIANCE&strikes=5",
    "/api/dashboard_data?symbol=BANKNIFTY",
    "/api/dashboard_data?symbol=CRUDEOIL",
    "/api/expiries/NIFTY",
    "/api/symbols",
    "/api/market-status",
)
OF_THE_PAST = (
    "/api/historical-data/NIFTY?interval=1m",
    "/api/historical-data/RELIANCE?interval=1d&per_page=5",
    "/api/ohlc_data/GOLD",
    "/api/dashboard-history/NIFTY?from=2026-11-23T09:15:00Z",
    "/api/oi-history/NIFTY",
    "/api/option_chain?symbol=NIFTY&at=2026-11-23T10:01:00%2B05:30&strikes=3",
    "/api/dashboard_data?symbol=NIFTY&at=2026-11-23T10:01:00%2B05:30",
    "/api/historical-data/NIFTY?interval=nonsense",
)
CANDLES = ("1m", "5m", "1h", "1d", "1w")


def same_market(feed, edge):
    """Assert that two markets hold the same, to the bit."""
    assert (feed.epoch, feed.source, feed.last_input_ms) == (edge.epoch, edge.source, edge.last_input_ms)
    assert [item.key for item in feed.universe.listings] == [item.key for item in edge.universe.listings]
    for name in UNDERLYING_FIELDS:
        assert np.array_equal(feed.underlyings[name], edge.underlyings[name], equal_nan=True), name
    for name in CONTRACT_FIELDS:
        assert np.array_equal(feed.contracts[name], edge.contracts[name], equal_nan=True), name
    for mine, theirs in (
        (feed.symbol_positions, edge.symbol_positions),
        (feed.chain_positions, edge.chain_positions),
    ):
        for name in ("seq", "as_of_ms", "stale"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name)), name


def forming(server, symbol, interval):
    return server.history.answers.forming(symbol, interval, server.clock.now_ms())


async def same_answers(pair, edge):
    same_market(pair.feed.server.market, edge.server.market)
    for route in ROUTES:
        mine, theirs = await asked(pair.feed.url, route), await asked(edge.url, route)
        mine, theirs = json.loads(mine), json.loads(theirs)
        assert mine["success"], mine
        assert json.dumps(mine["data"]) == json.dumps(theirs["data"]), route
    for interval in CANDLES:
        for symbol in ("NIFTY", "RELIANCE", "GOLD"):
            mine = forming(pair.feed.server, symbol, interval)
            assert repr(mine) == repr(forming(edge.server, symbol, interval)), (symbol, interval)


@pytest.mark.gen_test
async def test_edge_answers_as_the_feed_does_at_each_step(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    for _ in range(6):
        await same_answers(pair, edge)
        await pair.step(3)


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "second", [1, 44, *(pytest.param(it, marks=pytest.mark.nightly) for it in (17, 30, 59))]
)
async def test_minute_in_which_an_edge_joins_is_right_there(make_pair, second):
    pair = await make_pair(relay={"image_every": 1}, feed={"start": "2026-11-23T10:00:00+05:30"})
    await pair.step(2 * second)
    edge = await pair.join()
    await pair.step()
    await same_answers(pair, edge)
    await pair.step(2 * (60 - second) - 1)  # into the next minute
    await same_answers(pair, edge)
    for symbol in ("NIFTY", "RELIANCE"):
        closed = [
            server.history.recorder.minutes(symbol, 0, 1 << 53).take(slice(-2, -1))
            for server in (pair.feed.server, edge.server)
        ]
        assert closed[0].high.tolist() == closed[1].high.tolist()
        assert closed[0].open.tolist() == closed[1].open.tolist()
        assert closed[0].volume.tolist() == closed[1].volume.tolist()


@pytest.mark.gen_test
async def test_what_prices_went_through_between_two_states_counts_at_an_edge_too(make_pair):
    pair = await make_pair(feed={"publish_interval_ms": 10_000}, relay={"image_every": 1})
    edge = await pair.join()
    for _ in range(8):
        await pair.step()
        await same_answers(pair, edge)
    _, mine, mine_of_contracts = pair.feed.server.history.recorder.so_far()
    _, theirs, theirs_of_contracts = edge.server.history.recorder.so_far()
    for name in ("open", "high", "low", "volume", "touched"):
        assert np.array_equal(getattr(mine, name), getattr(theirs, name), equal_nan=True), name
        of_contracts = getattr(mine_of_contracts, name), getattr(theirs_of_contracts, name)
        assert np.array_equal(*of_contracts, equal_nan=True), name


@pytest.mark.gen_test
async def test_edge_without_a_store_answers_about_the_past_as_its_feed_does(make_pair):
    pair = await make_pair(feed={"start": "2026-11-23T10:00:00+05:30"})
    await pair.step(250)
    edge = await pair.join()
    for route in OF_THE_PAST:
        mine = await AsyncHTTPClient().fetch(pair.feed.url + route, raise_error=False)
        theirs = await AsyncHTTPClient().fetch(edge.url + route, raise_error=False)
        assert mine.code == theirs.code == (400 if "nonsense" in route else 200), (route, mine.body)
        data = [json.dumps(json.loads(answer.body).get("data")) for answer in (mine, theirs)]
        assert data[0] == data[1], route
        tag = theirs.headers.get("ETag")
        if tag is not None:
            again = await AsyncHTTPClient().fetch(
                edge.url + route, headers={"If-None-Match": tag}, raise_error=False
            )
            assert again.code == 304
    pair.feed.server.http.stop()
    await pair.feed.server.http.close_all_connections()
    refused = json.loads(await asked(edge.url, OF_THE_PAST[0]))
    assert refused["error"]["code"] == "FEED_UNAVAILABLE"


@pytest.mark.gen_test
async def test_expiry_and_the_next_day_change_the_same_at_an_edge(make_pair):
    pair = await make_pair(feed={"start": "2026-12-01T15:39:50+05:30", "hours": "always"})
    edge = await pair.join()
    before = edge.server.market.universe
    for _ in range(10):
        await pair.step(6)
        await same_answers(pair, edge)
    assert edge.server.market.universe is not before
    assert edge.follower.gaps.total() == 0


@pytest.mark.gen_test
async def test_another_scenario_is_another_epoch_at_an_edge_too(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    await pair.step(3)
    first = edge.server.market.epoch
    pair.feed.server.services.simulated.set_scenario("crash", 0)
    await pair.feed.server.ticker.diverge("scenario crash")
    await pair.step(3)
    assert edge.server.market.epoch == pair.feed.server.market.epoch != first
    assert edge.server.services.status.feed_status()["scenario"] == "crash"
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_replay_that_is_sought_paused_and_sped_up_is_followed(make_pair, tmp_path):
    recording = tmp_path / "chain.csv"
    recording.write_text("\n".join(recorded_lines()) + "\n")
    pair = await make_pair(
        feed={"source": "replay", "start": "", "speed": 60.0},
        replay={"file": str(recording), "loop": False},
        relay={"image_every": 2},
    )
    edge = await pair.join()
    control, routes = (
        pair.feed.server.services.replay,
        ("/api/option_chain?symbol=NIFTY", "/api/dashboard_data?symbol=NIFTY"),
    )

    async def same():
        same_market(pair.feed.server.market, edge.server.market)
        for route in routes:
            mine, theirs = [json.loads(await asked(of.url, route)) for of in (pair.feed, edge)]
            assert json.dumps(mine["data"]) == json.dumps(theirs["data"])

    await pair.step(3)
    await same()
    epochs = [edge.server.market.epoch]
    for minute in (40, 5, 20):
        await control.seek(RECORDED_MS + minute * 60_000)
        await pair.settle()
        await pair.step(2)
        await same()
        assert edge.server.clock.now_ms() == pair.feed.server.clock.now_ms()
        epochs.append(edge.server.market.epoch)
    assert len(set(epochs)) == 4
    control.pause()
    await pair.feed.server.ticker.publish_pause(pair.feed.server.clock)
    await pair.settle()
    await same()
    assert edge.server.market.source == "replay"


RECORDED_MS = to_ms(datetime(2026, 3, 5, 10, 0, tzinfo=IST))


def recorded_lines():
    """An hour of a small chain, a state a minute."""
    yield "timestamp,symbol,expiry,strike,option_type,ltp,bid,ask,volume,oi,spot"
    for minute in range(60):
        at = to_datetime(RECORDED_MS + minute * 60_000).astimezone(IST).isoformat()
        for strike in range(24000, 25001, 100):
            for kind, sign in (("CE", 1), ("PE", -1)):
                price = max(5.0, 200 + sign * (24500 + minute - strike) / 2)
                row = (
                    at,
                    "NIFTY",
                    "2026-03-10",
                    strike,
                    kind,
                    price,
                    price - 0.5,
                    price + 0.5,
                    100 * minute,
                    5000,
                    24500 + minute,
                )
                yield ",".join(map(str, row))


@pytest.mark.gen_test
async def test_any_order_of_steps_losses_and_restarts_ends_in_the_same_state(make_pair):
    chance = random.Random(7)
    pair = await make_pair(relay={"image_every": 2})
    edge = await pair.join()
    reached = {}
    for _ in range(40):
        what = chance.choice(("step", "step", "step", "lose", "epoch", "stale", "down"))
        if what == "lose":
            await pair.feed.step()
            await put_by_hand(pair)
            del pair.bus.records[-1:]  # trimmed before this edge read it
        elif what == "epoch":
            await pair.feed.server.ticker.diverge("a test")
        elif what == "stale":
            pair.feed.server.market.symbol_positions.limit_ms[:] = chance.choice((0.0, 1e12))
        elif what == "down":
            pair.bus.is_down = True
            await pair.step(2)
            pair.bus.is_down = False
            pair.publisher.begin_again()
        await pair.step(2)
        market = edge.server.market
        assert market.symbol_positions.seq.max() >= reached.get(market.epoch, 0)
        reached[market.epoch] = int(market.symbol_positions.seq.max())
    await wait_for_image(pair, edge)
    await same_answers(pair, edge)


async def put_by_hand(pair):
    """Have what was packed stand on the bus, without the edge's having read it."""
    while pair.publisher.queue_length:
        item = pair.publisher.queue.popleft()
        if item.name:
            await pair.bus.put_image(item.name, item.at, item.data)
        else:
            await pair.bus.append(item.at, item.data)


async def wait_for_image(pair, edge):
    """Step until an image that is newer than what was missed was taken over."""
    for _ in range(40):
        await pair.step()
        await asyncio.sleep(0.02)  # an image is looked for ten times a second
        await pair.settle()
        if edge.follower.at == pair.bus.top:
            return
    raise AssertionError(f"{edge.follower.at} is not {pair.bus.top}: {edge.follower.problem}")
