"""A market that is stopped or killed and started again: the quote's day is the daily candle, by REST."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from tests.feed.conftest import cluster, postgres_url  # noqa: F401 - fixtures
from tests.handlers.kept_market import at, kept_market
from tests.processes import FEW, ROOT, STOP_S

SYMBOLS = ("NIFTY", "RELIANCE", "CRUDEOIL")
GAPS = {
    "within a minute": ("always", "2026-11-25T10:00", "2026-11-25T10:00:40"),
    "within a session": ("always", "2026-11-25T10:00:50", "2026-11-25T10:31:50"),
    "over a session's end": ("always", "2026-11-25T15:20", "2026-11-25T16:05:30"),
    "over a weekend": ("always", "2026-11-20T11:00", "2026-11-25T11:40"),
    "exchange, within a session": ("exchange", "2026-11-25T10:00", "2026-11-25T10:31:45"),
    "exchange, into the evening": ("exchange", "2026-11-25T14:00", "2026-11-25T21:00"),
    "exchange, in the first minute": ("exchange", "2026-11-25T15:00", "2026-11-26T09:15:20"),
}


async def day_of(server, fetch, symbol):
    """The quote's day and the last daily candle, of one state."""
    while True:
        quote = (await fetch(server, f"/api/spot_price/{symbol}")).data
        candles = (await fetch(server, f"/api/historical-data/{symbol}?interval=1d&per_page=1")).data[
            "candles"
        ]
        if (await fetch(server, f"/api/spot_price/{symbol}")).data["seq"] == quote["seq"]:
            return quote, candles[0]


def assert_same_day(quote, candle):
    assert (quote["open"], quote["high"], quote["low"], quote["volume"]) == tuple(
        candle[name] for name in ("open", "high", "low", "volume")
    )
    assert quote["spot_price"] == candle["close"]


@pytest.fixture(
    params=[*((gap, "sqlite") for gap in GAPS), ("within a session", "postgresql")], ids=" on ".join
)
def restart(request, tmp_path):
    """Hours, start, start of the second run, and a store for both."""
    gap, kind = request.param
    sqlite = f"sqlite:///{tmp_path}/restart.sqlite3"
    return (*GAPS[gap], sqlite if kind == "sqlite" else request.getfixturevalue("postgres_url"))


@pytest.mark.gen_test
async def test_day_of_the_quote_is_the_daily_candle_after_a_restart(make_sandbox, fetch, restart):
    hours, began, again, url = restart
    first = await make_sandbox(parts=kept_market(url, at(began), hours=hours, step_ms=5_000), steps=6)
    left = {symbol: await day_of(first, fetch, symbol) for symbol in SYMBOLS}
    await first.server.history.stop()

    second = await make_sandbox(
        parts=kept_market(url, at(again), hours=hours, seed=4, step_ms=5_000), steps=1
    )
    for _ in range(3):
        for symbol in SYMBOLS:
            quote, candle = await day_of(second, fetch, symbol)
            assert_same_day(quote, candle)
            before_quote, before = left[symbol]
            assert_same_day(before_quote, before)
            if candle["date"] == before["date"]:  # the same trading day: what was before is in it
                assert (quote["open"], quote["previous_close"]) == (
                    before_quote["open"],
                    before_quote["previous_close"],
                )
                assert quote["volume"] >= before_quote["volume"]
                assert quote["high"] >= before_quote["high"]
                assert quote["low"] <= before_quote["low"]
        await second.step(4)
    await second.server.history.stop()


@pytest.mark.gen_test
async def test_day_goes_on_after_a_stop_and_after_a_kill(run_server, connect, fetch, tmp_path):
    """The default server, killed while its past is being filled, started again, stopped and started again."""
    store = f"sqlite:///{tmp_path}/kept.sqlite3"
    options = ("--database-url", store, "--set", "history.flush_interval_s=0.2")

    async def run(updates):
        server = run_server(
            *options, "--set", "history.backfill_days=3", "--set", "history.backfill_sessions=2"
        )
        client = await connect(server)
        await client.ask("subscribe_symbol", {"symbol": "BANKEX"})
        for _ in range(updates):
            await client.next("symbol_update")
        await client.socket.disconnect()
        return server, {symbol: await day_of(server, fetch, symbol) for symbol in ("NIFTY", "BANKEX", "ZINC")}

    killed, first = await run(4)
    killed.popen.kill()
    killed.popen.wait()
    stopped, second = await run(4)
    assert stopped.stop() == 0
    _, third = await run(1)
    for days in (first, second, third):
        for quote, candle in days.values():
            assert_same_day(quote, candle)
    for symbol, (quote, candle) in third.items():
        assert candle["date"] == first[symbol][1]["date"]
        assert quote["open"] == first[symbol][0]["open"]
        assert quote["volume"] >= second[symbol][0]["volume"]


def start_with(url, **environment):
    return subprocess.Popen(
        [sys.executable, "server.py", "--host", "127.0.0.1", "--port", "0", "--database-url", url],
        cwd=ROOT,
        env={**os.environ, **FEW, **environment},  # noqa: TID251 (PATH and the like)
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_database_that_is_away_at_the_start_ends_it_so_that_it_is_tried_again(postgres_url, cluster):  # noqa: F811
    cluster.stop()
    try:
        process = start_with(postgres_url)
        _, told = process.communicate(timeout=STOP_S)
    finally:
        cluster.start()
    assert process.returncode == 75  # EX_TEMPFAIL: not the 2 that the unit never retries
    assert told.startswith("server.py: The history store")
    assert "cannot be reached" in told
    assert "Traceback" not in told


def test_under_a_service_manager_a_database_that_is_away_is_waited_for(postgres_url, cluster, tmp_path):  # noqa: F811
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(STOP_S)
    cluster.stop()
    try:
        process = start_with(postgres_url, NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert b"STATUS=waiting for the history store" in manager.recv(4096)
    finally:
        cluster.start()
    told = b""
    while b"READY=1" not in told:
        told = manager.recv(4096)
    process.terminate()
    _, log = process.communicate(timeout=STOP_S)
    manager.close()
    assert process.returncode == 0
    assert "cannot be reached" in log
    assert "Traceback" not in log
