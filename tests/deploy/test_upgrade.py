"""A store and the settings of an earlier release work with this one.

``tests/data/upgrade`` has a store that 0.1.0 recorded in a minute of 30 November 2026, packed, and its
settings.toml; a release adds its own (docs/releasing.md).
"""

from __future__ import annotations

import json
import lzma
import re
import sqlite3
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.processes import ROOT, spawn

KEPT = ROOT / "tests" / "data" / "upgrade"
RELEASES = sorted(path.name.removeprefix("store-").split(".sqlite3")[0] for path in KEPT.glob("store-*.xz"))


def asked(url: str) -> dict:
    with urlopen(url, timeout=30) as answer:
        return json.load(answer)["data"]


@pytest.fixture(scope="module", params=RELEASES)
def upgraded(request, tmp_path_factory):
    """A server of today on the store and with the settings of a release; and the file as it was."""
    folder = tmp_path_factory.mktemp("upgrade")
    packed = (KEPT / f"store-{request.param}.sqlite3.xz").read_bytes()
    for name in ("before", "store"):
        (folder / f"{name}.sqlite3").write_bytes(lzma.decompress(packed))
    process = spawn(
        folder / "log",
        *("--settings", str(KEPT / f"settings-{request.param}.toml")),
        *("--database-url", f"sqlite:///{folder}/store.sqlite3"),
        # the file grows older than what is kept
        *("--set", "history.chains_days=0", "--set", "history.minute_candles_days=0"),
        *("--set", "limits.rate_limit_per_minute=0"),
    )
    yield process, sqlite3.connect(folder / "before.sqlite3")
    assert process.end() == 0
    assert "Traceback" not in (folder / "log").read_text()


def test_days_of_an_earlier_release_are_answered_as_it_kept_them(upgraded):
    process, before = upgraded
    (symbol,) = before.execute("select id from symbols where name = 'BANKNIFTY'").fetchone()
    kept = before.execute(
        "select day, open, high, low, close from day_candles where symbol_id = ? order by day", (symbol,)
    ).fetchall()[:-1]  # the last one was still forming
    assert len(kept) >= 20
    rows = asked(
        f"{process.url}/api/historical-data/BANKNIFTY?interval=1d&per_page=1000&adjusted=false"
        f"&from=2026-01-01&to=2026-12-31"
    )["candles"]
    prices = {(row["open"], row["high"], row["low"], row["close"]) for row in rows}
    assert {tuple(values) for _, *values in kept} <= prices


def test_chains_of_an_earlier_release_are_answered_as_of_their_time(upgraded):
    process, _ = upgraded
    at = quote("2026-11-30T12:01:30Z")
    chain = asked(f"{process.url}/api/option_chain?symbol=NIFTY&at={at}")
    assert chain["as_of"].startswith("2026-11-30T12:0")
    assert len(chain["option_chain"]) > 50
    assert all(row["ce_oi"] is not None for row in chain["option_chain"])


def test_server_serves_and_records_on(upgraded):
    process, _ = upgraded
    health = asked(f"{process.url}/health")
    assert health["parts"]["history"]["status"] == "ok"
    assert asked(f"{process.url}/api/spot_price/NIFTY")["spot_price"] > 0


def test_releases_that_were_made_have_their_store_here():
    described = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert set(described) <= set(RELEASES), "make upgrade-store keeps one of a release (docs/releasing.md)"
    assert RELEASES
