import gzip
import json
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feed.market.source import CONTRACT_FIELDS
from feed.recordings.frames import Recording, RecordingError, contract_values
from feed.recordings.reading import FrontDoor, Options
from feed.recordings.text import local_day, local_ms, parse_day, parse_instant, parse_number
from tests.feed.history.support import CALENDAR, CATALOGUE

MADE_UP = Path(__file__).parents[2] / "data"
FIRST = date(2026, 3, 10)
SECOND = date(2026, 3, 17)
MINUTE_HEADER = "timestamp,expiry,strike,option_type,spot,ltp,volume,oi,oi_chg,iv"


def read(path: Path, **options: object) -> Recording:
    return FrontDoor(CATALOGUE, CALENDAR, Options(**options)).recording(path)


def values_of(told: dict[str, float]) -> tuple[dict[str, float], list[str]]:
    """The values of a contract, and what was said of those it cannot have."""
    flaws: list[str] = []
    return contract_values(told, flaws.append), flaws


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        *("25-Aug-2026", "25-AUG-2026", "25-08-2026", "2026-08-25", "20260825"),
        # what programs make of a day: an instant
        *(
            "2026-08-25T00:00:00.000",
            "2026-08-25 00:00:00",
            "2026-08-24T18:30:00Z",
            "2026-08-25T00:00:00+05:30",
        ),
        *("1787616000000", "1787616000", "25-Aug-2026 14:30:00"),
    ],
)
def test_parse_day_reads_every_form_in_use(text):
    assert parse_day(text) == date(2026, 8, 25)


@pytest.mark.parametrize(
    "text", ["", "25-Agu-2026", "31-02-2026", "2026/8/25", "01/02/2026", "tomorrow", "2026-08-25 10:00 11:00"]
)
def test_parse_day_refuses_anything_else_with_the_text(text):
    with pytest.raises(ValueError, match="a date must look like") as refused:
        parse_day(text)
    assert repr(text) in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["202608191127", "20260819112700", "2026-08-19 11:27", "2026-08-19T11:27:00", "19-Aug-2026 11:27:00"],
)
def test_parse_instant_takes_the_exchange_local_time(text):
    assert parse_instant(text) == 1_787_119_020_000  # 05:57 UTC


@pytest.mark.parametrize("text", ["", "202608192527", "2026-08-19", "2026-08-19 11:61", "11:27"])
def test_parse_instant_refuses_anything_else(text):
    with pytest.raises(ValueError, match="a timestamp must look like"):
        parse_instant(text)


def test_local_day_turns_at_midnight_of_the_exchange():
    midnight_ms = local_ms(date(2026, 3, 10), 0, 0)
    assert local_day(midnight_ms) == date(2026, 3, 10)
    assert local_day(midnight_ms - 1) == date(2026, 3, 9)


def test_parse_number_reads_the_exchange_site_csv_forms():
    assert parse_number("oi", " 1,234.5 ") == 1234.5
    assert math.isnan(parse_number("oi", "-"))
    assert math.isnan(parse_number("oi", ""))


@pytest.mark.parametrize("text", ["inf", "1e999", "12a", "1_0", "9007199254740994"])
def test_parse_number_refuses_what_is_no_finite_number(text):
    with pytest.raises(ValueError, match=r"ltp must (be (a number|finite)|lie within)"):
        parse_number("ltp", text)


def test_contract_values_take_zero_prices_as_none_and_zero_counts_as_counts():
    values, _ = values_of(
        {"last_price": 0, "bid": 0, "ask": 0, "volume": 0, "open_interest": 0, "bid_quantity": 0}
    )
    assert all(math.isnan(values[name]) for name in ("last_price", "bid", "ask"))
    assert (values["volume"], values["open_interest"], values["bid_quantity"]) == (0, 0, 0)


def test_contract_values_give_the_previous_day_from_the_changes():
    values, _ = values_of(
        {"last_price": 12.35, "change": -0.3, "open_interest": 37.5, "open_interest_change": -4}
    )
    assert values["previous_close"] == 12.65
    assert values["previous_open_interest"] == 41.5


@pytest.mark.parametrize("told", [{"last_price": 0, "change": 0}, {"last_price": 4.05, "change": 4.05}])
def test_contract_values_know_no_previous_close_of_a_contract_that_had_none(told):
    assert math.isnan(values_of(told)[0]["previous_close"])


@pytest.mark.parametrize(
    ("told", "unknown", "sentence"),
    [
        ({"last_price": -0.05}, {"last_price"}, "last_price must not be negative, was -0.05"),
        ({"open_interest": -1}, {"open_interest"}, "open_interest must not be negative, was -1"),
        ({"bid": 3, "ask": 2.95}, {"bid", "ask"}, "bid must not be above ask, was 3 against 2.95"),
        (
            {"open_interest": 5, "open_interest_change": 6},
            {"previous_open_interest"},
            "was 5 after a change of 6",
        ),
    ],
)
def test_contract_values_take_what_no_market_has_for_unknown(told, unknown, sentence):
    values, flaws = values_of({"volume": 7, **told})
    assert {name for name, value in values.items() if math.isnan(value)} == unknown
    assert values["volume"] == 7
    assert len(flaws) == 1
    assert sentence in flaws[0]


def test_minutes_become_a_frame_per_instant_in_order():
    recording = read(MADE_UP / "made_up_minutes_20260305.csv")
    assert [frame.time_ms for frame in recording.frames] == [
        local_ms(date(2026, 3, 5), 9, minute) for minute in (20, 21, 22)
    ]
    assert [frame.spots["NIFTY"] for frame in recording.frames] == [21010.0, 21022.5, 20990.0]


def test_minutes_place_calls_and_puts_by_strike():
    frame = read(MADE_UP / "made_up_minutes_20260305.csv").frames[0]
    chain = frame.chains["NIFTY", FIRST]
    assert set(frame.chains) == {("NIFTY", FIRST), ("NIFTY", SECOND)}
    assert chain.strikes.tolist() == [20950, 21000, 21050]
    np.testing.assert_array_equal(chain.field("last_price"), [[np.nan, 120.5, 93], [80, 110.25, np.nan]])
    np.testing.assert_array_equal(chain.field("open_interest"), [[np.nan, 200, 37.5], [150, 90, np.nan]])
    np.testing.assert_array_equal(
        chain.field("previous_open_interest"), [[np.nan, 180, 37.5], [160, 40, np.nan]]
    )
    np.testing.assert_array_equal(chain.present(), [[False, True, True], [True, True, False]])


def test_minutes_leave_unrecorded_fields_unknown():
    chain = read(MADE_UP / "made_up_minutes_20260305.csv").frames[0].chains["NIFTY", FIRST]
    told = {"last_price", "volume", "open_interest", "previous_open_interest"}
    for name in set(CONTRACT_FIELDS) - told:
        assert np.isnan(chain.field(name)).all(), name


def test_gzipped_minutes_read_the_same(tmp_path):
    plain = MADE_UP / "made_up_minutes_20260305.csv"
    packed = tmp_path / "packed.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert_same(read(packed), read(plain))


@pytest.mark.parametrize("name", ["made_up_minutes_20260305.csv", "made_up_exchange_legacy.json"])
def test_a_byte_order_mark_is_left_alone(tmp_path, name):
    marked = tmp_path / name
    marked.write_bytes(b"\xef\xbb\xbf" + (MADE_UP / name).read_bytes())
    assert_same(read(marked), read(MADE_UP / name))


def test_bad_rows_are_named_by_line_and_the_rest_is_kept():
    recording = read(MADE_UP / "made_up_bad_rows.csv")
    reasons = {row.number: row.reason for row in recording.bad_rows}
    assert list(reasons) == [3, 4, 5, 6, 7, 9, 10, 12, 13]
    flaws = {row.number: row.reason for row in recording.flaws}
    assert list(flaws) == [8]
    reasons |= flaws
    expected = {
        3: "a row must have 10 columns, had 9",
        4: "a timestamp must look like",
        5: "a date must look like",
        6: "strike must be positive, was '0'",
        7: "option_type must be CE or PE, was 'XX'",
        8: "ltp must be a number, was 'twelve'",
        9: "a contract may appear once an instant",
        10: "a contract may appear once an instant",
        12: "expiry must not lie before the day of the recording, was 2026-03-03",
        13: "a contract may appear once an instant",
    }
    for number, beginning in expected.items():
        assert reasons[number].startswith(beginning)
    chain = recording.frames[0].chains["NIFTY", FIRST]
    np.testing.assert_array_equal(chain.field("last_price"), [[120.5, 90], [np.nan, np.nan]])
    np.testing.assert_array_equal(chain.field("open_interest"), [[200, 40], [90, np.nan]])


def test_a_stray_quote_costs_one_row(tmp_path):
    path = written(
        tmp_path / "nifty_quote.csv",
        MINUTE_HEADER,
        '202603050920,"10-Mar-2026,21000,CE,21010,1,1,1,0,0',
        "202603050920,10-Mar-2026,21000,PE,21010,2,1,1,0,0",
    )
    recording = read(path)
    assert [row.number for row in recording.bad_rows] == [2]
    assert recording.frames[0].chains["NIFTY", FIRST].field("last_price")[1, 0] == 2


def test_quoted_thousands_and_dashes_are_read(tmp_path):
    path = written(
        tmp_path / "nifty_site.csv",
        "timestamp,expiry,strike,option_type,ltp,oi",
        '202603050920,10-Mar-2026,"21,000.00",CE,-,"1,250"',
    )
    chain = read(path).frames[0].chains["NIFTY", FIRST]
    assert chain.strikes.tolist() == [21000]
    assert chain.field("open_interest")[0, 0] == 1250
    assert np.isnan(chain.field("last_price")[0, 0])


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("nifty_chain_20260305.csv", "NIFTY"),
        ("BANKNIFTY_2026-03-05.csv", "BANKNIFTY"),
        ("BANKNIFTY-2026-03-05.csv", "BANKNIFTY"),
        ("chain_m&m.csv", "M&M"),
        ("bajaj-auto_20260305.csv", "BAJAJ-AUTO"),
    ],
)
def test_the_symbol_comes_from_the_file_name(tmp_path, name, symbol):
    path = written(tmp_path / name, MINUTE_HEADER, "202603050920,10-Mar-2026,21000,CE,21010,1,1,1,0,0")
    assert read(path).frames[0].spots == {symbol: 21010}


def test_a_chain_that_does_not_tell_its_symbol_is_taken_for_the_commonest(tmp_path):
    path = written(
        tmp_path / "chains.csv", MINUTE_HEADER, "202603050920,10-Mar-2026,21000,CE,21010,1,1,1,0,0"
    )
    assert read(path).frames[0].spots == {"NIFTY": 21010}
    assert read(path, symbol="nifty bank").frames[0].spots == {"BANKNIFTY": 21010}


def test_the_symbol_given_wins_over_the_file_name(tmp_path):
    path = written(tmp_path / "nifty.csv", MINUTE_HEADER, "202603050920,10-Mar-2026,21000,CE,21010,1,1,1,0,0")
    assert list(read(path, symbol="WIDGET").frames[0].chains) == [("WIDGET", FIRST)]


def test_a_snapshot_takes_date_from_its_name_and_spot_from_the_file_beside():
    recording = read(MADE_UP / "nifty_snapshot_20260305_close.csv")
    (frame,) = recording.frames
    assert frame.time_ms == local_ms(date(2026, 3, 5), 15, 30)
    assert frame.spots == {"NIFTY": 21010.35}
    chain = frame.chains["NIFTY", FIRST]
    np.testing.assert_array_equal(chain.field("last_price"), [[np.nan, 120.5], [80, 110.25]])
    np.testing.assert_array_equal(chain.field("open_interest"), [[0, 200], [150, 90.5]])
    np.testing.assert_array_equal(chain.field("previous_open_interest"), [[0, 180], [160, 40]])
    # buy_qty is the whole book's, not the best bid's
    assert np.isnan(chain.field("bid_quantity")).all()
    assert recording.bad_rows == ()


def test_a_snapshot_takes_the_spot_it_is_given(tmp_path):
    frame = read(MADE_UP / "nifty_snapshot_20260305_close.csv", spot=20999.5).frames[0]
    assert frame.spots == {"NIFTY": 20999.5}


def test_a_snapshot_without_spot_does_not_make_one_up(tmp_path):
    path = tmp_path / "nifty_20260305_1127.csv"
    path.write_bytes((MADE_UP / "nifty_snapshot_20260305_close.csv").read_bytes())
    (frame,) = read(path).frames
    assert frame.spots == {}
    assert frame.time_ms == local_ms(date(2026, 3, 5), 11, 27)


@pytest.mark.parametrize("shape", ["legacy", "version_3"])
def test_the_exchange_json_is_read_in_both_shapes(shape):
    recording = read(MADE_UP / f"made_up_exchange_{shape}.json")
    (frame,) = recording.frames
    assert frame.time_ms == local_ms(date(2026, 3, 5), 10, 47, 19)
    assert frame.spots == {"BANKNIFTY": 48010.5}
    chain = frame.chains["BANKNIFTY", FIRST]
    assert chain.strikes.tolist() == [47900, 48000]
    expected = {
        "last_price": [[np.nan, 310.05], [np.nan, 295]],
        "bid": [[np.nan, 309.5], [np.nan, 294.05]],
        "ask": [[np.nan, 310.4], [np.nan, np.nan]],
        "bid_quantity": [[np.nan, 60], [0, 30]],
        "ask_quantity": [[np.nan, 90], [0, 0]],
        "volume": [[np.nan, 5000], [0, 4100]],
        "open_interest": [[np.nan, 812.5], [0, 640]],
        "previous_close": [[np.nan, 300.05], [np.nan, 320]],
        "previous_open_interest": [[np.nan, 800], [0, 700]],
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(chain.field(name), values, err_msg=name)
    for name in ("open", "high", "low"):
        assert np.isnan(chain.field(name)).all()


def test_the_legacy_json_holds_every_expiry():
    frame = read(MADE_UP / "made_up_exchange_legacy.json").frames[0]
    assert set(frame.chains) == {("BANKNIFTY", FIRST), ("BANKNIFTY", SECOND)}


def test_bad_entries_of_the_exchange_json_are_counted_from_one(tmp_path):
    leg = {"strikePrice": 100, "underlying": "WIDGET", "lastPrice": 5, "openInterest": 1}
    entries = [
        "not an object",
        {"strikePrice": 100, "expiryDate": "10-Mar-2026"},
        {"strikePrice": None, "expiryDate": "10-Mar-2026", "CE": leg},
        {"strikePrice": 100, "expiryDate": "10-Mar-2026", "CE": leg | {"lastPrice": "five"}},
        {"strikePrice": 100, "expiryDate": "10-Mar-2026", "CE": leg},
        {"strikePrice": 110, "CE": leg},
        {"strikePrice": 110, "expiryDate": "10-Mar-2026", "PE": 7},
    ]
    path = tmp_path / "widget.json"
    path.write_text(json.dumps({"records": {"timestamp": "05-Mar-2026 10:47:19", "data": entries}}))
    recording = read(path)
    assert [row.number for row in recording.bad_rows] == [1, 2, 3, 5, 6, 7]
    assert [row.number for row in recording.flaws] == [4]
    assert "CE lastPrice must be a number, was 'five'" in recording.flaws[0].reason
    chain = recording.frames[0].chains["WIDGET", FIRST]
    assert np.isnan(chain.field("last_price")[0, 0])
    assert chain.field("open_interest")[0, 0] == 1
    assert recording.frames[0].spots == {}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.csv", b"", "it is empty"),
        ("unknown.csv", b"a,b,c\n1,2,3\n", "its columns are unknown; expected"),
        ("nifty_candles.csv", b"date,open,high,low,close\n", "it holds candles, not option chains"),
        ("binary.csv", b"\x00\xff\xfe\x00\x01", "it is neither text nor a gzip or zip"),
        ("nifty.csv", MINUTE_HEADER.encode(), "it holds no usable row"),
        (
            "nifty_bad.csv",
            MINUTE_HEADER.encode() + b"\nx",
            "the first refused was row 2: a row must have 10 columns",
        ),
        ("half.csv.gz", gzip.compress(b"timestamp" * 100, mtime=0)[:-20], "it is not a whole gzip file"),
        ("broken.json", b'{"records": ', "it is not valid JSON"),
        ("other.json", b'{"success": true}', "a list records.data"),
        ("list.json", b"[1, 2]", "a list records.data"),
        ("nifty_untimed.json", b'{"records": {"data": []}}', "a timestamp must look like"),
        ("nifty_20260305.csv", b"expiry,strike,ce_oi,pe_oi\n", "it holds no usable row"),
        ("nifty_undated.csv", b"expiry,strike,ce_oi,pe_oi\n", "does not hold its date"),
        ("nifty_20261305.csv", b"expiry,strike,ce_oi,pe_oi\n", "no valid date or time"),
        ("nifty_20260305_2561.csv", b"expiry,strike,ce_oi,pe_oi\n", "no valid date or time"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_in_one_sentence(tmp_path, name, content, sentence):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=sentence) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(RecordingError, match=r"it cannot be read \(No such file or directory\)"):
        read(tmp_path / "nothing.csv")


def test_an_unreadable_spot_beside_a_snapshot_is_refused(tmp_path):
    written(tmp_path / "nifty_20260305.csv", "expiry,strike,ce_oi,pe_oi", "10-Mar-2026,21000,1,2")
    written(tmp_path / "nifty_20260305.json", '{"underlying_value": "about 21000"}')
    with pytest.raises(RecordingError, match="the spot beside a recording cannot be read"):
        read(tmp_path / "nifty_20260305.csv")


def assert_same(one: Recording, other: Recording) -> None:
    assert one.bad_rows == other.bad_rows
    assert len(one.frames) == len(other.frames)
    for left, right in zip(one.frames, other.frames, strict=True):
        assert (left.time_ms, left.spots, set(left.chains)) == (right.time_ms, right.spots, set(right.chains))
        for key, chain in left.chains.items():
            np.testing.assert_array_equal(chain.strikes, right.chains[key].strikes)
            np.testing.assert_array_equal(chain.values, right.chains[key].values)


LEGS = st.dictionaries(
    st.tuples(
        st.integers(0, 3),  # minute
        st.sampled_from([FIRST, SECOND]),
        st.integers(1, 5).map(lambda step: step * 50.0),
        st.sampled_from(["CE", "PE"]),
    ),
    st.tuples(
        st.integers(1, 10**6).map(lambda ticks: ticks / 20),
        st.integers(0, 10**9),
        st.integers(0, 10**8).map(lambda halves: halves / 2),
    ),
    min_size=1,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(legs=LEGS, order=st.randoms(use_true_random=False))
def test_every_row_written_is_found_again_in_its_place(tmp_path, legs, order):
    rows = [
        f"2026030509{minute:02d},{expiry},{strike},{side},21000,{price},{volume},{interest},0,0"
        for (minute, expiry, strike, side), (price, volume, interest) in legs.items()
    ]
    order.shuffle(rows)
    recording = read(written(tmp_path / "nifty_law.csv", MINUTE_HEADER, *rows))
    assert recording.bad_rows == ()
    found = {}
    for frame in recording.frames:
        minute = (frame.time_ms - local_ms(date(2026, 3, 5), 9, 0)) // 60_000
        for (_, expiry), chain in frame.chains.items():
            for side, column in np.argwhere(chain.present()).tolist():
                place = (minute, expiry, chain.strikes[column], ("CE", "PE")[side])
                fields = ("last_price", "volume", "open_interest")
                found[place] = tuple(chain.field(name)[side, column] for name in fields)
    assert found == legs
