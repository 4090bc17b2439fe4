"""Feeds, edges and a Redis as processes: who dies, hangs or is cut off, and what clients see of it."""

from __future__ import annotations

import asyncio
import signal

import pytest

from feed.history.store.database import Database, read_meta
from feed.relay.bus import RecordId
from tests.chaos.followers import Follower
from tests.redis_server import RedisServer, free_port
from tests.relay.cluster import Cluster, leads, serves, stands_by

PATH = "/api/option_chain?symbol=NIFTY"


@pytest.fixture
def cluster(tmp_path, redis_server):
    made = Cluster(tmp_path, redis_server)
    yield made
    made.end()


async def same_chain(one, other, tries=60):
    """Assert that two answer the same of one state."""
    for _ in range(tries):
        mine, theirs = await asyncio.gather(one.get(PATH), other.get(PATH))
        if (mine["epoch"], mine["seq"]) == (theirs["epoch"], theirs["seq"]):
            assert mine == theirs
            return
        await asyncio.sleep(0.07)
    raise AssertionError(f"{mine['epoch']}:{mine['seq']} and {theirs['epoch']}:{theirs['seq']}")


async def minutes(member):
    """The closed minutes of NIFTY."""
    answer = await member.get("/api/historical-data/NIFTY?interval=1m&per_page=5")
    return [candle for candle in answer["candles"] if candle["closed"]]


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_standby_leads_after_a_kill_and_no_client_notices_more_than_a_snapshot(cluster):
    first = await cluster.lead("f1")
    standby = cluster.run("f2", "feed")
    edge = await cluster.edge("e1")
    await cluster.until(lambda: stands_by(standby))
    client = Follower(edge.url, "NIFTY")
    await client.until(lambda it: it.state.state is not None and len(it.recent) > 2)
    spot = client.state.state["spot_price"]
    first.kill()
    await cluster.until(lambda: leads(standby))
    await client.until(lambda it: len(it.epochs) == 2)
    assert client.troubles == []
    assert abs(client.state.state["spot_price"] / spot - 1) < 0.002  # it goes on from the prices there were
    await same_chain(standby, edge)
    await cluster.until(lambda: serves(edge))
    assert await minutes(standby) == await minutes(edge)
    assert client.epochs[0].rpartition("-t")[2] < client.epochs[1].rpartition("-t")[2]
    await client.stop()
    assert cluster.tracebacks() == ""


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_feed_that_hung_is_fenced_off_bus_and_store_and_stands_by(cluster, postgres):
    """Over PostgreSQL, whose session is ended in the middle of writing; a SQLite file would stay locked."""
    cluster.store = postgres.create("hung")
    first = await cluster.lead("f1")
    standby = cluster.run("f2", "feed")
    await cluster.until(lambda: stands_by(standby))
    edge = await cluster.edge("e1")
    first.signal(signal.SIGSTOP)
    await cluster.until(lambda: leads(standby))
    term = (await standby.relay())["term"]
    first.signal(signal.SIGCONT)
    await cluster.until(lambda: stands_by(first))
    assert await leads(standby)
    assert (await standby.relay())["term"] == term
    await same_chain(standby, edge)
    assert (await edge.relay())["term"] == term
    await cluster.until(lambda: is_term_of_store(cluster, term))
    # and back again: who was replaced is as good a standby as any
    standby.kill()
    await cluster.until(lambda: leads(first))
    await same_chain(first, edge)
    assert cluster.tracebacks() == ""


async def is_term_of_store(cluster, term):
    store = Database(cluster.store, readers=1)
    try:
        with store.reading() as connection:
            return read_meta(connection, "term") == str(term)
    finally:
        store.close()


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_feed_that_is_stopped_hands_over_at_once(cluster):
    first = await cluster.lead("f1", "--set", "relay.lease_ms=60000")
    standby = cluster.run("f2", "feed")
    await cluster.until(lambda: stands_by(standby))
    standby.signal(signal.SIGHUP)
    await cluster.until(lambda: stands_by(standby))
    first.signal(signal.SIGTERM)
    await cluster.until(lambda: leads(standby), 20)  # far below a minute
    assert first.popen.wait(20) == 0


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_redis_that_is_restarted_loses_nobody(cluster):
    feed, edge = await cluster.lead(), await cluster.edge("e1")
    client = Follower(edge.url, "NIFTY")
    await client.until(lambda it: len(it.recent) > 2)
    cluster.redis.stop()
    await cluster.until(lambda: is_degraded(feed))
    await cluster.until(lambda: is_degraded(edge))
    cluster.redis.start()
    await cluster.until(lambda: leads(feed))
    await same_chain(feed, edge)
    seq = client.state.position[1]
    await client.until(lambda it: it.state.position[1] > seq)
    assert client.troubles == []
    cluster.redis.say("flushall")
    await asyncio.sleep(0)
    await cluster.until(lambda: leads(feed))
    await same_chain(feed, edge, tries=200)
    assert client.troubles == []
    await client.stop()
    assert cluster.tracebacks() == ""


async def is_degraded(member):
    return (await member.relay()).get("status") == "degraded"


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_full_redis_is_told_and_left_behind(cluster):
    feed, edge = await cluster.lead(), await cluster.edge("e1")
    cluster.redis.say("config", "set", "maxmemory", "100kb")
    await cluster.until(lambda: is_degraded(feed))
    assert "maxmemory" in (await feed.relay())["reason"]
    assert (await feed.health())["parts"]["history"]["status"] == "ok"
    await cluster.until(lambda: is_degraded(edge))
    cluster.redis.say("config", "set", "maxmemory", "0")
    await cluster.until(lambda: serves(edge))
    await same_chain(feed, edge)
    assert cluster.tracebacks() == ""


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_edge_that_was_stopped_for_longer_than_the_stream_is_answers_right_at_once(cluster):
    feed = await cluster.lead("f1", "--set", "relay.keep=12", "--publish-interval-ms", "100")
    edge = await cluster.edge("e1")
    edge.signal(signal.SIGSTOP)
    at = (await feed.relay())["term"]
    newest = "return redis.call('XINFO', 'STREAM', KEYS[1])[8]"
    gone = cluster.redis.say("eval", newest, "1", "md:{main}:cycles")
    await cluster.until(lambda: is_trimmed(cluster, gone))
    edge.signal(signal.SIGCONT)
    await same_chain(feed, edge, tries=200)
    relay = await edge.relay()
    assert (relay["term"], relay["gaps"]) == (at, 1)


async def is_trimmed(cluster, record):
    first = cluster.redis.say("xrange", "md:{main}:cycles", "-", "+", "COUNT", "1").split()[0]
    missed = RecordId.parse(record)
    return RecordId.parse(first) > RecordId(missed.term, missed.cycle + 5)


@pytest.fixture
def replica(tmp_path):
    """A second Redis."""
    (tmp_path / "replica").mkdir()
    server = RedisServer(tmp_path / "replica").start()
    yield server
    server.stop()


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_replica_that_was_promoted_without_the_last_records_is_gone_on_with(cluster, replica):
    """A forwarder stands for what moves an address from one Redis to the other."""
    replica.say("replicaof", "127.0.0.1", str(cluster.redis.port))
    async with Forwarder(cluster.redis.port) as address:
        cluster.redis_url = f"redis://127.0.0.1:{address.port}/0"
        feed = cluster.run("f1", "feed", url=cluster.redis_url)
        await cluster.until(lambda: leads(feed))
        edge = cluster.run("e1", "edge", url=cluster.redis_url)
        await cluster.until(lambda: serves(edge))
        await cluster.until(lambda: has_records(replica))
        replica.say("replicaof", "127.0.0.1", "1")  # from here on it misses what comes
        last = replica.say("xlen", "md:{main}:cycles")
        await asyncio.sleep(1)
        cluster.redis.stop()
        replica.say("replicaof", "no", "one")
        await address.move(replica.port)
        await cluster.until(lambda: leads(feed))
        await cluster.until(lambda: serves(edge))
        await same_chain(feed, edge, tries=200)
        assert int(replica.say("xlen", "md:{main}:cycles")) >= min(int(last), 12)
    assert cluster.tracebacks() == ""


async def has_records(redis):
    told = redis.say("xlen", "md:{main}:cycles")
    return told.isdigit() and int(told) > 2  # else it says that it is loading what it replicates


class Forwarder:
    """A port that passes on to another one, which can be changed: those who were connected are cut off."""

    def __init__(self, to):
        self.port, self._to = free_port(), to
        self._writers = set()

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self._server.close()
        for writer in self._writers:
            writer.close()

    async def move(self, to):
        self._to = to
        for writer in list(self._writers):
            writer.transport.abort()

    async def _pass_on(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}

        async def pump(source, sink):
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            finally:
                sink.close()
                self._writers.discard(sink)

        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


@pytest.mark.gen_test(timeout=100)
@pytest.mark.timeout(110)
async def test_client_finds_its_place_at_another_edge(cluster):
    await cluster.lead()
    one, other = await cluster.edge("e1"), await cluster.edge("e2")
    neighbour = Follower(other.url, "NIFTY")  # that chain is followed there too
    client = Follower(one.url, "NIFTY")
    await client.until(lambda it: len(it.recent) > 2)
    await neighbour.until(lambda it: len(it.recent) > 2)
    client.url = other.url
    one.kill()
    await client.until(lambda it: it.counts["recovered"] + it.counts["snapshots"] > 0)
    assert client.counts["recovered"] == 1
    await client.until(lambda it: len(it.recent) > 6)
    assert client.troubles == []
    assert len(client.epochs) == 1
    await client.stop()
    await neighbour.stop()


OF_THE_PAST = (
    "/api/historical-data/NIFTY?interval=1m&per_page=20",
    "/api/historical-data/RELIANCE?interval=1d&per_page=20",
    "/api/ohlc_data/GOLD",
    "/api/dashboard-history/NIFTY",
)


@pytest.mark.gen_test(timeout=140)
@pytest.mark.timeout(150)
async def test_edge_reads_the_past_out_of_the_feeds_postgresql(tmp_path, redis_server, postgres):
    cluster = Cluster(tmp_path, redis_server, postgres.create("relay"))
    try:
        feed = await cluster.lead()
        standby = cluster.run("f2", "feed")
        edge = await cluster.edge("e1")
        await cluster.until(lambda: stands_by(standby))
        for path in OF_THE_PAST:
            await cluster.until(lambda path=path: same_past(feed, edge, path))
        feed.kill()
        await cluster.until(lambda: leads(standby))
        await same_chain(standby, edge, tries=200)
        for path in OF_THE_PAST:
            await cluster.until(lambda path=path: same_past(standby, edge, path))
        assert cluster.tracebacks() == ""
    finally:
        cluster.end()


async def same_past(one, other, path):
    """Whether two answer the same, but for the instant up to which they do."""
    mine, theirs = await asyncio.gather(one.get(path), other.get(path))
    for answer in (mine, theirs):
        answer.pop("to", None)
    return mine == theirs
