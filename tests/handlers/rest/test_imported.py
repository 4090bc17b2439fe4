"""What was imported, as a server answers it: candles with what they are made of, chains without a spot."""

from __future__ import annotations

import json
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from feed.recordings.reading import Options
from schemas.chains import ChainSchema
from schemas.dashboard import DashboardSchema
from schemas.past import OpenInterestHistorySchema
from schemas.reference import CandlesSchema
from tests.feed.recordings.test_chain_files import CONTRACTS, LEGACY, contracts, legacy_lines
from tests.feed.transfer.support import bars, clocks, rows, store_of
from tests.handlers.shapes import problems, strict_json
from tests.processes import spawn


class Asked:
    """A server that is asked over HTTP."""

    def __init__(self, process):
        self.process = process

    def get(self, path):
        with urlopen(self.process.url + path, timeout=30) as answer:
            return strict_json(answer.read())["data"]


def served(folder, *arguments):
    """A server that ends without a traceback."""
    process = spawn(folder / "log", *arguments)
    yield Asked(process)
    assert process.stop() == 0
    process.popen.stdout.close()
    assert "Traceback" not in process.log.read_text()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imported")
    files = {
        "NIFTY 50_5minute.csv": rows(*bars("2026-06-02", clocks("09:15", 5, 75))),
        "RELIANCE_day.csv": rows("2026-06-02,100,110,90,105,1000", "2026-06-03,105,110,90,106,1001"),
        "RELIANCE_minute.csv": rows(*bars("2026-06-02", clocks("09:15", 1, 40))),
        "fo03APR2024bhav.csv": rows(*legacy_lines(), header=LEGACY),
        "chain.csv": rows(*contracts(spot=""), header=CONTRACTS),
    }
    with store_of(folder) as store:
        for name, content in files.items():
            (folder / name).write_text(content)
            assert store.import_file(folder / name, Options())[0].exit_code == 0
    keep = [f"history.{name}=0" for name in ("chains_days", "metrics_days", "minute_candles_days")]
    options = [
        part
        for kept in (*keep, "history.backfill_days=1", "history.backfill_sessions=1")
        for part in ("--set", kept)
    ]
    yield from served(folder, "--database-url", f"sqlite:///{folder}/store.db", *options)


def candles(server, symbol, interval, start, end):
    data = server.get(
        f"/api/historical-data/{symbol}?interval={interval}&from={quote(start)}&to={quote(end)}"
    )
    assert problems(CandlesSchema(), data) == []
    return data


SPAN = "2026-06-02T09:15:00+05:30", "2026-06-02T15:40:00+05:30"


def test_five_minute_bars_are_answered_from_five_minutes_up(server):
    narrow = candles(server, "NIFTY", "1m", *SPAN)
    assert (narrow["candles"], narrow["coverage"]) == ([], {"finest": "5m", "made_of": []})
    for interval, count in (("5m", 75), ("15m", 25), ("1h", 7)):
        data = candles(server, "NIFTY", interval, *SPAN)
        assert len(data["candles"]) == count
        (made_of,) = data["coverage"]["made_of"]
        assert made_of == {
            "from": data["candles"][0]["date"],
            "to": data["candles"][-1]["date"],
            "width": "5m",
        }
        assert sum(row["volume"] for row in data["candles"]) == 750
        assert data["coverage"]["finest"] == "5m"


def test_an_end_of_day_says_so(server):
    data = candles(server, "RELIANCE", "1d", "2026-06-02", "2026-06-03")
    assert data["candles"][0]["volume"] == 1000
    assert (data["coverage"]["finest"], data["coverage"]["made_of"][0]["width"]) == ("1m", "1d")
    hours = candles(server, "RELIANCE", "1h", *SPAN)
    assert hours["coverage"]["made_of"][0]["width"] == "1m"


def test_a_chain_of_a_daily_file_has_the_forward_of_its_future(server):
    data = server.get(
        f"/api/option_chain?symbol=NIFTY%20BANK&expiry=2024-04-24&strikes=1&at={quote('2024-04-03T15:35:00+05:30')}"
    )
    assert problems(ChainSchema(), data) == []
    assert (data["forward"], data["atm_strike"], data["lot_size"]) == (47_821.6, 47_800, 15)
    assert data["coverage"]["forward_method"] == "future"
    assert data["spot_price"] is None
    assert [row["strike_price"] for row in data["option_chain"]] == [47_700, 47_800, 47_900]


AT = quote("2026-08-04T11:31:00+05:30")


def checks_without_spot(chain, board, interest):
    """The window and the figures at the forward; null what needs the spot."""
    assert problems(ChainSchema(), chain) == []
    assert [row["strike_price"] for row in chain["option_chain"]] == [24_250, 24_300, 24_350]
    assert [row["is_atm"] for row in chain["option_chain"]] == [False, True, False]
    assert (chain["spot_price"], chain["atm_strike"]) == (None, 24_300)
    assert chain["option_chain"][1]["ce_iv"] > 0
    assert {chain["option_chain"][1][name] for name in ("ce_delta", "ce_gamma", "ce_intrinsic")} == {None}
    assert problems(DashboardSchema(), board) == []
    assert (board["spot_price"], board["basis"], board["atm_strike"]) == (None, None, 24_300)
    assert board["atm_iv"] > 0
    assert board["straddle_price"] > 0
    assert problems(OpenInterestHistorySchema(), interest) == []
    assert [row["strike_price"] for row in interest["strikes"]] == [24_250, 24_300, 24_350]


def test_a_past_chain_without_a_spot(server):
    checks_without_spot(
        server.get(f"/api/option_chain?symbol=NIFTY&expiry=2026-08-11&strikes=1&at={AT}"),
        server.get(f"/api/dashboard_data?symbol=NIFTY&expiry=2026-08-11&at={AT}"),
        server.get("/api/oi-history/NIFTY?expiry=2026-08-11&strikes=1&from=2026-08-04&to=2026-08-05"),
    )


def test_a_replayed_chain_without_a_spot(tmp_path):
    path = tmp_path / "NIFTY.csv"
    path.write_text(rows(*contracts(spot=""), header=CONTRACTS))
    for asked in served(tmp_path, "--replay", str(path)):
        checks_without_spot(
            asked.get("/api/option_chain?symbol=NIFTY&strikes=1"),
            asked.get("/api/dashboard_data?symbol=NIFTY"),
            asked.get("/api/oi-history/NIFTY?strikes=1"),
        )


def test_a_replayed_chain_with_the_spot_that_is_ordered(tmp_path):
    leg = {"underlying": "NIFTY", "openInterest": 1200, "lastPrice": 100, "bidprice": 99.5, "askPrice": 100.5}
    data = [
        {"strikePrice": strike, "expiryDate": "11-Aug-2026", "CE": leg, "PE": leg}
        for strike in range(24_000, 24_700, 50)
    ]
    path = tmp_path / "chain.json"
    path.write_text(json.dumps({"records": {"timestamp": "04-Aug-2026 11:30:00", "data": data}}))
    for asked in served(tmp_path, "--replay", str(path), "--spot", "24312.4"):
        assert asked.get("/api/option_chain?symbol=NIFTY")["spot_price"] == 24_312.4
