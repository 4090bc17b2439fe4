"""What befalls a store while a server runs on it: health says so, nothing leaks, and serving goes on."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from feed.history.history import HistoryError
from handlers.access.errors import describe

PATIENCE_S = 30.0
LIVE = (
    "/api/spot_price/NIFTY",
    "/api/option_chain?symbol=NIFTY&strikes=5",
    "/api/dashboard_data?symbol=NIFTY",
)
SMALL_PAST = ("--set", "history.backfill_days=30", "--set", "history.backfill_sessions=3")
PAGE_BYTES = 8192
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")


def days_ago(days):
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


async def until_degraded(fetch, process):
    """The history part of /health, once it says that something is wrong."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        answer = await fetch(process, "/health")
        part = answer.data["parts"]["history"]
        if part["status"] == "degraded":
            return part
        assert time.monotonic() < end_s, part
        await asyncio.sleep(0.1)


async def until_written(fetch, process):
    """Wait until all that was recorded is in the store, nothing lost; /health is slower to say so."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        figures = (await fetch(process, "/metrics")).raw.decode().splitlines()
        if {"market_history_healthy 1.0", "market_history_queue_length 0.0"} <= set(figures):
            assert "market_history_dropped_batches_total 0.0" in figures
            return
        assert time.monotonic() < end_s, [line for line in figures if line.startswith("market_history")]
        await asyncio.sleep(0.1)


async def assert_live_data_is_served(fetch, connect, process):
    for path in LIVE:
        assert (await fetch(process, path)).status == 200, path
    client = await connect(process)
    await client.ask("subscribe_option_chain", {"symbol": "NIFTY", "strikes": 5})
    assert (await client.next("option_chain_data"))["symbol"] == "NIFTY"
    await client.next("option_chain_delta")
    await client.socket.disconnect()  # or a server that stops would wait for it


async def filled(fetch, run_server, url):
    """A server whose past is all in the store."""
    process = run_server("--database-url", url, *SMALL_PAST, "--set", "history.flush_interval_s=1")
    for symbol in ("NIFTY", "RELIANCE"):  # whoever asks waits until it is there
        await fetch(process, f"/api/historical-data/{symbol}?interval=1m&from={days_ago(7)}")
    await until_written(fetch, process)
    return process


@pytest.fixture
def small_disk(tmp_path):
    """A file system too small for the past of all symbols."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def give_room(disk):
    subprocess.run(["mount", "-o", "remount,size=500m", str(disk)], check=True)


@is_root
@pytest.mark.gen_test
async def test_full_disk(small_disk, run_server, fetch, connect):
    process = run_server("--database-url", f"sqlite:///{small_disk}/history.sqlite3")
    part = await until_degraded(fetch, process)
    assert part["reason"] == "The history store cannot grow: its disk is full."
    assert (await fetch(process, "/health")).data["status"] == "degraded"
    await assert_live_data_is_served(fetch, connect, process)
    for path in (f"/api/historical-data/NIFTY?interval=1m&from={days_ago(0)}", "/api/ohlc_data/NIFTY"):
        assert (await fetch(process, path)).status == 200, path
    await asyncio.to_thread(give_room, small_disk)
    await until_written(fetch, process)
    assert await asyncio.to_thread(process.stop) == 0
    log = process.log.read_text()
    assert f"The history store {small_disk}/history.sqlite3 cannot grow" in log  # the operator is told where
    assert "history is written again" in log


@pytest.mark.gen_test
async def test_file_that_may_not_grow(tmp_path, run_server, fetch, connect):
    process = run_server("--database-url", f"sqlite:///{tmp_path}/history.sqlite3")
    allow_files_of(process, 1_000_000)  # as a quota, which anybody may set
    part = await until_degraded(fetch, process)
    assert "its disk" in part["reason"]
    await assert_live_data_is_served(fetch, connect, process)
    assert (await fetch(process, f"/api/historical-data/NIFTY?interval=1m&from={days_ago(0)}")).status == 200
    allow_files_of(process, resource.RLIM_INFINITY)
    await until_written(fetch, process)
    assert await asyncio.to_thread(process.stop) == 0
    with closing(sqlite3.connect(tmp_path / "history.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def allow_files_of(process, size_bytes):
    limits = (size_bytes, resource.RLIM_INFINITY)
    resource.prlimit(process.popen.pid, resource.RLIMIT_FSIZE, limits)


@pytest.mark.gen_test
async def test_stalled_disk(tmp_path, run_server, fetch, connect):
    path = tmp_path / "history.sqlite3"
    process = await filled(fetch, run_server, f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        part = await until_degraded(fetch, process)
        assert part["reason"] == "The history store is held by another program."
        assert part["dropped"] == 0
        await assert_live_data_is_served(fetch, connect, process)
        past = f"/api/historical-data/NIFTY?interval=1m&from={days_ago(7)}"
        assert (await fetch(process, past)).data["candles"]
        holder.execute("ROLLBACK")
    await until_written(fetch, process)


@pytest.mark.gen_test
async def test_file_that_is_damaged_meanwhile(tmp_path, run_server, fetch, connect):
    path = tmp_path / "history.sqlite3"
    process = await filled(fetch, run_server, f"sqlite:///{path}")
    scribble(path, "minute_blocks")
    past = f"/api/historical-data/NIFTY?interval=1m&from={days_ago(7)}"
    refused = await fetch(process, past)
    assert (refused.status, refused.error["code"]) == (503, "FEED_UNAVAILABLE")
    assert refused.body["message"] == "History cannot be read at the moment; live data is served on."
    assert int(refused.headers["Retry-After"]) > 0
    part = await until_degraded(fetch, process)
    assert part["reason"].startswith("The history store is damaged: move its file away")
    told = refused.raw + (await fetch(process, "/health")).raw + (await fetch(process, "/metrics")).raw
    assert str(tmp_path).encode() not in told
    await assert_live_data_is_served(fetch, connect, process)
    assert (await fetch(process, f"/api/historical-data/NIFTY?interval=1m&from={days_ago(0)}")).status == 200
    assert await asyncio.to_thread(process.stop) == 0
    assert f"The history store {path} is damaged" in process.log.read_text()


def scribble(path, table):
    """Write over all pages of a table, as a failing disk may."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        query = "SELECT pageno FROM dbstat WHERE name = ?"
        try:
            pages = [page for (page,) in connection.execute(query, (table,))]
        except sqlite3.OperationalError:  # built without dbstat: the root alone
            query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
            pages = [page for (page,) in connection.execute(query, (table,))]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE_BYTES)
            file.write(b"\xa5" * PAGE_BYTES)


@pytest.mark.gen_test
async def test_second_server_on_the_same_file(tmp_path, run_server, fetch, connect):
    url = f"sqlite:///{tmp_path}/history.sqlite3"
    process = run_server("--database-url", url, *SMALL_PAST)
    with pytest.raises(AssertionError, match="no banner") as refused:
        await asyncio.to_thread(run_server, "--database-url", url)
    assert "Another server records into the history store" in str(refused.value)
    assert "Traceback" not in str(refused.value)
    await assert_live_data_is_served(fetch, connect, process)
    await until_written(fetch, process)


def test_failure_to_read_is_told_without_the_place_of_the_store():
    told = describe(HistoryError("The history store /srv/market/history.sqlite3 is damaged."))
    assert (told.status, told.code) == (503, "FEED_UNAVAILABLE")
    assert told.retry_after_s
    assert "/srv" not in told.message + str(told.details)


def other_content(path):
    path.write_bytes(b"not a database at all" * 500)


def newer(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        connection.execute("INSERT INTO meta VALUES ('schema_version', '99')")
        connection.commit()


def read_only(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
    for options in ("bind", "remount,bind,ro"):
        subprocess.run(["mount", "-o", options, str(path), str(path)], check=True)


@pytest.mark.parametrize(
    ("befall", "sentence"),
    [
        (other_content, "is no SQLite file: move it away"),
        (newer, "has schema version 99, this server knows up to"),
        pytest.param(read_only, "is read-only: make its file and folder writable", marks=is_root),
    ],
)
def test_store_that_cannot_be_used_stops_the_start_with_a_sentence(tmp_path, run_server, befall, sentence):
    path = tmp_path / "store.sqlite3"
    befall(path)
    before = path.read_bytes()[100:]  # after the header, which counts openings
    with pytest.raises(AssertionError, match="no banner") as refused:
        run_server("--database-url", f"sqlite:///{path}")
    assert path.read_bytes()[100:] == before
    if befall is read_only:
        subprocess.run(["umount", "-l", str(path)], check=True)
    (told,) = [line for line in str(refused.value).splitlines() if "server.py: " in line]
    assert f"The history store {path} {sentence}" in told
    assert "Traceback" not in str(refused.value)
