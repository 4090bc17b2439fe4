"""Steering the feed: a replay, and the scenario of the simulated market."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from domain.instants import to_ms
from schemas.control import ReplaySchema, ScenarioStateSchema
from tests.handlers.shapes import problems

MINUTES = 12
BEGIN = datetime.fromisoformat("2026-03-05T10:00:00+05:30")
HEADER = "timestamp,expiry,strike,option_type,spot,ltp,volume,oi,oi_chg,iv"


def spot_at(minute):
    """The recorded spot, a different one each minute."""
    return 22_000 + 3 * minute


@pytest.fixture
def recording(tmp_path):
    """Some minutes of a chain."""
    path = tmp_path / "NIFTY_minutes.csv"
    lines = [HEADER]
    for minute in range(MINUTES):
        at = f"{BEGIN + timedelta(minutes=minute):%Y%m%d%H%M}"
        for strike in (21_950, 22_000, 22_050):
            for side in ("CE", "PE"):
                price = 100 + minute + (strike - 22_000) / 50
                figures = f"{spot_at(minute)},{price},{10 * minute},{500 + minute},5,"
                lines.append(f"{at},10-Mar-2026,{strike},{side},{figures}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def replay(io_loop, make_sandbox, recording):
    """A server that replays it, at thirty seconds a step."""
    return io_loop.run_sync(lambda: make_replay(make_sandbox, recording))


async def make_replay(make_sandbox, recording, **feed):
    feed = {"source": "replay", "start": "", "speed": 60.0, "control": True, **feed}
    return await make_sandbox(own_market=True, feed=feed, replay={"file": str(recording), "loop": False})


def iso(minute):
    """An instant of the recording."""
    return (BEGIN + timedelta(minutes=minute)).isoformat()


def milliseconds(minute):
    """The same as the market counts time."""
    return to_ms(BEGIN + timedelta(minutes=minute))


@pytest.fixture
def steer(fetch):
    async def post(sandbox, path="/api/replay", **body):
        headers = {"Content-Type": "application/json"}
        return await fetch(sandbox, path, method="POST", body=json.dumps(body), headers=headers)

    return post


@pytest.mark.gen_test
async def test_state_says_where_the_replay_stands(replay, fetch):
    data = (await fetch(replay, "/api/replay")).data
    assert problems(ReplaySchema(), data) == []
    assert data["start"] == "2026-03-05T04:30:00.000Z"
    assert data["end"] == "2026-03-05T04:41:00.000Z"
    assert (data["speed"], data["paused"], data["loop"], data["finished"]) == (60.0, False, False, False)
    await replay.step(2 * MINUTES)
    assert (await fetch(replay, "/api/replay")).data["finished"] is True


@pytest.mark.gen_test
async def test_control_is_off_unless_it_is_allowed(make_sandbox, recording, fetch, steer):
    closed = await make_replay(make_sandbox, recording, control=False)
    assert (await fetch(closed, "/api/replay")).status == 200
    refused = await steer(closed, action="pause")
    assert (refused.status, refused.error["code"]) == (404, "NOT_FOUND")
    assert "feed.control" in refused.body["message"]
    assert not closed.server.clock.paused


@pytest.mark.gen_test
async def test_there_is_no_replay_to_steer_in_a_simulated_market(make_sandbox, fetch, steer):
    sandbox = await make_sandbox(feed={"control": True})
    assert (await fetch(sandbox, "/api/replay")).status == 404
    assert (await steer(sandbox, action="pause")).error["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "stop"}, "action"),
        ({"action": "seek"}, "at"),
        ({"action": "seek", "at": "yesterday"}, "at"),
        ({"action": "seek", "at": "2026-03-05T09:00+05:30"}, "at"),
        ({"action": "seek", "at": "2026-03-06T10:00+05:30"}, "at"),
        ({"action": "speed"}, "speed"),
        ({"action": "speed", "speed": 0}, "speed"),
        ({"action": "speed", "speed": "fast"}, "speed"),
        ({"action": "pause", "speed": 2}, "speed"),
    ],
)
@pytest.mark.gen_test
async def test_what_cannot_be_done_is_refused_with_a_sentence(replay, steer, body, field):
    before = replay.server.market.epoch, replay.server.clock.now_ms(), replay.server.clock.speed
    answer = await steer(replay, **body)
    assert (answer.status, answer.error["code"]) == (400, "VALIDATION_ERROR")
    assert list(answer.error["details"]) == [field]
    assert (replay.server.market.epoch, replay.server.clock.now_ms(), replay.server.clock.speed) == before


@pytest.mark.gen_test
async def test_seek_shows_what_playing_through_shows(make_sandbox, recording, fetch, steer):
    played, sought = [await make_replay(make_sandbox, recording) for _ in range(2)]
    await played.step(14)  # with the first one 15 steps of 30 s
    answer = await steer(sought, action="seek", at=iso(7.5))
    assert answer.data["at"] == "2026-03-05T04:37:30.000Z"
    for path in (
        "/api/option_chain?symbol=NIFTY",
        "/api/spot_price/NIFTY",
        "/api/dashboard_data?symbol=NIFTY",
    ):
        left, right = [(await fetch(sandbox, path)).data for sandbox in (played, sought)]
        assert left["spot_price"] == spot_at(7)
        assert {name for name in left if left[name] != right[name]} <= {"epoch", "seq"}, path


@pytest.mark.parametrize("through", [(7.5,), (11, 7.5), (3, 10, 7.5)])
@pytest.mark.gen_test
async def test_history_holds_what_lies_before_the_instant_and_nothing_after(
    make_sandbox, recording, fetch, steer, through
):
    sandbox = await make_replay(make_sandbox, recording)
    for minute in through:
        await steer(sandbox, action="seek", at=iso(minute))
    candles = (await fetch(sandbox, "/api/historical-data/NIFTY?interval=1m&from=2026-03-05")).data["candles"]
    assert [row["date"][11:16] for row in candles] == [f"04:{30 + minute}" for minute in range(8)]
    assert [row["close"] for row in candles] == [spot_at(minute) for minute in range(8)]
    chain = (await fetch(sandbox, "/api/option_chain?symbol=NIFTY&at=2026-03-05T10:05:30")).data
    assert chain["spot_price"] == spot_at(5)


@pytest.mark.gen_test
async def test_seek_over_more_than_anybody_waits_for_is_not_recorded(
    make_sandbox, recording, fetch, steer, monkeypatch
):
    monkeypatch.setattr("feed.market.ticker.MOST_CAUGHT_UP", 6 * 5)  # five minutes of these six contracts
    sandbox = await make_replay(make_sandbox, recording)
    await steer(sandbox, action="seek", at=iso(8))
    await sandbox.step(5)
    path = "/api/historical-data/NIFTY?interval=1m&from=2026-03-05"
    candles = (await fetch(sandbox, path)).data["candles"]
    assert [(row["date"][14:16], row["close"]) for row in candles] == [
        (f"{30 + minute}", spot_at(minute)) for minute in (0, 8, 9, 10)
    ]
    contract = "&expiry=2026-03-10&strike=22000&option_type=CE"
    traded = {
        row["date"][14:16]: row["volume"] for row in (await fetch(sandbox, path + contract)).data["candles"]
    }
    assert (traded["38"], traded["39"], traded["40"]) == (0, 10, 10)  # not what was traded before them


@pytest.mark.gen_test
async def test_step_that_was_due_before_a_seek_is_not_taken_after_it(replay, monkeypatch):
    ticker, clock, source = replay.server.ticker, replay.server.clock, replay.server.source
    await replay.server.services.replay.seek(milliseconds(10))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def prepare(instant_ms):
        begun.set()
        await go_on.wait()

    monkeypatch.setattr(source, "prepare", prepare)  # as slow as a disk may be
    seeking = asyncio.create_task(replay.server.services.replay.seek(milliseconds(3)))
    await begun.wait()
    clock.set_speed(3600, step_ms=1)  # a step is due at once
    stepping = asyncio.create_task(ticker.run())
    await asyncio.sleep(0)  # it waits for its turn
    clock.pause()
    go_on.set()
    await asyncio.gather(seeking, stepping)
    assert clock.now_ms() == milliseconds(3)
    assert replay.server.market.quote("NIFTY").last_price == spot_at(3)


@pytest.mark.gen_test
async def test_seek_begins_an_epoch_and_sends_a_snapshot(replay, connect, steer, fetch):
    client = await connect(replay)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    first = await client.next("symbol_update")
    answer = await steer(replay, action="seek", at=iso(9))
    update = await client.next("symbol_update")
    while update["epoch"] == first["epoch"]:
        update = await client.next("symbol_update")
    assert update["kind"] == "snapshot"
    assert update["epoch"] == answer.data["epoch"] != first["epoch"]
    assert update["spot_price"] == spot_at(9)
    assert (await fetch(replay, "/api/spot_price/NIFTY")).data["seq"] == update["seq"]


@pytest.mark.gen_test
async def test_calendar_follows_the_replay(replay, steer, fetch):
    await steer(replay, action="seek", at=iso(4))
    answer = await fetch(replay, "/api/market-status?exchange=NFO")
    assert answer.body["timestamp"] == "2026-03-05T04:34:00.000Z"
    assert answer.data["phase"] == "open"


@pytest.mark.gen_test
async def test_pause_stands_still_and_streams_say_so(make_sandbox, recording, connect, steer):
    sandbox = await make_replay(make_sandbox, recording, speed=1.0, publish_interval_ms=20, heartbeat_s=0.1)
    client = await connect(sandbox)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    sandbox.server.ticker.start()
    try:
        answer = await steer(sandbox, action="pause")
        assert answer.data["paused"] is True
        stood = sandbox.server.clock.now_ms()
        client.waiting("symbol_update")
        for _ in range(3):  # heartbeats: nothing else may come
            update = await client.next("symbol_update")
            assert update["prev_seq"] == update["seq"]
        assert sandbox.server.clock.now_ms() == stood
        await steer(sandbox, action="resume")
        assert not sandbox.server.clock.paused
    finally:
        sandbox.server.ticker.stop()


@pytest.mark.gen_test
async def test_speed_changes_how_far_a_step_goes_and_not_how_often_there_is_one(replay, steer):
    clock = replay.server.clock
    assert clock.step_s == 0.5
    answer = await steer(replay, action="speed", speed=120)
    assert answer.data["speed"] == 120.0
    assert clock.step_s == 0.5
    before = clock.now_ms()
    await replay.step()
    assert clock.now_ms() - before == 60_000


@pytest.mark.gen_test
async def test_looped_recording_begins_its_history_again(make_sandbox, recording, fetch):
    feed = {"source": "replay", "start": "", "speed": 60.0}
    sandbox = await make_sandbox(own_market=True, feed=feed, replay={"file": str(recording), "loop": True})
    epoch = sandbox.server.market.epoch
    await sandbox.step(2 * MINUTES + 4)
    assert sandbox.server.market.epoch != epoch
    candles = (await fetch(sandbox, "/api/historical-data/NIFTY?interval=1m&from=2026-03-05")).data["candles"]
    now = (await fetch(sandbox, "/api/replay")).data["at"]
    assert candles[-1]["date"][:16] <= now[:16]
    assert len(candles) < MINUTES / 2
    assert [row["close"] for row in candles] == [spot_at(minute) for minute in range(len(candles))]


@pytest.mark.gen_test
async def test_scenario_of_the_market_is_changed_and_told(make_sandbox, connect, fetch, steer):
    sandbox = await make_sandbox(own_market=True, feed={"control": True})
    client = await connect(sandbox)
    path = "/api/simulation/scenario"
    assert (await fetch(sandbox, path)).data["scenario"] == "calm"
    answer = await steer(sandbox, path, scenario="crash")
    assert problems(ScenarioStateSchema(), answer.data) == []
    assert answer.data["scenario"] == "crash"
    told = await client.next("feed_status")
    assert (told["scenario"], told["state"], told["source"]) == ("crash", "live", "simulated")
    assert (await fetch(sandbox, path)).data["scenario"] == "crash"
    refused = await steer(sandbox, path, scenario="panic")
    assert (refused.status, list(refused.error["details"])) == (400, ["scenario"])


@pytest.mark.gen_test
async def test_scenario_is_not_for_everybody_to_change(sandbox, fetch, steer):
    path = "/api/simulation/scenario"
    assert (await fetch(sandbox, path)).status == 200
    refused = await steer(sandbox, path, scenario="crash")
    assert (refused.status, refused.error["code"]) == (404, "NOT_FOUND")
    assert (await fetch(sandbox, path)).data["scenario"] == "calm"
