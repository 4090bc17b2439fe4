"""Files of option chains: the exchange's downloads and daily files, chains without a spot, one bad field."""

import gzip
import io
import os
import zipfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from feed.history.history import History
from feed.market.market import Market
from feed.recordings.documents import documents
from feed.recordings.frames import RecordingError
from feed.recordings.reading import FrontDoor, Options
from feed.replay.source import ReplaySource
from feed.valuation.chain import value_chain, value_listings
from tests.feed.history.support import CALENDAR, CATALOGUE, at, run
from tests.feed.transfer.support import imported, rows

EXPIRY = date(2026, 8, 11)
STRIKES = [24_000 + 50 * place for place in range(13)]
SPOT = 24_312.4
CONTRACTS = "timestamp,symbol,expiry,strike,option_type,ltp,bid,ask,volume,oi,spot"


def contract(strike: float, side: str, spot: str = "24312.4", **changed: str) -> str:
    """A row of a contract that is worth its distance from 24,312.40 and a hundred more."""
    distance = max(0.0, (SPOT - strike) * (1 if side == "CE" else -1)) + 100
    told = {
        "ltp": f"{distance:.2f}",
        "bid": f"{distance - 0.5:.2f}",
        "ask": f"{distance + 0.5:.2f}",
        "oi": "1200",
    }
    told |= changed
    return (
        f"2026-08-04 11:30:00,NIFTY,2026-08-11,{strike},{side},{told['ltp']},{told['bid']},{told['ask']},"
        f"900,{told['oi']},{spot}"
    )


def contracts(spot: str = "24312.4", strikes: list[int] = STRIKES) -> list[str]:
    return [contract(strike, side, spot) for strike in strikes for side in ("CE", "PE")]


def replayed(path: Path, **options: object) -> Market:
    """A market after the whole of a recording."""
    recording = FrontDoor(CATALOGUE, CALENDAR, Options(**options)).recording(path)
    source = ReplaySource(recording.frames, catalogue=CATALOGUE, calendar=CALENDAR)
    market = Market(source.universe, source="replay", epoch="x", interest_rate=0.065, stale_after_s=9e9)
    market.apply(source.advance(source.end_ms))
    return market


def valued(path: Path, symbol: str = "NIFTY", expiry: date = EXPIRY, **options: object):
    market = replayed(path, **options)
    return value_chain(market, market.universe.listing(symbol, expiry))


def stored(folder: Path, symbol: str, expiry: date, instant: str):
    history = History(f"sqlite:///{folder}/store.db", calendar=CALENDAR)
    try:
        return run(history.answers.chain_at(symbol, expiry, at(instant)))
    finally:
        run(history.stop())


def test_one_bad_field_costs_that_field(tmp_path):
    lines = contracts()
    lines[12] = contract(24_300, "CE", ltp="abc")
    lines[13] = contract(24_300, "PE", oi="-4")
    report = imported(tmp_path, "chain.csv", rows(*lines, header=CONTRACTS))
    assert (report.kept, report.refused, report.flawed, report.exit_code) == (26, 0, 2, 0)
    assert [flaw.number for flaw in report.flaws] == [14, 15]
    assert report.flaws[0].reason.startswith("ltp must be a number, was 'abc'; the field is unknown")
    chain = stored(tmp_path, "NIFTY", EXPIRY, "2026-08-04 11:31")
    legs, column = chain.legs(), STRIKES.index(24_300)
    assert np.isnan(legs["last_price"][:, column]).tolist() == [True, False]
    assert np.isnan(legs["open_interest"][:, column]).tolist() == [False, True]
    assert legs["bid"][0, column] == 111.9
    assert np.isfinite(np.delete(legs["last_price"], column, axis=1)).all()


def test_strikes_in_any_order_make_the_same_chain(tmp_path):
    lines = contracts()
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    one.write_text(rows(*lines, header=CONTRACTS))
    other.write_text(rows(*lines[1::2][::-1], *lines[::2], header=CONTRACTS))
    left, right = valued(one), valued(other)
    assert left.pain.strike == right.pain.strike
    assert left.atm_strike == right.atm_strike == 24_300
    np.testing.assert_array_equal(left.legs["bid"], right.legs["bid"])


def test_a_chain_without_a_spot_has_its_money_at_the_forward(tmp_path):
    path = tmp_path / "NIFTY.csv"
    path.write_text(rows(*contracts(spot=""), header=CONTRACTS))
    market = replayed(path)
    listing = market.universe.listing("NIFTY", EXPIRY)
    chain, passed = value_chain(market, listing), value_listings(market, [listing])
    assert np.isnan(chain.spot_price)
    assert chain.forward == pytest.approx(SPOT, abs=0.5)
    assert chain.atm_strike == 24_300
    assert np.isnan(chain.greeks.delta).all()
    assert np.isnan(chain.intrinsic).all()
    assert np.isfinite(chain.volatility[:, 6]).all()
    assert passed.straddle[0] == 24_300
    assert np.isfinite(passed.atm_volatility).all()
    report = imported(tmp_path, "NIFTY.csv", path.read_text())
    assert "it has no spot price: the money is where the forward is; --spot gives one" in report.notes


def exchange_json(**records: object) -> dict[str, object]:
    leg = {"underlying": "NIFTY", "openInterest": 1200, "lastPrice": 100, "bidprice": 99.5, "askPrice": 100.5}
    data = [{"strikePrice": strike, "expiryDate": "11-Aug-2026", "CE": leg, "PE": leg} for strike in STRIKES]
    return {"records": {"timestamp": "04-Aug-2026 11:30:00", "data": data, **records}}


BUTTON = (
    "CALLS,,PUTS\n"
    ",OI,CHNG IN OI,VOLUME,IV,LTP,CHNG,BID QTY,BID,ASK,ASK QTY,STRIKE,"
    "BID QTY,BID,ASK,ASK QTY,CHNG,LTP,IV,VOLUME,CHNG IN OI,OI,\n"
    ',-,-,"5,000",-,412.40,-12.35,130,411.90,412.90,65,"24,000.00",195,99.50,100.50,65,8.20,100.00,13.1,"4,000",'
    '"1,100","2,500",\n'
    ',"1,931",-39,"5,911",-,100.00,-12.35,130,99.50,100.50,65,"24,300.00",195,87.10,88.10,65,8.20,87.60,13.1,'
    '"4,700","1,103","3,021",\n'
)
SNAPSHOT = "expiry,strike,ce_oi,ce_ltp,pe_oi,pe_ltp\n11-Aug-2026,24300,10,100,20,87.6\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("chain_NIFTY.csv", rows(*contracts(spot=""), header=CONTRACTS)),
        ("NIFTY.json", exchange_json(underlyingValue=None)),
        ("NIFTY.json", exchange_json(underlyingValue=24_000)),
        ("NIFTY_20260804_1130.csv", SNAPSHOT),
        ("option-chain-ED-NIFTY-11-Aug-2026.csv", BUTTON),
    ],
)
def test_a_spot_that_is_ordered_is_taken_whatever_the_shape(tmp_path, name, content):
    imported(tmp_path, name, content)
    report = imported(tmp_path, name, content, spot=24_312.4, at_ms=None)
    assert report.exit_code == 0
    assert not any("no spot price" in note for note in report.notes)
    assert valued(tmp_path / name, spot=24_312.4).spot_price == 24_312.4
    chain = stored(tmp_path, "NIFTY", EXPIRY, "2026-08-11 09:00")
    assert chain.spot[-1] == 24_312.4  # and takes the place of what was imported without


def test_the_download_of_the_exchange_is_a_chain(tmp_path):
    name = "option-chain-ED-NIFTY-11-Aug-2026.csv"
    report = imported(tmp_path, name, BUTTON, at_ms=at("2026-08-04 11:30"))
    assert (report.what, report.kept, report.symbols) == ("snapshot of an option chain", 2, ("NIFTY",))
    legs = stored(tmp_path, "NIFTY", EXPIRY, "2026-08-04 11:31").legs()
    np.testing.assert_array_equal(legs["open_interest"], [[np.nan, 1931], [2500, 3021]])
    np.testing.assert_array_equal(legs["previous_open_interest"], [[np.nan, 1970], [1400, 1918]])
    np.testing.assert_array_equal(legs["last_price"], [[412.4, 100], [100, 87.6]])
    np.testing.assert_array_equal(legs["bid"], [[411.9, 99.5], [99.5, 87.1]])
    np.testing.assert_array_equal(legs["volume"], [[5000, 5911], [4000, 4700]])
    np.testing.assert_allclose(legs["previous_close"], [[424.75, 112.35], [91.8, 79.4]])


@pytest.mark.parametrize(
    ("saved", "taken", "why"),
    [
        ("2026-08-04 11:31", "2026-08-04 11:31", "when the file was saved"),
        ("2026-08-04 20:00", "2026-08-04 15:40", "when the file was saved"),
        ("2026-08-09 12:00", "2026-08-07 15:40", "when the file was saved"),
        ("2026-11-26 12:00", "2026-08-10 15:40", "the last close before its chain expired"),
    ],
)
def test_a_download_was_taken_when_it_was_saved_and_before_it_expired(tmp_path, saved, taken, why):
    path = tmp_path / "option-chain-ED-NIFTY-11-Aug-2026.csv"
    path.write_text(BUTTON)
    os.utime(path, (at(saved) / 1000, at(saved) / 1000))
    (contents,) = FrontDoor(CATALOGUE, CALENDAR).read(path)
    assert contents.report.span_ms == (at(taken), at(taken))
    assert any(why in note for note in contents.report.notes)


LEGACY = (
    "INSTRUMENT,SYMBOL,EXPIRY_DT,STRIKE_PR,OPTION_TYP,OPEN,HIGH,LOW,CLOSE,SETTLE_PR,CONTRACTS,VAL_INLAKH,OPEN_INT,"
    "CHG_IN_OI,TIMESTAMP,"
)
UDIFF = (
    "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,OptnTp,"
    "FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,"
    "ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty,Rmks,Rsvd1,Rsvd2,Rsvd3,Rsvd4"
)


def legacy_lines(symbol: str = "BANKNIFTY", expiry: str = "24-Apr-2024", lot: int = 15) -> list[str]:
    """A future and a chain of one expiry, as 2024-04-03 left them."""
    kind = "IDX" if "NIFTY" in symbol else "STK"
    future = (
        f"FUT{kind},{symbol},{expiry},0,XX,47000,47900,46900,47821.6,47821.6,9000,1,300000,-1500,03-APR-2024,"
    )
    legs = [
        f"OPT{kind},{symbol},{expiry},{strike},{side},500,520,480,{510 + place},{510 + place},"
        f"{100 + place},1,{lot * (300 + 7 * place)},{-lot * (10 + place)},03-APR-2024,"
        for place, strike in enumerate(range(47_000, 48_000, 100))
        for side in ("CE", "PE")
    ]
    return [future, *legs]


@pytest.mark.parametrize("pack", ["plain", "zip", "gz"])
def test_the_legacy_daily_file_is_every_chain_of_the_day_with_futures_as_forwards(tmp_path, pack):
    content = rows(*legacy_lines(), header=LEGACY).encode()
    name = "fo03APR2024bhav.csv"
    if pack == "gz":
        name, content = f"{name}.gz", gzip.compress(content)
    elif pack == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        name, content = f"{name}.zip", packed.getvalue()
    report = imported(tmp_path, name, content)
    assert (report.what, report.symbols) == ("end-of-day option chains", ("BANKNIFTY",))
    assert (report.kept, report.refused) == (21, 0)
    chain = stored(tmp_path, "BANKNIFTY", date(2024, 4, 24), "2024-04-04 09:00")
    assert chain.as_of_ms[-1] == at("2024-04-03 15:30")
    assert chain.forward[-1] == 47_821.6
    assert chain.lot_size == 15
    legs = chain.legs()
    assert legs["open_interest"][:, 1].tolist() == [307, 307]
    assert legs["previous_open_interest"][:, 1].tolist() == [318, 318]
    assert legs["volume"][:, 1].tolist() == [101, 101]
    assert legs["last_price"][:, 1].tolist() == [511, 511]
    assert (legs["open"][0, 0], legs["high"][0, 0], legs["low"][0, 0]) == (500, 520, 480)
    chain = valued(tmp_path / name, "BANKNIFTY", date(2024, 4, 24))
    assert (chain.forward, chain.coverage.forward_method) == (47_821.6, "future")
    assert chain.atm_strike == 47_800


def test_a_weekly_chain_has_no_future_and_takes_the_forward_of_its_quotes(tmp_path):
    lines = legacy_lines() + legacy_lines(expiry="10-Apr-2024")[1:]
    path = tmp_path / "fo03APR2024bhav.csv"
    path.write_text(rows(*lines, header=LEGACY))
    assert valued(path, "BANKNIFTY", date(2024, 4, 10)).coverage.forward_method == "parity_last"
    assert valued(path, "BANKNIFTY", date(2024, 4, 24)).coverage.forward_method == "future"


def udiff(symbol: str, expiry: str, strike: float, side: str, **told: str) -> str:
    values = {"close": "100.00", "volume": "90", "oi": "2600", "lot": "65"} | told
    kind = ("IDO" if side else "IDF") if "NIFTY" in symbol else ("STO" if side else "STF")
    return (
        f"2026-08-04,2026-08-04,FO,NSE,{kind},1,,{symbol},,{expiry},{expiry},"
        f"{strike if side else ''},{side},X,"
        f"99.00,101.00,98.00,{values['close']},100.00,97.00,24312.40,100.00,{values['oi']},-130,"
        f"{values['volume']},1.0,4,F1,{values['lot']},,,,,"
    )


def test_the_daily_file_in_the_common_format(tmp_path):
    lines = [
        udiff("NIFTY", expiry, strike, side)
        for expiry in ("2026-08-11", "2026-08-25")
        for strike in STRIKES
        for side in ("CE", "PE")
    ]
    lines += [udiff("NIFTY", "2026-08-25", 0, "", close="24399.90")]
    lines += [udiff("AARTIIND", "2026-08-25", 500, side) for side in ("CE", "PE")]
    lines += [udiff("NIFTY", "2026-08-25", 30_000, "CE", volume="0", close="0.05")]
    report = imported(tmp_path, "BhavCopy_NSE_FO_0_0_0_20260804_F_0000.csv", rows(*lines, header=UDIFF))
    assert (report.kept, report.refused, report.exit_code) == (54, 2, 1)
    assert dict(report.unknown_symbols) == {"AARTIIND": 2}
    near = stored(tmp_path, "NIFTY", EXPIRY, "2026-08-05 09:00")
    far = stored(tmp_path, "NIFTY", date(2026, 8, 25), "2026-08-05 09:00")
    assert (near.as_of_ms[-1], near.lot_size, near.spot[-1]) == (at("2026-08-04 15:40"), 65, 24_312.4)
    assert np.isnan(near.forward[-1])
    assert far.forward[-1] == 24_399.9
    legs = far.legs()
    assert (legs["open_interest"][0, 0], legs["previous_open_interest"][0, 0]) == (40, 42)
    assert (legs["volume"][0, 0], legs["previous_close"][0, 0]) == (90, 97)
    assert np.isnan(legs["last_price"][0, -1])  # nobody traded it that day


def test_a_zip_of_several_files_is_reported_file_by_file(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("folder/NIFTY_day.csv", "date,open,high,low,close\n2026-06-02,1,2,1,2\n")
        archive.writestr("notes.txt", "nothing of use\n")
        archive.writestr("BANKNIFTY_day.csv", "date,open,high,low,close\n2026-06-02,1,2,1,2\n")
    path = tmp_path / "all.zip"
    path.write_bytes(packed.getvalue())
    found = {
        contents.report.file.rpartition(":")[2]: contents.report
        for contents in FrontDoor(CATALOGUE, CALENDAR).read(path)
    }
    assert {name: report.exit_code for name, report in found.items()} == {
        "NIFTY_day.csv": 0,
        "notes.txt": 2,
        "BANKNIFTY_day.csv": 0,
    }
    assert "its columns are unknown" in str(found["notes.txt"].error)


@pytest.mark.parametrize("content", [b"PK\x03\x04 broken", b"\x1f\x8b broken", b"\x1f\x8b\x08"])
def test_a_broken_package_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "NIFTY.zip"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"it is not a (whole gzip|zip) file"):
        list(FrontDoor(CATALOGUE, CALENDAR).read(path))


def test_a_package_that_unpacks_without_end_is_refused(tmp_path):
    path = tmp_path / "NIFTY.csv.gz"
    path.write_bytes(gzip.compress(b"0" * (3 << 20)))
    with pytest.raises(RecordingError, match="it unpacks to more than 1 MB"):
        documents(path, 1 << 20)


def test_a_negative_spot_is_a_commoditys(tmp_path):
    header = "timestamp,symbol,expiry,strike,option_type,ltp,oi,spot"
    lines = [f"2020-04-20 22:00:00,{symbol},2020-05-14,10,CE,5,10,-37.63" for symbol in ("CRUDEOIL", "NIFTY")]
    path = tmp_path / "chains.csv"
    path.write_text(rows(*lines, header=header))
    recording = FrontDoor(CATALOGUE, CALENDAR).recording(path)
    assert recording.frames[0].spots == {"CRUDEOIL": -37.63}
    assert [flaw.reason for flaw in recording.flaws] == [
        "spot must not be negative, was -37.63; the field is unknown, the rest of the row is kept."
    ]


def test_legs_of_unknown_symbols_are_counted_and_named(tmp_path):
    lines = [*contracts(), contract(24_300, "CE").replace("NIFTY", "NOSUCH")]
    report = imported(tmp_path, "chains.csv", rows(*lines, header=CONTRACTS))
    assert (report.kept, report.refused, dict(report.unknown_symbols)) == (26, 1, {"NOSUCH": 1})


def test_a_second_import_takes_the_place_of_the_first_and_leaves_the_rest(tmp_path):
    early = [line.replace("11:30:00", "11:29:00") for line in contracts()]
    imported(tmp_path, "one.csv", rows(*early, *contracts(), header=CONTRACTS))
    changed = [line.replace(",1200,", ",1300,") for line in contracts()]
    imported(tmp_path, "two.csv", rows(*early, *changed, header=CONTRACTS))
    chain = stored(tmp_path, "NIFTY", EXPIRY, "2026-08-04 11:31")
    assert set(chain.legs()["open_interest"].ravel().tolist()) == {1300}
    assert stored(tmp_path, "NIFTY", EXPIRY, "2026-08-04 11:29").legs()["open_interest"][0, 0] == 1200
