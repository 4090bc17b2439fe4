"""Option chains in the JSON of programs and of brokers."""

import json
import os
from datetime import date

import numpy as np
import pytest

from feed.recordings.reading import FrontDoor
from tests.feed.history.support import CALENDAR, CATALOGUE, at
from tests.feed.recordings.test_chain_files import stored
from tests.feed.transfer.support import imported, rows

EXPIRY = date(2026, 8, 11)
STRIKES = (24_300, 24_350)
TAKEN = "2026-08-04 11:30"
LEGS = {True: {"ltp": 100.5, "oi": 1200, "bid": 100.0}, False: {"ltp": 137.6, "oi": 900, "bid": None}}


def contract(strike, is_call, **more):
    told = {"timestamp": f"{TAKEN}:00", "symbol": "NIFTY 50", "expiry": "2026-08-11", "strike": strike}
    return {**told, "option_type": "CE" if is_call else "PE", **LEGS[is_call], "spot": 24312.4, **more}


CONTRACTS = [contract(strike, is_call) for strike in STRIKES for is_call in (True, False)]


def upstox(key="NSE_INDEX|Nifty 50"):
    def side(leg):
        prices = {"ltp": leg["ltp"], "volume": 10, "oi": leg["oi"], "close_price": 95.0, "prev_oi": 800.0}
        book = {"bid_price": leg["bid"] or 0, "bid_qty": 75, "ask_price": 138.0, "ask_qty": 150}
        return {"instrument_key": "NSE_FO|51059", "market_data": prices | book, "option_greeks": {"iv": 9.1}}

    entries = [
        {
            "expiry": "2026-08-11",
            "pcr": 0.75,
            "strike_price": strike,
            "underlying_key": key,
            "underlying_spot_price": 24312.4,
            "call_options": side(LEGS[True]),
            "put_options": side(LEGS[False]),
        }
        for strike in STRIKES
    ]
    return {"status": "success", "data": entries}


def dhan():
    def side(leg):
        prices = {"last_price": leg["ltp"], "oi": leg["oi"], "previous_oi": 800, "volume": 10}
        book = {"top_bid_price": leg["bid"] or 0, "top_bid_quantity": 75, "top_ask_price": 138.0}
        return (
            {"greeks": {"delta": 0.5}, "implied_volatility": 9.1, "previous_close_price": 95.0}
            | prices
            | book
        )

    strikes = {f"{strike}.000000": {"ce": side(LEGS[True]), "pe": side(LEGS[False])} for strike in STRIKES}
    return {"data": {"last_price": 24312.4, "oc": strikes}, "status": "success"}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("chain.json", CONTRACTS),
        ("chain.jsonl", "\n".join(map(json.dumps, CONTRACTS))),
        ("answer.json", {"success": True, "data": CONTRACTS}),
        (
            "epochs.json",
            [{**row, "timestamp": at(TAKEN), "strike": row["strike"] * 1.0} for row in CONTRACTS],
        ),
        # as pandas writes a column of days
        ("days.json", [{**row, "expiry": "2026-08-11T00:00:00.000"} for row in CONTRACTS]),
        ("days.json", [{**row, "expiry": 1786406400000} for row in CONTRACTS]),
        ("upstox.json", upstox()),
        ("NIFTY_2026-08-11.json", dhan()),
        ("NIFTY_2026-08-11.json", {"status": "success", "remarks": "", "data": dhan()}),
        (
            "strikes.json",
            [
                {"expiry": "2026-08-11", "strike": strike, "spot": 24312.4, "symbol": "NIFTY"}
                | {
                    f"{side}_{name}": value
                    for side in ("ce", "pe")
                    for name, value in LEGS[side == "ce"].items()
                }
                for strike in STRIKES
            ],
        ),
    ],
)
def test_chain_of_each_shape_is_stored_as_it_was_told(tmp_path, name, document):
    report = imported(tmp_path, name, document, at_ms=at(TAKEN))
    assert (report.symbols, report.kept, report.refused, report.flawed) == (("NIFTY",), report.rows, 0, 0)
    assert report.span_ms == (at(TAKEN), at(TAKEN))
    chain = stored(tmp_path, "NIFTY", EXPIRY, "2026-08-04 11:31")
    legs = chain.legs()
    np.testing.assert_array_equal(chain.strikes, STRIKES)
    np.testing.assert_array_equal(legs["last_price"], [[100.5, 100.5], [137.6, 137.6]])
    np.testing.assert_array_equal(legs["open_interest"], [[1200, 1200], [900, 900]])
    np.testing.assert_array_equal(legs["bid"], [[100, 100], [np.nan, np.nan]])
    if name in ("upstox.json", "NIFTY_2026-08-11.json"):
        np.testing.assert_array_equal(legs["previous_open_interest"], [[800, 800], [800, 800]])
        np.testing.assert_array_equal(legs["ask"], [[138, 138], [138, 138]])


@pytest.mark.parametrize(("name", "document"), [("upstox.json", upstox()), ("NIFTY_2026-08-11.json", dhan())])
def test_chain_of_a_broker_was_taken_when_it_was_saved_and_tells_the_spot(tmp_path, name, document):
    path = tmp_path / name
    path.write_text(json.dumps(document))
    os.utime(path, (at(TAKEN) / 1000, at(TAKEN) / 1000))
    (contents,) = FrontDoor(CATALOGUE, CALENDAR).read(path)
    assert contents.report.span_ms == (at(TAKEN), at(TAKEN))
    assert any("when the file was saved" in note for note in contents.report.notes)
    assert contents.recording.frames[0].spots == {"NIFTY": 24312.4}


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("upstox_20260804_1115.json", "2026-08-04 11:15"),
        ("upstox_2026-08-04.json", "2026-08-04 15:40"),  # the market's close
        ("upstox_2026-08-11.json", "2026-08-05 12:00"),  # the expiry: when it was saved
    ],
)
def test_instant_that_a_name_tells_goes_before_when_the_file_was_saved(tmp_path, name, taken):
    path = tmp_path / name
    path.write_text(json.dumps(upstox()))
    os.utime(path, (at("2026-08-05 12:00") / 1000, at("2026-08-05 12:00") / 1000))
    (contents,) = FrontDoor(CATALOGUE, CALENDAR).read(path)
    assert contents.report.span_ms == (at(taken), at(taken))


def test_contracts_of_one_snapshot_have_their_instant_in_the_name(tmp_path):
    told = [
        ",".join(str(row[name]) for name in ("expiry", "strike", "option_type", "ltp", "oi"))
        for row in CONTRACTS
    ]
    table = rows(*told, header="expiry,strike,option_type,ltp,oi")
    report = imported(tmp_path, "NIFTY_20260804_1130.csv", table)
    assert (report.what, report.kept, report.span_ms[0]) == ("snapshot of option chains", 4, at(TAKEN))
    report = imported(tmp_path, "NIFTY.csv", table)
    assert "so its name must, as in chain_20260807.csv" in report.error


def test_days_of_digits_are_asked_about(tmp_path):
    document = {"data": [{**entry, "expiry": "11/08/2026"} for entry in upstox()["data"]]}
    report = imported(tmp_path, "chain.json", document, at_ms=at(TAKEN))
    assert "day first or month first? No row of it tells" in report.error
    assert imported(tmp_path, "chain.json", document, at_ms=at(TAKEN), dates="day-first").kept == 2


def test_column_without_a_name_harms_nobody(tmp_path):
    report = imported(tmp_path, "chain.json", [{"": place, **row} for place, row in enumerate(CONTRACTS)])
    assert (report.kept, report.refused) == (4, 0)


def test_entry_that_is_no_object_is_refused_and_the_rest_is_kept(tmp_path):
    report = imported(tmp_path, "chain.json", [*CONTRACTS, "x", contract("?", True)])
    assert (report.kept, report.refused, report.exit_code) == (4, 2, 1)


def test_chain_without_an_expiry_must_have_it_in_its_name(tmp_path):
    report = imported(tmp_path, "nifty.json", dhan())
    assert report.exit_code == 2
    assert "its rows do not tell the expiry, so its name must, as in NIFTY_2026-03-10.json" in report.error


def test_share_that_a_broker_tells_by_its_number_is_named_by_the_caller(tmp_path):
    document = upstox("NSE_EQ|INE002A01018")
    report = imported(tmp_path, "chain.json", document, at_ms=at(TAKEN))
    assert report.exit_code == 2
    assert "was 'NSE_EQ|INE002A01018'" in report.error
    report = imported(tmp_path, "chain.json", document, at_ms=at(TAKEN), symbol="RELIANCE")
    assert (report.kept, report.symbols) == (2, ("RELIANCE",))


def test_strikes_of_a_table_are_of_the_symbol_that_each_row_tells(tmp_path):
    header = "timestamp,symbol,expiry,strike,ce_oi,ce_ltp,pe_oi,pe_ltp"
    told = [
        f"{TAKEN}:00,{symbol},2026-08-25,{strike},10,{5 + strike},20,7"
        for symbol, strike in (("NIFTY BANK", 50_000), ("NIFTY BANK", 50_100), ("FINNIFTY", 23_000))
    ]
    report = imported(tmp_path, "chains.csv", rows(*told, header=header))
    assert (report.kept, report.symbols) == (3, ("BANKNIFTY", "FINNIFTY"))
    chain = stored(tmp_path, "BANKNIFTY", date(2026, 8, 25), "2026-08-04 11:31")
    np.testing.assert_array_equal(chain.legs()["last_price"], [[50_005, 50_105], [7, 7]])
