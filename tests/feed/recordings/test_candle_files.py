"""Files of candles: every shape in use, its width, and what is then answered of it."""

import io
import json
import zipfile

import numpy as np
import pytest

from domain.instants import DAY_MS, MINUTE_MS
from feed.history.store.codec import decode, encode, pack_candles, unpack_candles
from feed.market.candles import Candles, laid_over, parse_width, width_name
from feed.recordings.bars import infer_width, width_in_name
from feed.recordings.text import parse_moment
from tests.feed.history.support import at
from tests.feed.transfer.support import answered, bars, clocks, imported, rows

DAY = "2026-06-02"
MINUTES = bars(DAY, clocks("09:15", 1, 4))
NEXT = "2026-06-03 00:00"
START = f"{DAY} 00:00"


@pytest.mark.parametrize(
    "header",
    [
        "date,open,high,low,close,volume",
        "timestamp,open,high,low,close,volume",
        "Datetime,Open,High,Low,Close,Volume",
        "time,open,high,low,close,volume",
        "DATE TIME,Open Price,High Price,Low Price,Close Price,Shares Traded",
        "<date>,<open>,<high>,<low>,<close>,<vol>",
    ],
)
def test_columns_are_known_by_many_names(tmp_path, header):
    header = header.replace("DATE TIME", "Datetime")
    report = imported(tmp_path, "NIFTY.csv", rows(*MINUTES, header=header))
    assert (report.kept, report.refused, report.width, report.symbols) == (4, 0, "1m", ("NIFTY",))
    found = answered(tmp_path, "NIFTY", "1m", START, NEXT)
    assert found.time_ms.tolist() == [at(f"{DAY} 09:{minute}") for minute in (15, 16, 17, 18)]
    assert found.close.tolist() == [101, 102, 103, 104]
    assert found.volume.tolist() == [10] * 4


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_and_encodings_are_read(tmp_path, delimiter):
    text = rows(*MINUTES).replace(",", delimiter)
    assert imported(tmp_path, "NIFTY.csv", text).kept == 4
    assert imported(tmp_path, "NIFTY.txt", b"\xff\xfe" + text.encode("utf-16-le")).kept == 4
    assert imported(tmp_path, "BANKNIFTY.csv", b"\xef\xbb\xbf" + text.encode()).kept == 4


@pytest.mark.parametrize(
    "row",
    [
        "NIFTY,20260602,{clock},{prices},10,0",  # minutes as they are shared freely
        "NIFTY,20260602,{clock},{prices},10,0,",
        "2026-06-02 {clock}:00,{prices},10",
        "2026-06-02,{clock},{prices}",
        "02-Jun-2026 {clock},{prices},10,0",
        "NIFTY 50;25/06/2026;{clock};{prices}",
    ],
)
def test_a_file_without_a_header_is_read_by_what_stands_in_its_first_row(tmp_path, row):
    delimiter = ";" if ";" in row else ","
    lines = [
        row.format(clock=f"09:{15 + n}", prices=delimiter.join(map(str, (100 + n, 102 + n, 99 + n, 101 + n))))
        for n in range(4)
    ]
    lines.insert(2, lines[0].replace("102", "x"))
    report = imported(tmp_path, "nifty.txt", "\n".join(lines))
    assert (report.kept, report.width, report.symbols) == (4, "1m", ("NIFTY",))
    assert [(bad.number, bad.reason) for bad in report.bad_rows] == [(3, "high must be a number, was 'x'.")]
    found = answered(tmp_path, "NIFTY", "1m", "2026-06-01 00:00", "2026-06-30 00:00")
    assert found.close.tolist() == [101, 102, 103, 104]


@pytest.mark.parametrize(
    "row",
    [
        "NIFTY,20260602,09:15,100,102,99",  # too few
        "NIFTY,20260602,09:15,100,99,102,101",  # a high below the low
        "NIFTY,20260602,09:15,100,102,99,101,1,2,3",  # nobody knows what the last is
        "NIFTY,24000,CE,100,102,99,101",
        '"NIFTY,1',
        "NIFTY",
        "20260602",
    ],
)
def test_a_first_row_that_is_neither_header_nor_candle_is_not_guessed_at(tmp_path, row):
    report = imported(tmp_path, "nifty.txt", f"{row}\n{row}\n")
    assert report.exit_code == 2
    assert "expected candles" in report.error


def test_volumes_are_read_as_they_are_abbreviated(tmp_path):
    lines = [
        f'"Jun {day:02}, 2026","{close}","100","110","90","{told}","1%"'
        for day, close, told in (
            (1, 101, "565.40M"),
            (2, 102, "1.01B"),
            (3, 103, "12,3K"),
            (4, 104, "1.5 Cr"),
        )
    ]
    header = '"Date","Price","Open","High","Low","Vol.","Change %"'
    report = imported(tmp_path, "NIFTY 50.csv", rows(*lines, header=header))
    assert (report.kept, report.flawed, report.width) == (4, 0, "1d")
    found = answered(tmp_path, "NIFTY", "1d", "2026-06-01 00:00", "2026-06-05 00:00")
    assert found.volume.tolist() == [565_400_000, 1_010_000_000, 123_000, 15_000_000]


@pytest.mark.parametrize("told", ["NaN", "null", "None", "N/A", "-", ""])
def test_a_volume_that_is_said_to_be_unknown_is_so_without_a_word(tmp_path, told):
    report = imported(tmp_path, "NIFTY.csv", rows(f"{DAY} 09:15,100,102,99,101,{told}", *MINUTES[1:]))
    assert (report.kept, report.flawed, report.refused) == (4, 0, 0)
    assert np.isnan(answered(tmp_path, "NIFTY", "1m", START, NEXT).volume[0])


def test_lines_of_json_are_rows(tmp_path):
    names = ("timestamp", "open", "high", "low", "close", "volume")
    lines = [json.dumps({"symbol": "TCS", **dict(zip(names, row, strict=False))}) for row in CANDLES]
    report = imported(tmp_path, "stock.jsonl", "\n".join(lines) + "\n")
    assert (report.kept, report.symbols, report.width) == (3, ("TCS",), "1m")
    torn = imported(tmp_path, "torn.jsonl", "\n".join([*lines, lines[0][:30]]))
    assert torn.exit_code == 2
    assert "not valid JSON" in torn.error


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("BANKNIFTY_50000_PE.csv", "50000_PE"),
        ("NSE_NIFTY_240606C23000.csv", "240606C23000"),
        ("NIFTY-I.csv", "I"),
        ("nifty_futures_1min.csv", "FUTURES"),
        ("CRUDEOIL_6000_CE.csv", "6000_CE"),
    ],
)
def test_candles_of_a_contract_are_not_taken_for_its_underlyings(tmp_path, name, told):
    report = imported(tmp_path, name, rows(*MINUTES))
    assert report.exit_code == 2
    symbol = "BANKNIFTY" if "BANK" in name else "CRUDEOIL" if "CRUDE" in name else "NIFTY"
    assert report.error == (
        f"its name tells of a contract ({told}), whose candles are not those of {symbol}: "
        f"--symbol {symbol} takes them for it."
    )
    assert imported(tmp_path, name, rows(*MINUTES), symbol=symbol).kept == 4


def test_a_zip_that_is_named_after_a_contract_tells_of_it_too(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("candles.csv", rows(*MINUTES))
    report = imported(tmp_path, "NIFTY24JUNFUT_NIFTY.zip", packed.getvalue())
    assert report.exit_code == 2
    assert "its name tells of a contract (FUT)" in report.error


def test_a_commodity_is_priced_by_its_future(tmp_path):
    assert imported(tmp_path, "CRUDEOIL-I.csv", rows(*MINUTES)).symbols == ("CRUDEOIL",)


CANDLES = [
    ["2026-06-02T09:15:00+05:30", 100, 102, 99, 101, 10, 0],
    ["2026-06-02T09:16:00+05:30", 101, 103, 100, 102, 10, 0],
    ["2026-06-02T09:17:00+05:30", 102, 104, 101, 103, 10, 0],
]
EPOCHS = [at(f"{DAY} 09:{minute}") // 1000 for minute in (15, 16, 17)]
LISTS = {
    "open": [100, 101, 102],
    "high": [102, 103, 104],
    "low": [99, 100, 101],
    "close": [101, 102, 103],
    "volume": [10, 10, 10],
}


@pytest.mark.parametrize(
    "document",
    [
        {"status": "success", "data": {"candles": [row[:6] for row in CANDLES]}},  # Kite
        {"status": "success", "data": {"candles": CANDLES[::-1]}},  # Upstox: newest first
        {**LISTS, "timestamp": EPOCHS, "open_interest": [0, 0, 0]},  # Dhan
        {"status": "success", "data": {**LISTS, "timestamp": [float(epoch) for epoch in EPOCHS]}},
        {"s": "ok", "candles": [[epoch, *row[1:6]] for epoch, row in zip(EPOCHS, CANDLES, strict=True)]},
        {"status": True, "data": [row[:6] for row in CANDLES]},  # Angel
        {"s": "ok", "t": EPOCHS, **{name[0]: told for name, told in LISTS.items()}},
        [dict(zip(("date", "open", "high", "low", "close", "volume"), row, strict=False)) for row in CANDLES],
    ],
    ids=["kite", "upstox", "dhan", "dhan in data", "fyers", "angel", "udf", "records"],
)
def test_the_answers_of_brokers_are_read(tmp_path, document):
    report = imported(tmp_path, "NIFTY BANK.json", document)
    assert (report.what, report.kept, report.width, report.symbols) == ("candles", 3, "1m", ("BANKNIFTY",))
    found = answered(tmp_path, "BANKNIFTY", "1m", START, NEXT)
    assert found.time_ms.tolist() == [1000 * epoch for epoch in EPOCHS]
    assert found.close.tolist() == [101, 102, 103]


def test_days_of_a_broker_are_days_by_midnight_of_india_or_utc(tmp_path):
    days = ["2026-06-01", "2026-06-02", "2026-06-03"]
    midnights = {**LISTS, "timestamp": [at(f"{day} 00:00") // 1000 for day in days]}
    utc = [[f"{day}T00:00:00Z", *row[1:]] for day, row in zip(days, CANDLES, strict=True)]
    assert imported(tmp_path, "NIFTY.json", midnights).width == "1d"
    assert imported(tmp_path, "TCS.json", {"data": {"candles": utc}}).width == "1d"
    for symbol in ("NIFTY", "TCS"):
        found = answered(tmp_path, symbol, "1d", "2026-06-01 00:00", "2026-06-04 00:00")
        assert found.time_ms.tolist() == [at(f"{day} 09:15") for day in days]


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"candles": []}},
        {"s": "no_data", "candles": []},
        {"o": [], "h": [], "l": [], "c": [], "t": []},
    ],
)
def test_an_answer_without_candles_keeps_none(tmp_path, document):
    report = imported(tmp_path, "NIFTY.json", document)
    assert (report.what, report.symbols, report.kept, report.exit_code) == ("candles", ("NIFTY",), 0, 1)


def test_an_entry_that_is_no_candle_is_refused_by_its_number(tmp_path):
    report = imported(tmp_path, "NIFTY.json", {"data": {"candles": [*CANDLES, ["x"], [1, 2, 3, 4, 5, 6]]}})
    assert (report.kept, report.refused) == (3, 2)
    assert [row.number for row in report.bad_rows] == [4, 5]


@pytest.mark.parametrize(
    ("instants", "name", "width"),
    [
        ([f"{DAY} {clock}" for clock in clocks("09:15", 5, 75)], "", "5m"),
        ([f"{DAY} {clock}" for clock in clocks("09:15", 60, 7)], "", "1h"),
        ([f"{DAY} {clock}" for clock in ("09:15", "10:00", "11:00", "12:00", "13:00")], "", "1h"),
        ([f"{DAY} {clock}" for clock in clocks("09:15", 75, 5)], "", "75m"),
        ([f"{DAY} 09:{minute}" for minute in (15, 16, 18, 19, 23, 27)], "", "1m"),
        ([f"{DAY} 09:15:{second:02}" for second in range(0, 60, 5)], "", "5s"),
        (["2026-06-01", "2026-06-02"], "NIFTY_5minute.csv", "1d"),
        ([f"2026-06-0{day} 15:30" for day in (1, 2, 3)], "", "1d"),
        ([f"2026-06-0{day} 09:15" for day in (1, 2)], "", "1m"),
        ([f"2026-06-0{day} 09:15" for day in (1, 2)], "NIFTY_day.csv", "1d"),
        ([f"{DAY} 09:15"], "NIFTY_15minute.csv", "15m"),
        ([f"{DAY} 09:15"], "NIFTY 50_minute.csv", "1m"),
        ([f"{DAY} 09:15"], "NIFTY.csv", "1m"),
        (["2026-06-01", "2026-06-08", "2026-06-15"], "", "1w"),
    ],
)
def test_the_width_is_read_from_the_instants(instants, name, width):
    assert width_name(infer_width([[parse_moment(text) for text in instants]], name)) == width


def test_widths_have_names():
    for name in ("1s", "5s", "1m", "3m", "75m", "1h", "4h", "1d", "1w"):
        assert width_name(parse_width(name)) == name
    assert [parse_width(text) for text in ("5minute", "day", "60minute", "hourly")] == [
        5 * MINUTE_MS,
        DAY_MS,
        60 * MINUTE_MS,
        60 * MINUTE_MS,
    ]
    for text in ("month", "7s", "90s", "0m", "", "tick"):
        with pytest.raises(ValueError, match="an interval must be like"):
            parse_width(text)
    assert width_in_name("nifty_month.csv") is None


def test_five_minute_bars_are_answered_for_five_minutes_and_wider(tmp_path):
    report = imported(tmp_path, "NIFTY_5minute.csv", rows(*bars(DAY, clocks("09:15", 5, 75))))
    assert (report.width, report.kept) == ("5m", 75)
    assert len(answered(tmp_path, "NIFTY", "1m", START, NEXT)) == 0
    assert len(answered(tmp_path, "NIFTY", "3m", START, NEXT)) == 0
    five = answered(tmp_path, "NIFTY", "5m", START, NEXT)
    assert five.time_ms.tolist() == [at(f"{DAY} 09:15") + 300_000 * row for row in range(75)]
    assert set(five.width_ms.tolist()) == {300_000}
    quarter = answered(tmp_path, "NIFTY", "15m", START, NEXT)
    assert len(quarter) == 25
    assert (quarter.open[0], quarter.high[0], quarter.close[0], quarter.volume[0]) == (100, 104, 103, 30)
    for hours in ("exchange", "always"):
        hour = answered(tmp_path, "NIFTY", "1h", START, NEXT, hours)
        assert (len(hour), hour.volume.sum()) == (7, 750)
        day = answered(tmp_path, "NIFTY", "1d", f"{DAY} 09:15", f"{DAY} 15:00", hours)
        assert (day.open.tolist(), day.close.tolist(), day.volume.tolist()) == ([100], [175], [750])
        assert day.width_ms.tolist() == [300_000]


def test_a_bar_that_spans_two_candles_makes_neither(tmp_path):
    """Bars of ten minutes make no quarter of an hour, those on the clock's hours none of the session's."""
    imported(tmp_path, "NIFTY.csv", rows(*bars(DAY, clocks("09:15", 10, 30))))
    assert len(answered(tmp_path, "NIFTY", "15m", START, NEXT)) == 0
    assert len(answered(tmp_path, "NIFTY", "30m", START, NEXT)) == 10
    clock = ["09:15", "10:00", "11:00", "12:00"]
    imported(tmp_path, "TCS.csv", rows(*bars(DAY, [f"{told}:00" for told in clock])))
    assert len(answered(tmp_path, "TCS", "1h", START, NEXT)) == 1  # the first reaches to 10:15 by its width
    assert answered(tmp_path, "TCS", "1d", f"{DAY} 09:15", f"{DAY} 15:00").volume.tolist() == [40]


def test_bars_finer_than_a_minute_are_merged_and_it_is_said(tmp_path):
    instants = [f"{DAY} 09:{minute}:{second:02}" for minute in (15, 16) for second in range(0, 60, 5)]
    lines = [f"{told},{100 + row},{102 + row},{99 + row},{101 + row},1" for row, told in enumerate(instants)]
    report = imported(tmp_path, "NIFTY.csv", rows(*lines[::-1]))
    assert (report.width, report.kept, report.merged, report.rows) == ("1m", 2, 22, 24)
    assert any("bars of 5s are merged into minutes" in note for note in report.notes)
    found = answered(tmp_path, "NIFTY", "1m", START, NEXT)
    assert (found.open.tolist(), found.close.tolist()) == ([100, 112], [112, 124])
    assert (found.high.tolist(), found.low.tolist()) == ([113, 125], [99, 111])
    assert found.volume.tolist() == [12, 12]


def test_trades_of_one_second_are_all_counted(tmp_path):
    lines = [
        f"{DAY} 09:15:{second:02},100,101,99,100,{1 + place}" for second in range(3) for place in range(2)
    ]
    report = imported(tmp_path, "NIFTY.csv", rows(*lines), interval="1s")
    assert (report.kept, report.merged) == (1, 5)
    assert answered(tmp_path, "NIFTY", "1m", START, NEXT).volume.tolist() == [9]


def test_the_interval_that_is_ordered_overrides(tmp_path):
    lines = [f"{DAY} 09:15:00,100,101,99,100,1"]
    assert imported(tmp_path, "NIFTY.csv", rows(*lines)).width == "1m"
    assert imported(tmp_path, "NIFTY.csv", rows(*lines), interval="15m").width == "15m"
    assert imported(tmp_path, "NIFTY.csv", rows(*lines), interval="1d").width == "1d"
    days = rows("2026-06-01,100,101,99,100,1")
    assert "needs instants" in str(imported(tmp_path, "NIFTY.csv", days, interval="1m").error)
    apart = imported(tmp_path, "NIFTY.csv", rows(*MINUTES), interval="5m")
    assert apart.error == "bars of 5m must begin that far apart, its rows are 1m apart."


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["2026-06-01,1,2,1,2,1", "2026-06-08,1,2,1,2,1", "2026-06-15,1,2,1,2,1"], "its bars are of 1w"),
        ([f"{DAY} 09:15:00,1,2,1,2,1", f"{DAY} 09:16:30,1,2,1,2,1"], "must be whole minutes wide, are 90 s"),
    ],
)
def test_widths_that_are_not_kept_are_refused(tmp_path, lines, sentence):
    report = imported(tmp_path, "NIFTY.csv", rows(*lines))
    assert sentence in str(report.error)
    assert report.exit_code == 2


DAY_ROW = f"{DAY},100,110,90,105,1000"
PARTIAL = bars(DAY, clocks("09:15", 1, 4))
FIVES = bars(DAY, clocks("09:15", 5, 75))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1), (1, 0, 2), (2, 0, 1)])
def test_an_end_of_day_outranks_bars_and_bars_outrank_minutes_in_any_order(tmp_path, order):
    files = [("NIFTY_day.csv", [DAY_ROW]), ("NIFTY_5minute.csv", FIVES), ("NIFTY_minute.csv", PARTIAL)]
    seen = set()
    for place in order:
        name, lines = files[place]
        assert imported(tmp_path, name, rows(*lines)).exit_code == 0
        seen.add(place)
        found = answered(tmp_path, "NIFTY", "1d", f"{DAY} 09:15", f"{DAY} 15:00")
        best = min(seen)
        assert found.volume.tolist() == [[1000], [750], [40]][best]
        assert found.width_ms.tolist() == [[DAY_MS], [300_000], [MINUTE_MS]][best]


def test_a_later_end_of_day_replaces_an_earlier_one(tmp_path):
    imported(tmp_path, "NIFTY_day.csv", rows(DAY_ROW))
    imported(tmp_path, "NIFTY_day2.csv", rows(f"{DAY},100,111,90,106,2000"))
    assert answered(tmp_path, "NIFTY", "1d", f"{DAY} 09:15", f"{DAY} 15:00").volume.tolist() == [2000]


@pytest.mark.parametrize("hours", ["exchange", "always"])
def test_bars_at_the_close_and_before_the_open_belong_to_their_day(tmp_path, hours):
    lines = bars(DAY, ["09:00:00", "09:07:00", *clocks("09:15", 1, 3), "15:29:00", "15:30:00", "15:59:00"])
    imported(tmp_path, "NIFTY_minute.csv", rows(*lines))
    found = answered(tmp_path, "NIFTY", "1d", "2026-06-01 09:15", "2026-06-04 15:00", hours)
    assert found.time_ms.tolist() == [at(f"{DAY} 09:15")]
    assert (found.open[0], found.close[0], found.volume[0]) == (100, 108, 80)


SATURDAY = "2019-06-01"  # before any special session the calendar knows


def test_a_day_that_has_rows_is_a_session_of_its_own_and_it_is_said_once(tmp_path):
    lines = bars(SATURDAY, clocks("09:15", 1, 30)) + bars("2019-06-03", clocks("09:15", 1, 2), 500)
    report = imported(tmp_path, "NIFTY_minute.csv", rows(*lines))
    assert report.notes == [f"{SATURDAY}: no session of the calendar, taken as one of its own"]
    for hours in ("exchange", "always"):
        days = answered(tmp_path, "NIFTY", "1d", "2019-05-31 09:15", "2019-06-04 09:00", hours)
        assert days.time_ms.tolist() == [at(f"{SATURDAY} 09:15"), at("2019-06-03 09:15")]
        assert days.open.tolist() == [100, 500]
        weeks = answered(tmp_path, "NIFTY", "1w", "2019-05-31 09:15", "2019-06-04 09:00", hours)
        assert weeks.time_ms.tolist()[-1] == at("2019-06-03 09:15")
        assert weeks.open.tolist() == [100, 500]
        assert len(answered(tmp_path, "NIFTY", "15m", f"{SATURDAY} 09:15", f"{SATURDAY} 09:45", hours)) == 2
    daily = imported(tmp_path, "TCS.csv", rows(f"{SATURDAY},1,2,1,2,5", "2019-06-03,2,3,2,3,6"))
    assert daily.notes == report.notes
    assert answered(tmp_path, "TCS", "1d", "2019-05-31 09:15", "2019-06-04 09:00").volume.tolist() == [5, 6]


def test_a_session_in_the_evening_begins_with_its_first_row(tmp_path):
    imported(tmp_path, "NIFTY_minute.csv", rows(*bars(SATURDAY, clocks("18:15", 1, 60))))
    found = answered(tmp_path, "NIFTY", "1d", f"{SATURDAY} 18:15", f"{SATURDAY} 19:00")
    assert found.time_ms.tolist() == [at(f"{SATURDAY} 18:15")]
    hour = answered(tmp_path, "NIFTY", "1h", f"{SATURDAY} 18:15", f"{SATURDAY} 19:15")
    assert (len(hour), hour.volume.tolist()) == (1, [600])


def test_prices_below_zero_are_a_commoditys(tmp_path):
    lines = ["2020-04-20,17.73,17.85,-40.32,-37.63,1000", "2020-04-21,-0.01,13.86,-16.74,10.01,5"]
    report = imported(tmp_path, "CRUDEOIL.csv", rows(*lines))
    assert (report.kept, report.exit_code) == (2, 0)
    found = answered(tmp_path, "CRUDEOIL", "1d", "2020-04-20 09:00", "2020-04-22 09:00")
    assert found.close.tolist() == [-37.63, 10.01]
    assert found.open.tolist() == [17.73, -0.01]
    refused = imported(tmp_path, "NIFTY.csv", rows(*lines))
    assert (refused.kept, refused.exit_code) == (0, 1)
    assert refused.bad_rows[0].reason == "low must be a price above 0, was '-40.32'."


def test_negative_minutes_come_back_from_the_store(tmp_path):
    lines = [f"2020-04-20 23:{minute},-1,-0.01,-37.63,-0.5,7" for minute in (10, 11)]
    imported(tmp_path, "CRUDEOIL.csv", rows(*lines))
    found = answered(tmp_path, "CRUDEOIL", "1m", "2020-04-20 23:00", "2020-04-21 00:00")
    assert found.high.tolist() == [-0.01, -0.01]
    assert found.low.tolist() == [-37.63, -37.63]


def test_codes_of_numbers_below_zero_are_not_that_of_the_unknown():
    values = np.array([-0.01, -0.02, np.nan, 0.0, 5.0, -37.63])
    np.testing.assert_array_equal(decode(encode(values, 100), 100), values)
    assert encode(np.array([np.nan, 0.0, 7.25]), 100).tolist() == [-1, 0, 725]  # as older stores have them


def test_a_bar_of_any_width_keeps_its_minute():
    times = np.array([0, 75, 150]) * MINUTE_MS
    candles = Candles.of(times, [np.ones(3)] * 5, 5, 75 * MINUTE_MS)
    again = unpack_candles(pack_candles(candles, 0), 0)
    assert again.time_ms.tolist() == times.tolist()


def test_wider_bars_take_the_place_of_what_begins_in_them():
    minutes = Candles.of(np.arange(4, 12) * MINUTE_MS, [np.ones(8)] * 5)
    five = Candles.of(np.array([5 * MINUTE_MS]), [np.full(1, 9.0)] * 5, 0, 5 * MINUTE_MS)
    found = laid_over([minutes, five])
    assert (found.time_ms // MINUTE_MS).tolist() == [4, 5, 10, 11]
    assert found.open.tolist() == [1, 9, 1, 1]
    assert len(laid_over([])) == 0


def test_a_bad_amount_is_unknown_and_the_row_is_kept_and_named(tmp_path):
    lines = [
        f"{DAY} 09:15:00,100,101,99,100,abc",
        f"{DAY} 09:16:00,100,101,99,100,-5",
        f"{DAY} 09:17:00,100,101,99,100,-",
        f"{DAY} 09:18:00,100,101,99,100,7",
    ]
    report = imported(tmp_path, "NIFTY.csv", rows(*lines))
    assert (report.kept, report.refused, report.flawed, report.exit_code) == (4, 0, 2, 0)
    assert [flaw.number for flaw in report.flaws] == [2, 3]
    assert report.flaws[0].reason.startswith("volume must be a number, was 'abc'; the field is unknown")
    volume = answered(tmp_path, "NIFTY", "1m", START, NEXT).volume
    np.testing.assert_array_equal(volume, [np.nan, np.nan, np.nan, 7])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("100,101,99,101.5,1", "open and close must lie between low and high, were 100, 101.5 with 99, 101."),
        ("98,101,99,100,1", "open and close must lie between low and high, were 98, 100 with 99, 101."),
        ("100,101,99,98,1", "open and close must lie between low and high, were 100, 98 with 99, 101."),
        ("102,101,99,100,1", "open and close must lie between low and high, were 102, 100 with 99, 101."),
        ("0,101,0,100,1", "open must be a price above 0, was '0'."),
        ("x,101,99,100,1", "open must be a number, was 'x'."),
        (",101,99,100,1", "open must be a price, was ''."),
        ("100,inf,99,100,1", "high must be finite, was 'inf'."),
        ("100,101,99,100", "a row must have 6 columns, had 5."),
        ("100,101,99,100,1,2", "a row must have 6 columns, had 7."),
    ],
)
def test_a_bad_row_is_refused_with_rule_and_value(tmp_path, row, reason):
    report = imported(tmp_path, "NIFTY.csv", rows(*MINUTES, f"{DAY} 09:30:00,{row}"))
    assert (report.kept, report.refused, report.exit_code) == (4, 1, 1)
    assert [(bad.number, bad.reason) for bad in report.bad_rows] == [(6, reason)]


def test_only_a_number_of_bad_rows_is_remembered_and_all_are_counted(tmp_path):
    report = imported(tmp_path, "NIFTY.csv", rows(*["not a date,1,2,3,4,5"] * 1_200))
    assert (report.refused, len(report.bad_rows), report.exit_code) == (1_200, 1_000, 1)


def test_unknown_symbols_are_counted_and_named(tmp_path):
    lines = [
        f"{DAY} 09:{minute}:00,{symbol},100,101,99,100,10"
        for minute in (15, 16, 17)
        for symbol in ("NIFTY BANK", "NOSUCH", "Nifty 50", "NIFTY MIDCAP 100")
    ]
    report = imported(tmp_path, "candles.csv", rows(*lines, header="date,symbol,open,high,low,close,volume"))
    assert (report.kept, report.refused, report.exit_code) == (6, 6, 1)
    assert report.symbols == ("BANKNIFTY", "NIFTY")
    assert dict(report.unknown_symbols) == {"NOSUCH": 3, "NIFTY MIDCAP 100": 3}
    assert dict(report.reasons) == {"symbol must be one that this server has": 6}
    assert len(answered(tmp_path, "BANKNIFTY", "1m", START, NEXT)) == 3


def test_the_symbol_that_is_ordered_overrides(tmp_path):
    text = rows(*MINUTES)
    assert "NIFTY MIDCAP 100" in str(imported(tmp_path, "NIFTY MIDCAP 100_minute.csv", text).error)
    report = imported(tmp_path, "NIFTY MIDCAP 100_minute.csv", text, symbol="nifty bank")
    assert report.symbols == ("BANKNIFTY",)
    assert "must be one that this server has" in str(imported(tmp_path, "x.csv", text, symbol="NOPE").error)
    header = "date,symbol,open,high,low,close,volume"
    one, two = f"{DAY} 09:15,A,1,2,1,2,1", f"{DAY} 09:15,B,1,2,1,2,1"
    assert imported(tmp_path, "x.csv", rows(one, header=header), symbol="TCS").symbols == ("TCS",)
    assert "of 2 symbols" in str(
        imported(tmp_path, "x.csv", rows(one, two, header=header), symbol="TCS").error
    )


def test_dates_that_can_be_read_both_ways_are_asked_about(tmp_path):
    text = rows("01/06/2026,100,101,99,100,1", "02/06/2026,100,101,99,100,1")
    report = imported(tmp_path, "NIFTY.csv", text)
    assert "day first or month first?" in str(report.error)
    assert report.exit_code == 2
    assert imported(tmp_path, "NIFTY.csv", text, dates="day-first").kept == 2
    found = answered(tmp_path, "NIFTY", "1d", "2026-06-01 09:15", "2026-06-03 09:00")
    assert found.time_ms.tolist() == [at("2026-06-01 09:15"), at("2026-06-02 09:15")]
    settled = imported(tmp_path, "TCS.csv", text + "15/06/2026,100,101,99,100,1\n")
    assert (settled.kept, settled.error) == (3, None)
    with pytest.raises(ValueError, match="dates must be day-first or month-first, was 'x'"):
        imported(tmp_path, "NIFTY.csv", text, dates="x")


def test_the_daily_file_of_shares_is_read(tmp_path):
    header = (
        "TradDt,BizDt,Sgmt,Src,FinInstrmTp,FinInstrmId,ISIN,TckrSymb,SctySrs,XpryDt,FininstrmActlXpryDt,StrkPric,"
        "OptnTp,FinInstrmNm,OpnPric,HghPric,LwPric,ClsPric,LastPric,PrvsClsgPric,UndrlygPric,SttlmPric,OpnIntrst,"
        "ChngInOpnIntrst,TtlTradgVol,TtlTrfVal,TtlNbOfTxsExctd,SsnId,NewBrdLotQty"
    )
    share = "2026-06-02,2026-06-02,CM,NSE,STK,1,X,RELIANCE,{},,,,,X,"
    prices = "1400,1420,1390,1410,1410,1400,,1410,,,9615271,1,1,F1,1"
    lines = [share.format(series) + prices for series in ("EQ", "N1")]
    report = imported(tmp_path, "BhavCopy_NSE_CM_0_0_0_20260602_F_0000.csv", rows(*lines, header=header))
    assert (report.what, report.width, report.kept, report.refused) == ("candles", "1d", 1, 1)
    assert answered(tmp_path, "RELIANCE", "1d", f"{DAY} 09:15", NEXT).volume.tolist() == [9615271]
