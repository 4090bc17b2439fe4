"""The bus over a real Redis, and the one in memory that other tests use: the same rules."""

from __future__ import annotations

import asyncio

import pytest

from feed.relay.bus import BusError, BusFull, Fenced, NoRedis, RecordId, RedisBus, StreamLost
from tests.feed.relay.memory_bus import MemoryBus


@pytest.fixture(params=["redis", "memory"])
def bus(request, io_loop):
    """A bus that nobody has used."""
    if request.param == "memory":
        yield MemoryBus()
        return
    server = request.getfixturevalue("redis_server")
    bus = RedisBus(server.url, "test", keep=50)
    yield bus
    io_loop.run_sync(bus.close)


def at(term, cycle):
    return RecordId(term, cycle)


@pytest.mark.gen_test
async def test_records_come_in_order_from_any_place(bus):
    for cycle in range(1, 6):
        await bus.append(at(7, cycle), b"record %d" % cycle)
    found = await bus.read(at(7, 2), 100)
    assert found == [(at(7, cycle), b"record %d" % cycle) for cycle in (3, 4, 5)]


@pytest.mark.gen_test
async def test_reader_waits_for_the_next_record(bus):
    await bus.append(at(7, 1), b"first")
    reading = asyncio.create_task(bus.read(at(7, 1), 1000))
    await asyncio.sleep(0)
    await bus.append(at(7, 2), b"second")
    assert await reading == [(at(7, 2), b"second")]


@pytest.mark.gen_test
async def test_record_that_is_sent_again_stands_there_once(bus):
    await bus.append(at(7, 1), b"first")
    await bus.append(at(7, 2), b"second")
    await bus.append(at(7, 2), b"second")
    assert [found for found, _ in await bus.read(at(0, 0), 100)] == [at(7, 1), at(7, 2)]


@pytest.mark.gen_test
async def test_leader_of_an_older_term_is_fenced(bus):
    await bus.append(at(7, 1), b"old")
    await bus.append(at(8, 1), b"new")
    with pytest.raises(Fenced, match="8-1"):
        await bus.append(at(7, 2), b"old")
    assert len(await bus.read(at(0, 0), 100)) == 2


@pytest.mark.gen_test
async def test_image_is_kept_with_the_record_it_is_of(bus):
    assert await bus.image("image") is None
    await bus.put_image("image", at(7, 3), b"one\ntwo\0three")
    await bus.put_image("image", at(7, 4), b"\n")
    assert await bus.image("image") == (at(7, 4), b"\n")


@pytest.mark.gen_test
async def test_lease_is_held_by_one_extended_and_given_back(bus):
    term = await bus.lease("one", 60_000)
    assert term > 0
    assert await bus.lease("one", 60_000) == term
    assert await bus.lease("two", 60_000) is None
    another = await bus.lease("one", 60_000, anew=True)
    assert another > term
    assert await bus.lease("two", 0) is None  # it is not two's to give back
    assert await bus.lease("two", 60_000) is None
    assert await bus.lease("one", 0) is None
    assert await bus.lease("two", 60_000) > another


@pytest.mark.gen_test
async def test_term_is_greater_than_any_that_the_stream_has(bus):
    far = 9_999_999_999_999
    await bus.append(at(far, 1), b"of a clock that was ahead")
    assert await bus.lease("one", 60_000) == far + 1


@pytest.mark.gen_test
async def test_stream_that_is_gone_is_told(redis_server):
    bus = RedisBus(redis_server.url, "test", keep=50)
    await bus.append(at(7, 1), b"first")
    redis_server.say("flushall")
    with pytest.raises(StreamLost):
        await bus.append(at(7, 2), b"second")
    await bus.append(at(8, 1), b"of another term")
    await bus.close()


@pytest.mark.gen_test
async def test_full_bus_says_so_and_takes_records_again(redis_server):
    bus = RedisBus(redis_server.url, "test", keep=50)
    await bus.append(at(7, 1), b"first")
    redis_server.say("config", "set", "maxmemory", "100kb")
    with pytest.raises(BusFull, match="maxmemory"):
        await bus.append(at(7, 2), b"second")
    with pytest.raises(BusFull):
        await bus.put_image("image", at(7, 1), b"")
    redis_server.say("config", "set", "maxmemory", "0")
    await bus.append(at(7, 2), b"second")
    await bus.close()


@pytest.mark.gen_test
async def test_stream_keeps_as_many_as_are_asked_for(redis_server):
    bus = RedisBus(redis_server.url, "test", keep=10)
    for cycle in range(1, 101):
        await bus.append(at(7, cycle), bytes(5000))
    assert 10 <= int(redis_server.say("xlen", "md:{test}:cycles")) <= 20
    await bus.close()


@pytest.mark.gen_test
async def test_bus_that_is_away_or_a_replica_is_a_sentence_without_an_address(redis_server):
    bus = RedisBus(redis_server.url, "test", keep=50)
    redis_server.say("replicaof", "127.0.0.1", "1")
    with pytest.raises(BusError, match="replica"):
        await bus.append(at(7, 1), b"first")
    redis_server.stop()
    with pytest.raises(BusError, match="cannot be reached") as caught:
        await bus.append(at(7, 1), b"first")
    assert "127.0.0.1" not in str(caught.value)
    with pytest.raises(BusError):
        await bus.read(at(0, 0), 100)
    with pytest.raises(BusError):
        await bus.lease("one", 1000)
    await bus.close()


@pytest.mark.gen_test
async def test_wrong_password_is_told_without_it(redis_server):
    redis_server.say("config", "set", "requirepass", "right")
    bus = RedisBus(redis_server.url.replace("//", "//:wrong-one@"), "test", keep=50)
    with pytest.raises(BusError, match=r"password of relay\.url") as caught:
        await bus.append(at(7, 1), b"first")
    assert "wrong-one" not in str(caught.value)
    await bus.close()


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "redis.asyncio", None)
    with pytest.raises(NoRedis, match="pip install"):
        RedisBus("redis://localhost", "test", keep=50)
