"""A feed that stalls: all are told, prices stay and are stale, it is restarted and goes on coherently."""

import pytest

from feed.market.clock import VirtualClock
from handlers.operations.build import build
from handlers.operations.market import MarketParts
from schemas.events import FeedStatusSchema
from tests.conftest import Parts, settings_of
from tests.handlers.faulty import FaultySource
from tests.handlers.shapes import problems

HOLD_STEPS = 60  # twenty inputs without a failure, and the hold


@pytest.fixture
def broken(io_loop, make_sandbox):
    """A server over a market of its own, and its source, which can be made to fail."""
    feed = {"stale_after_s": 2.0}
    built = build(settings_of(feed=feed))
    source = FaultySource(built.source)
    market = MarketParts(built.services.calendar, built.clock, source, built.market, built.history)
    parts = Parts(built.settings, market)
    yield io_loop.run_sync(lambda: make_sandbox(parts=parts, feed=feed)), source
    io_loop.run_sync(built.history.stop)


async def told_until(client, state):
    """The states told up to one, without what was told twice."""
    told = []
    while not told or told[-1]["state"] != state:
        told.append(await client.next("feed_status"))
        assert problems(FeedStatusSchema(), told[-1]) == []
    return told


@pytest.mark.parametrize("fault", ["silent", "raises"])
@pytest.mark.gen_test
async def test_everybody_is_told_why_and_when_the_next_try_is(broken, connect, fault):
    sandbox, source = broken
    clients = [await connect(sandbox, "websocket"), await connect(sandbox, "polling")]
    source.break_down(fault)
    await sandbox.step(6)
    for client in clients:
        stalled = (await told_until(client, "stalled"))[-1]
        assert stalled["reason"].startswith("Nothing arrived for 2 s.")
        assert ("ConnectionError" in stalled["reason"]) == (fault == "raises")
        assert "secret" not in stalled["reason"]
        assert stalled["next_try_at"] > stalled["timestamp"]
        assert stalled["restarts"] == 0
    await sandbox.step(HOLD_STEPS)
    for client in clients:
        states = [told["state"] for told in await told_until(client, "live")]
        assert states == ["degraded", "live"]


@pytest.mark.gen_test
async def test_prices_stay_and_are_stale_and_health_and_metrics_say_so(broken, fetch):
    sandbox, source = broken
    before = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    source.break_down("silent", restarts_needed=3)
    await sandbox.step(6)
    during = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert {**during, "stale": False, "seq": before["seq"]} == before
    assert during["stale"] is True
    health = (await fetch(sandbox, "/health")).data
    assert (health["status"], health["parts"]["feed"]["state"]) == ("degraded", "stalled")
    text = (await fetch(sandbox, "/metrics")).raw.decode()
    assert 'market_feed_state{state="stalled"} 1.0' in text
    assert 'market_health{part="feed",status="degraded"} 1.0' in text
    assert "market_ready 1.0" in text
    await sandbox.step(40)
    text = (await fetch(sandbox, "/metrics")).raw.decode()
    assert "market_feed_restarts_total 3.0" in text
    assert (await fetch(sandbox, "/api/spot_price/NIFTY")).data["stale"] is False


@pytest.mark.gen_test
async def test_restart_that_fails_is_tried_again_later_and_later(broken, connect):
    sandbox, source = broken
    client = await connect(sandbox)
    source.break_down("raises", restarts_needed=5)
    steps = 0
    while source.fault is not None:
        await sandbox.step()
        steps += 1
        assert steps < 200
    await sandbox.step(HOLD_STEPS)
    told = await told_until(client, "live")
    assert [item["restarts"] for item in told] == [0, 0, 1, 2, 3, 4, 5, 0]
    assert told[1]["epoch"] == told[-1]["epoch"]


@pytest.mark.gen_test
async def test_simulated_market_goes_on_where_it_stood(broken, fetch):
    sandbox, source = broken
    path = "/api/option_chain?symbol=NIFTY"
    before = (await fetch(sandbox, path)).data
    source.break_down("raises")
    await sandbox.step(40)
    after = (await fetch(sandbox, path)).data
    assert source.restarts == 1
    assert after["epoch"] == before["epoch"]
    assert after["seq"] > before["seq"]
    assert after["spot_price"] == pytest.approx(before["spot_price"], rel=0.005)
    rows = zip(before["option_chain"], after["option_chain"], strict=True)
    for old, new in rows:
        assert new["strike_price"] == old["strike_price"]
        assert new["ce_volume"] >= old["ce_volume"]
        assert new["ce_prev_close"] == old["ce_prev_close"]


@pytest.mark.gen_test
async def test_clock_set_back_is_followed_in_a_new_epoch_with_the_prices_there_were(broken, fetch, connect):
    sandbox, _ = broken
    clock = sandbox.server.clock
    assert isinstance(clock, VirtualClock)
    client = await connect(sandbox)
    before = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    clock.seek(clock.now_ms() - 3_600_000)
    await sandbox.step(3)
    health = (await fetch(sandbox, "/health")).data
    assert health["parts"]["feed"]["last_tick_age_ms"] == 1500 - 500
    await sandbox.step(40)
    after = (await fetch(sandbox, "/api/spot_price/NIFTY")).data
    assert after["epoch"] != before["epoch"]
    assert after["as_of"] < before["as_of"]
    assert after["stale"] is False
    assert after["spot_price"] == pytest.approx(before["spot_price"], rel=0.005)
    assert [item["state"] for item in await told_until(client, "live")][-2:] == ["degraded", "live"]


@pytest.mark.gen_test
async def test_clock_set_forward_is_no_stall(broken, fetch, connect):
    sandbox, _ = broken
    clock = sandbox.server.clock
    client = await connect(sandbox)
    clock.seek(clock.now_ms() + 3_600_000)
    await sandbox.step(5)
    assert (await fetch(sandbox, "/health")).data["parts"]["feed"]["state"] == "live"
    await client.settle()
    assert client.waiting("feed_status") == []
