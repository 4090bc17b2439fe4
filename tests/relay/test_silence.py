"""What an edge says when records stay away, do not follow, or are none: never an old price as a new one."""

from __future__ import annotations

import asyncio
import json

import pytest

from feed.relay.bus import RecordId
from feed.relay.codec import WIRE
from feed.relay.facts import facts_of
from tests.chaos.followers import Follower
from tests.relay.pair import asked, wait_until
from tests.relay.test_same_answers import same_answers, wait_for_image


async def health(edge):
    return json.loads(await asked(edge.url, "/health"))["data"]


@pytest.mark.gen_test
async def test_silence_is_told_then_everything_is_stale_in_an_epoch_of_the_edge_alone(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    epoch, seq = edge.server.market.epoch, edge.server.market.symbol_seq("NIFTY")
    await edge.pass_silence(1.9)
    assert edge.server.ticker.state.name == "live"
    await edge.pass_silence(0.2)
    assert edge.server.ticker.state.name == "degraded"
    assert "Nothing came over the bus" in (await health(edge))["parts"]["relay"]["reason"]
    assert edge.server.market.epoch == epoch
    assert not edge.server.market.quote("NIFTY").provenance.stale
    await edge.pass_silence(13)
    quote = edge.server.market.quote("NIFTY").provenance
    assert quote.stale
    assert quote.epoch.startswith(f"{epoch}+cut-")
    assert edge.server.ticker.state.name == "stalled"
    assert (await health(edge))["parts"]["feed"]["state"] == "stalled"
    again = quote.epoch
    await edge.pass_silence(5)
    assert edge.server.market.epoch == again  # one for each silence, not one a second
    await pair.step()
    back = edge.server.market.quote("NIFTY").provenance
    assert (back.epoch, back.stale) == (epoch, False)
    assert back.seq >= seq
    assert edge.server.ticker.state.name == "live"
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_minute_that_ends_in_silence_makes_no_candle_of_what_is_not_known(make_pair):
    pair = await make_pair(feed={"start": "2026-11-23T10:00:00+05:30"})
    await pair.step(110)
    edge = await pair.join()
    await edge.pass_silence(3)
    await edge.pass_silence(10)
    minutes = edge.server.history.recorder.minutes("NIFTY", 0, 1 << 53)
    await pair.step(20)
    await same_answers(pair, edge)
    assert len(edge.server.history.recorder.minutes("NIFTY", 0, 1 << 53)) == len(minutes) + 1


@pytest.mark.gen_test
async def test_gap_within_an_epoch_costs_a_client_one_merged_delta(make_pair):
    pair = await make_pair(relay={"image_every": 2})
    edge = await pair.join()
    client = Follower(edge.url, "NIFTY")
    await client.until(lambda it: it.state.state is not None)
    await pair.step(3)
    listing = edge.server.market.universe.listing("NIFTY")
    assert edge.follower.at is not None
    edge.follower.at = RecordId(edge.follower.at.term, edge.follower.at.cycle - 1)  # as if one were missed
    edge.follower.miss("missing")
    before = edge.server.market.chain_seq(listing)
    await pair.feed.step(2)
    await wait_for_image(pair, edge)
    seq = edge.server.market.chain_seq(listing)
    assert seq > before + 1
    await client.until(lambda it: it.state.position[1] == seq)
    assert (client.counts["option_chain_data"], client.troubles) == (1, [])
    truth = json.loads(await asked(edge.url, "/api/option_chain?symbol=NIFTY&strikes=5"))["data"]
    assert client.state.state == truth
    assert edge.follower.gaps["missing"] == 1
    await client.stop()


@pytest.mark.gen_test
@pytest.mark.parametrize("spoil", ["flipped", "cut", "nonsense"])
async def test_damaged_record_is_a_gap_and_an_image_mends_it(make_pair, spoil):
    pair = await make_pair(relay={"image_every": 2})
    edge = await pair.join()
    append = pair.bus.append

    async def damage(at, record):
        flipped = record[:50] + bytes([record[50] ^ 4]) + record[51:]
        await append(at, {"flipped": flipped, "cut": record[:60], "nonsense": b""}[spoil])

    pair.bus.append = damage
    await pair.step()
    pair.bus.append = append
    await wait_for_image(pair, edge)
    assert edge.follower.gaps["damaged"] == 1
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_feed_of_another_version_is_named_and_nothing_of_it_is_shown(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    append = pair.bus.append

    async def newer(at, record):
        await append(at, bytes([WIRE + 1]) + record[1:])

    pair.bus.append = newer
    await pair.step()
    await wait_until(lambda: edge.follower.problem is not None)
    assert edge.follower.problem.kind == "protocol"
    await edge.pass_silence(16)
    assert edge.server.market.quote("NIFTY").provenance.stale
    parts = (await health(edge))["parts"]
    assert "The feed records" in parts["history"]["reason"]
    relay = parts["relay"]
    assert (relay["status"], relay["gaps"]) == ("degraded", 1)
    assert f"version {WIRE + 1} of the wire" in relay["reason"]


@pytest.mark.gen_test
async def test_edge_that_has_another_calendar_says_which_file_differs(make_pair, caplog):
    pair = await make_pair()
    pair.publisher.facts = facts_of(pair.feed.server.market, "tests/data/made_up_minutes_20260305.csv")
    pair.publisher.wants_image = True
    await pair.step()
    edge = await pair.join()
    assert (await health(edge))["parts"]["relay"]["reason"] == (
        "Feed and edge differ in the file of feed.calendar_override."
    )
    assert "feed.calendar_override" in caplog.text


@pytest.mark.gen_test
async def test_lost_answer_of_the_bus_doubles_nothing(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    pair.bus.loses_answers = 1
    await pair.step()
    assert not pair.publisher.is_leading
    assert "answer" in pair.publisher.problem
    pair.publisher.begin_again()
    await pair.step(3)
    ids = [at for at, _ in pair.bus.records]
    assert ids == sorted(set(ids))
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_full_bus_stops_nothing_at_the_feed_and_begins_with_an_image(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    pair.bus.is_full = True
    await pair.step(3)
    report = pair.feed.server.services.health.report().parts["relay"]
    assert report.status == "degraded"
    assert "full" in report.reason
    assert pair.publisher.dropped >= 2
    assert pair.feed.server.ticker.state.name == "live"
    pair.bus.is_full = False
    pair.publisher.begin_again()
    await pair.step(2)
    assert edge.follower.gaps.total() == 0  # an image needs nothing before it
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_bus_that_lost_everything_is_led_anew(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    term = pair.publisher.term
    pair.bus.lose_everything()
    await pair.feed.step()
    await wait_until(lambda: not pair.publisher.is_leading)
    assert await pair.publisher.leadership.renew(anew=True)
    pair.publisher.begin_again()
    await pair.step(3)
    await wait_for_image(pair, edge)
    assert pair.publisher.term > term
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_feed_that_was_replaced_publishes_nothing_and_steps_down(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    pair.bus.now_ms += 10_000
    term = await pair.bus.lease("another", 3000)
    await pair.bus.append(RecordId(term, 1), b"of another")
    at = edge.follower.at
    await pair.step(2)
    assert pair.publisher.deposed.is_set()
    assert pair.bus.records[-1] == (RecordId(term, 1), b"of another")
    assert edge.follower.at == at


@pytest.mark.gen_test
async def test_edge_that_nobody_reads_for_too_long_goes_on_from_an_image(make_pair):
    pair = await make_pair(relay={"image_every": 2})
    edge = await pair.join()
    pair.edges.clear()  # its ticker is stuck
    for _ in range(150):
        await pair.step(2)
        if edge.follower.gaps["behind"]:
            break
    assert edge.follower.gaps["behind"] == 1
    assert len(edge.follower.received) < 256
    pair.edges.append(edge)
    await wait_for_image(pair, edge)
    await same_answers(pair, edge)


@pytest.mark.gen_test
async def test_clock_of_an_edge_is_that_of_the_records(make_pair):
    pair = await make_pair()
    edge = await pair.join()
    await pair.step(5)
    assert edge.server.clock.now_ms() == pair.feed.server.clock.now_ms()
    assert edge.server.clock.virtual is None


@pytest.mark.gen_test
async def test_first_image_is_waited_for(make_pair):
    pair = await make_pair()
    pair.bus.images.pop("image")
    joining = asyncio.ensure_future(pair.join())
    await asyncio.sleep(0)
    pair.publisher.wants_image = True
    await pair.step(2)
    edge = await joining
    await pair.settle()
    await same_answers(pair, edge)
