"""Recorded chains over REST: ``server.py --replay FILE`` gives the figures computed beside the recording."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from feed.recordings.text import parse_day
from schemas.chains import ChainSchema
from schemas.dashboard import DashboardSchema
from schemas.quotes import SpotPriceSchema
from tests.handlers.shapes import problems, strict_json
from tests.processes import ROOT, spawn

RECORDED = ROOT.parent / "shared" / "domain" / "data"
RECORDINGS = (
    "nifty_chain_20260807_close.csv",
    "nifty_chain_20260819_1127.csv",
    "nse_optionchain_NIFTY_20220328_1047.json",
)
FIGURES = {
    # of the answer: of the file, and decimals
    "total_ce_oi": ("total_ce_oi", None),
    "total_pe_oi": ("total_pe_oi", None),
    "total_ce_oi_change": ("total_ce_oi_change", None),
    "total_pe_oi_change": ("total_pe_oi_change", None),
    "total_ce_volume": ("total_ce_volume", None),
    "total_pe_volume": ("total_pe_volume", None),
    "pcr_oi": ("pcr_oi", 4),
    "pcr_volume": ("pcr_volume", 4),
    "max_pain": ("max_pain", None),
    "atm_strike": ("atm_strike_nearest_spot", None),
}


class Replay:
    """A server that replays a recording, and the figures that stand beside it."""

    def __init__(self, name, process):
        self.name = name
        self.process = process
        self.expected = json.loads((RECORDED / f"{Path(name).stem}_expected.json").read_text())

    def get(self, path):
        with urlopen(self.process.url + path) as answer:
            return strict_json(answer.read())["data"]

    def days(self):
        """Expiries as the file and as the server names them."""
        return [(name, parse_day(name).isoformat()) for name in self.expected["by_expiry"]]


@pytest.fixture(scope="module", params=RECORDINGS)
def replay(request, tmp_path_factory):
    path = RECORDED / request.param
    if not path.is_file():
        pytest.skip("the recorded data belongs to the exchanges and is not part of the repository")
    process = spawn(tmp_path_factory.mktemp("replay") / "log", "--replay", str(path))
    yield Replay(request.param, process)
    assert process.stop() == 0
    process.popen.stdout.close()
    assert "Traceback" not in process.log.read_text()


def test_expiries_are_those_of_the_recording(replay):
    assert replay.get("/api/expiries/NIFTY")["expiry_dates"] == sorted(day for _, day in replay.days())


@pytest.mark.parametrize("figure", FIGURES)
def test_figure_of_every_expiry_is_the_expected_one(replay, figure):
    name, decimals = FIGURES[figure]
    for written, day in replay.days():
        expected = replay.expected["by_expiry"][written][name]
        if decimals is not None and expected is not None:
            expected = round(expected, decimals)
        assert replay.get(f"/api/option_chain?symbol=NIFTY&expiry={day}&strikes=1")[figure] == expected, day


def test_chain_of_every_expiry_has_the_recorded_strikes(replay):
    for written, day in replay.days():
        expected = replay.expected["by_expiry"][written]
        chain = replay.get(f"/api/option_chain?symbol=NIFTY&expiry={day}")
        rows = chain["option_chain"]
        assert len(rows) == chain["coverage"]["strikes"] == expected["n_strikes"]
        assert rows[0]["strike_price"] == expected["strike_min"]
        assert rows[-1]["strike_price"] == expected["strike_max"]
        for side in ("ce", "pe"):
            assert sum(row[f"{side}_oi"] is not None for row in rows) == expected[f"n_{side}"]


def test_dashboard_shows_the_expected_walls(replay):
    for written, day in replay.days():
        expected = replay.expected["by_expiry"][written]
        board = replay.get(f"/api/dashboard_data?symbol=NIFTY&expiry={day}")
        for wall, top in (("support", "top5_pe_oi"), ("resistance", "top5_ce_oi")):
            held = [oi for _, oi in expected[top] if oi > 0][:3]
            assert [point["oi"] for point in board[wall]] == held, (wall, day)
        if expected["pcr_oi_change"] is not None:
            assert board["pcr_oi_change"] == pytest.approx(expected["pcr_oi_change"], abs=5.01e-5)


def test_chains_and_dashboards_are_as_their_schemas_say(replay):
    for _, day in replay.days():
        query = f"symbol=NIFTY&expiry={day}"
        assert problems(ChainSchema(), replay.get(f"/api/option_chain?{query}")) == []
        assert problems(DashboardSchema(), replay.get(f"/api/dashboard_data?{query}")) == []


def test_spot_is_the_recorded_one_and_says_where_it_comes_from(replay):
    quote = replay.get("/api/spot_price/NIFTY")
    assert problems(SpotPriceSchema(), quote) == []
    assert quote["spot_price"] == replay.expected["underlying_value"]
    assert quote["source"] == "replay"


def test_what_the_recording_lacks_of_the_spot_is_null(replay):
    quote = replay.get("/api/spot_price/NIFTY")
    for name in ("open", "high", "low", "previous_close", "change", "change_percent", "volume"):
        assert quote[name] is None, name


def test_what_the_recording_lacks_of_the_legs_is_null(replay):
    lacking = ["open", "high", "low"]
    if replay.name.endswith(".csv"):
        lacking += ["bid_price", "bid_qty", "ask_price", "ask_qty"]
    for _, day in replay.days():
        for row in replay.get(f"/api/option_chain?symbol=NIFTY&expiry={day}")["option_chain"]:
            for side in ("ce", "pe"):
                assert [name for name in lacking if row[f"{side}_{name}"] is not None] == []


def test_leg_that_never_traded_has_no_price_instead_of_zero(replay):
    for _, day in replay.days():
        for row in replay.get(f"/api/option_chain?symbol=NIFTY&expiry={day}")["option_chain"]:
            for side in ("ce", "pe"):
                for name in ("ltp", "bid_price", "ask_price", "iv"):
                    assert row[f"{side}_{name}"] != 0, (day, row["strike_price"], name)
                if row[f"{side}_ltp"] is None:
                    assert row[f"{side}_change"] is None
                    assert row[f"{side}_time_val"] is None


def test_open_interest_of_a_contract_listed_under_an_old_lot_size_keeps_its_fraction(replay):
    has_fractions = any(
        day[f"total_{side}_oi"] % 1 for day in replay.expected["by_expiry"].values() for side in ("ce", "pe")
    )
    fractions = [
        row[f"{side}_oi"]
        for _, day in replay.days()
        for row in replay.get(f"/api/option_chain?symbol=NIFTY&expiry={day}")["option_chain"]
        for side in ("ce", "pe")
        if isinstance(row[f"{side}_oi"], float)
    ]
    assert bool(fractions) == has_fractions
