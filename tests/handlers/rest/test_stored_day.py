"""``--replay STORE#DAY`` as an operator runs it: a recorded day behind the same routes and streams."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from domain.instants import MINUTE_MS
from feed.history.history import History
from tests.feed.history.support import CALENDAR, NEAR, STRIKES, Tape, at, market, run
from tests.processes import spawn

BEGIN = at("2026-11-25 15:15")
LAST = 40  # second of a minute at which the last state of it was published
MINUTES = 40  # over the close of 15:40
PAUSED = {"action": "pause"}


class Recorded:
    """A server that replays a store, and the tape of what was published when it was recorded."""

    def __init__(self, process, tape):
        self.url = process.url
        self.process = process
        self._tape = tape

    def spot(self, minute):
        """The last price published in a minute, counted from the first."""
        return round(float(self._last(self._tape.published, minute)[1][0]), 2)

    def legs(self, minute, name):
        """A field of the nearest expiry at the end of a minute: (2, strikes)."""
        values = self._last(self._tape.legs, minute)[1][name]
        return values[: 2 * len(STRIKES)].reshape(2, -1)

    @staticmethod
    def _last(published, minute):
        return [item for item in published if (item[0] - BEGIN) // MINUTE_MS == minute][-1]


def iso(minute, seconds):
    """An instant within a minute of the tape."""
    return datetime.fromtimestamp(BEGIN / 1000 + 60 * minute + seconds, UTC).isoformat()


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored day")
    store = folder / "history.sqlite3"
    history, of = History(f"sqlite:///{store}", calendar=CALENDAR, hours="always", queue_limit=1000), market()
    history.start(of, BEGIN)
    tape = Tape(history, of)
    tape.run(BEGIN, MINUTES)
    run(history.stop())
    options = ["--speed", "60", "--set", "feed.control=true", "--set", "replay.loop=false"]
    process = spawn(folder / "log", "--replay", f"{store}#2026-11-25,NIFTY", *options)
    yield Recorded(process, tape)
    assert process.stop() == 0
    process.popen.stdout.close()
    assert "Traceback" not in process.log.read_text()
    # the last connection that is closed tidies up
    assert not (folder / "history.sqlite3-wal").exists()


@pytest.fixture
def steer(fetch, recorded):
    async def post(**body):
        headers = {"Content-Type": "application/json"}
        answer = await fetch(recorded, "/api/replay", method="POST", body=json.dumps(body), headers=headers)
        return answer.data

    return post


@pytest.mark.gen_test
async def test_state_tells_the_span_of_the_day(recorded, fetch):
    data = (await fetch(recorded, "/api/replay")).data
    assert (data["start"], data["end"]) == ("2026-11-25T09:45:40.000Z", "2026-11-25T10:24:40.000Z")
    health = (await fetch(recorded, "/health")).data
    assert health["source"] == "replay"


@pytest.mark.parametrize("minute", [0, 17, MINUTES - 1])
@pytest.mark.gen_test
async def test_seek_shows_what_was_published_then(recorded, fetch, steer, minute):
    await steer(**PAUSED)
    told = await steer(action="seek", at=iso(minute, LAST))
    assert told["paused"] is True
    quote = (await fetch(recorded, "/api/spot_price/NIFTY")).data
    assert (quote["spot_price"], quote["source"]) == (recorded.spot(minute), "replay")
    chain = (await fetch(recorded, f"/api/option_chain?symbol=NIFTY&expiry={NEAR}")).data
    assert chain["timestamp"] == told["at"]
    rows = chain["option_chain"]
    assert [row["strike_price"] for row in rows] == STRIKES.tolist()
    for row, side in enumerate(("ce", "pe")):
        for field, name in (("ltp", "last_price"), ("oi", "open_interest"), ("volume", "volume")):
            found = [line[f"{side}_{field}"] for line in rows]
            np.testing.assert_allclose(found, recorded.legs(minute, name)[row], atol=0.005, err_msg=name)


@pytest.mark.gen_test
async def test_seek_begins_an_epoch_of_the_stream_and_playing_on_sends_each_minute(recorded, connect, steer):
    await steer(**PAUSED)
    client = await connect(recorded)
    await client.ask("subscribe_symbol", {"symbol": "NIFTY"})
    before = await client.next("symbol_update")
    told = await steer(action="seek", at=iso(9, LAST))
    update = await client.next("symbol_update")
    while update["epoch"] == before["epoch"]:
        update = await client.next("symbol_update")
    assert (update["kind"], update["epoch"]) == ("snapshot", told["epoch"])
    assert update["spot_price"] == recorded.spot(9)
    await steer(action="resume")
    seen = {}
    while recorded.spot(12) not in seen.values():
        update = await client.next("symbol_update")
        seen[update["as_of"]] = update["spot_price"]
    await steer(**PAUSED)
    assert [recorded.spot(minute) for minute in (10, 11, 12)] == list(dict.fromkeys(seen.values()))[-3:]


@pytest.mark.parametrize(("minute", "phase"), [(24, "open"), (26, "closed")])
@pytest.mark.gen_test
async def test_calendar_follows_the_clock_of_the_recording(recorded, fetch, steer, minute, phase):
    await steer(action="seek", at=iso(minute, 0))
    await steer(**PAUSED)
    answer = await fetch(recorded, "/api/market-status?exchange=NFO")
    assert answer.data["phase"].startswith(phase), answer.data
    assert answer.data["is_open"] is (phase == "open")


@pytest.mark.gen_test
async def test_history_of_a_replay_is_the_day_so_far(recorded, fetch, steer):
    await steer(**PAUSED)
    await steer(action="seek", at=iso(12, LAST))
    path = "/api/historical-data/NIFTY?interval=1m&from=2026-11-25"
    candles = (await fetch(recorded, path)).data["candles"]
    assert [row["close"] for row in candles] == [recorded.spot(minute) for minute in range(13)]


@pytest.mark.gen_test
async def test_instant_outside_the_day_is_refused(recorded, fetch):
    body = json.dumps({"action": "seek", "at": "2026-11-25T15:00+05:30"})
    headers = {"Content-Type": "application/json"}
    refused = await fetch(recorded, "/api/replay", method="POST", body=body, headers=headers)
    assert (refused.status, list(refused.error["details"])) == (400, ["at"])
