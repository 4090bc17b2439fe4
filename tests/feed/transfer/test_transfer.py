"""Files into a store and out of it: what is understood, what is skipped, and going on after a break."""

from __future__ import annotations

import csv
import gzip
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from domain.instants import MINUTE_MS
from feed.history.history import History, HistoryError
from feed.recordings.reading import Options
from feed.recordings.report import ImportReport
from feed.replay.source import ReplaySource
from feed.transfer.archive import Archive
from feed.transfer.exporting import HEADER
from tests.feed.history.support import (
    CALENDAR,
    CATALOGUE,
    RECORDED,
    Tape,
    assert_same_candles,
    at,
    market,
    run,
)

OPEN = at("2026-11-25 09:15")
DAY = 86_400_000
DATA = Path(__file__).parents[2] / "data"
needs_recordings = pytest.mark.skipif(
    not RECORDED.exists(),
    reason="the recorded data belongs to the exchanges and is not part of the repository",
)


def archive(url: str, *, writable: bool = True) -> Archive:
    return Archive(url, calendar=CALENDAR, catalogue=CATALOGUE, hours="exchange", writable=writable)


def imported(store: Archive, path: Path, symbol: str | None = None, **more: object) -> ImportReport:
    """The only report of a file."""
    (report,) = store.import_file(path, Options(symbol=symbol), **more)
    return report


def recorded_store(url: str, minutes: int = 30) -> Tape:
    history, of = History(url, calendar=CALENDAR, flush_interval_s=0.1, queue_limit=10_000), market()
    history.start(of, OPEN)
    tape = Tape(history, of)
    tape.run(OPEN, minutes)
    run(history.stop())
    return tape


def minute_file(path: Path, rows: int, bad: dict[int, str] | None = None) -> Path:
    """A file of minutes from 2024-06-03 09:15 on; ``bad`` replaces lines, the header being line 1."""
    lines = ["Date,Time,Open,High,Low,Close"]
    for row in range(rows):
        day, minute = divmod(row, 375)
        clock = f"{9 + (15 + minute) // 60:02d}:{(15 + minute) % 60:02d}"
        price = 23_000 + row % 50
        lines.append(f"2024060{3 + day},{clock},{price},{price + 5.5},{price - 5.05},{price + 1}")
    for number, text in (bad or {}).items():
        lines[number - 1] = text
    path.write_text("\n".join(lines) + "\n")
    return path


def test_minutes_are_imported_with_the_day_they_make(store_url: str, tmp_path: Path) -> None:
    told = []
    with archive(store_url) as store:
        file = minute_file(tmp_path / "nifty_1min.csv", 800)
        report = imported(store, file, progress=lambda done, total: told.append((done, total)))
        assert (report.kept, report.refused, report.bad_rows) == (800, 0, [])
        assert told[-1] == (800, 800)
        start = at("2024-06-03 09:15")
        minutes = store.candles("NIFTY", "1m", start, start + 5 * DAY)
        assert len(minutes) == 800
        assert minutes.source_names == ("imported",)
        assert minutes.candle(0).low == 22_994.95
        days = store.candles("NIFTY", "1d", start, start + 5 * DAY)
        assert_same_candles(days, store.grid("NIFTY").resample("1d", minutes))
        assert store.check().problems == []


def test_bad_rows_are_told_by_line_and_the_rest_is_kept(store_url: str, tmp_path: Path) -> None:
    bad = {
        3: "20240603,09:16,abc,1,1,1",
        5: "20240603,09:18,10,9,8,8.5",
        6: "20240603,09:19,10,11",
        7: "20240631,09:20,10,11,9,10",
        8: "20240603,09:21,-5,11,9,10",
        9: "20240603,09:22,10,inf,9,10",
        10: "",
    }
    with archive(store_url) as store:
        report = imported(store, minute_file(tmp_path / "x.csv", 12, bad), "reliance")
    assert (report.kept, report.refused) == (5, 6)
    assert [row.number for row in report.bad_rows] == [3, 5, 6, 7, 8, 9]
    reasons = [row.reason for row in report.bad_rows]
    assert reasons[1] == "open and close must lie between low and high, were 10, 8.5 with 8, 9."
    assert reasons[2] == "a row must have 6 columns, had 4."
    assert reasons[4] == "open must be a price above 0, was '-5'."
    assert all(reason.endswith(".") for reason in reasons)


def test_an_import_that_was_cut_off_goes_on_after_what_is_stored(store_url: str, tmp_path: Path) -> None:
    path = tmp_path / "nifty_long.csv"
    with path.open("w") as file:
        file.write("date,open,high,low,close,volume\n")
        for row in range(12_000):
            stamp = np.datetime64("2024-06-03T03:45") + np.timedelta64(row, "m")
            file.write(f"{stamp}:00Z,{100 + row % 7},{110},{90},{101},{row}\n")

    class Cut(Exception):
        """The power went off."""

    told: list[int] = []

    def cut(done: int, _total: int) -> None:
        told.append(done)
        if told.count(10_000) == 2:  # once read, once written
            raise Cut

    with archive(store_url) as store, pytest.raises(Cut):
        imported(store, path, progress=cut)
    with archive(store_url) as store:
        report = imported(store, path)
        assert report.resumed_after == 10_000
        assert report.kept == 12_000
        start = at("2024-06-03 09:15")
        minutes = store.candles("NIFTY", "1m", start, start + 12_000 * MINUTE_MS)
        assert minutes.volume.tolist() == list(range(12_000))
        again = imported(store, path)
        assert (again.kept, again.resumed_after) == (12_000, 0)


def test_daily_files_with_and_without_a_symbol_column(store_url: str, tmp_path: Path) -> None:
    stocks = tmp_path / "daily_stocks.csv"
    stocks.write_text(
        "symbol,date,open,high,low,close,volume\n"
        "RELIANCE,2025-11-21,1541.0,1557.8,1540.1,1546.6,9615271\n"
        "M&M,2025-11-21,3700.5,3710.0,3690.0,3705.25,\n"
    )
    nameless = tmp_path / "prices.csv"
    nameless.write_text("date,open,high,low,close\n2025-11-21,1,2,1,2\n")
    with archive(store_url) as store:
        assert imported(store, stocks).kept == 2
        span = at("2025-11-21 00:00"), at("2025-11-22 00:00")
        assert store.candles("RELIANCE", "1d", *span).volume.tolist() == [9615271]
        assert np.isnan(store.candles("M&M", "1d", *span).volume).all()
        report = imported(store, nameless)
        assert report.error == "neither its rows nor its name tell the symbol: name one with --symbol."
        nameless.write_text("date,open,high,low,close\n2025-11-21,11.5,12,11,11.9\n")
        assert imported(store, nameless, "india vix").kept == 1
        assert store.candles("INDIA VIX", "1d", *span).close.tolist() == [11.9]


def test_an_imported_day_replaces_a_simulated_one(store_url: str, tmp_path: Path) -> None:
    recorded_store(store_url)
    path = tmp_path / "daily_nifty.csv"
    path.write_text("date,open,high,low,close,volume\n2026-11-25,100,101,99,100.5,7\n")
    with archive(store_url) as store:
        imported(store, path)
        day = store.candles("NIFTY", "1d", OPEN, OPEN + MINUTE_MS)
        assert day.close.tolist() == [100.5]
        assert day.source_names == ("imported",)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b,c\n1,2,3\n", "its columns are unknown"),
        ("", "it is empty"),
        ("Date,Time,Open,High,Low\n", "its columns are unknown"),
        ("when,open,high,low,close\n1,1,1,1,1\n", "it lacks a column of it"),
    ],
)
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    path = tmp_path / "strange.csv"
    path.write_text(content)
    with archive(f"{tmp_path}/h.db") as store:
        report = imported(store, path)
    assert sentence in str(report.error)
    assert (report.file, report.exit_code) == (str(path), 2)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with archive(f"{tmp_path}/h.db") as store:
        report = imported(store, tmp_path / "none.csv")
    assert report.error == "it cannot be read (No such file or directory)."


def test_packed_files_are_imported_too(tmp_path: Path) -> None:
    path = tmp_path / "nifty.csv.gz"
    path.write_bytes(gzip.compress(minute_file(tmp_path / "nifty.csv", 5).read_bytes()))
    with archive(f"{tmp_path}/h.db") as store:
        assert imported(store, path).kept == 5


def test_recorded_chains_are_imported_and_found_at_their_instants(store_url: str) -> None:
    path = DATA / "made_up_minutes_20260305.csv"
    source = ReplaySource.open(path, catalogue=CATALOGUE, calendar=CALENDAR)
    with archive(store_url) as store:
        report = imported(store, path)
        assert report.kept > 0
        assert store.check().problems == []
        assert imported(store, path).kept == report.kept  # again: nothing doubled
        assert store.check().problems == []
    of = market(source.universe, source="replay")
    history = History(store_url, calendar=CALENDAR)
    for time_ms in source.times:
        of.apply(source.advance(time_ms))
        for listing in of.universe.listings:
            chain = run(history.answers.chain_at(*listing.key, time_ms))
            assert chain is not None
            assert chain.as_of_ms[-1] <= of.last_input_ms  # earlier where nothing of it changed
            assert chain.source_name() == "imported"
            for name in ("last_price", "open_interest", "volume", "bid", "ask"):
                np.testing.assert_allclose(chain.legs()[name], of.legs(listing)[name], err_msg=name)
    run(history.stop())


def test_an_exported_file_imported_again_gives_the_same_candles(store_url: str, tmp_path: Path) -> None:
    tape = recorded_store(store_url)
    span = (OPEN, OPEN + DAY)
    path = tmp_path / "nifty_minutes.csv"
    with archive(store_url, writable=False) as store:
        assert store.export("nifty", "1m", span, path) == 30
        before = store.candles("NIFTY", "1m", *span)
    with archive(f"{tmp_path}/other.db") as other:
        assert imported(other, path).kept == 30
        assert_same_candles(other.candles("NIFTY", "1m", *span), before)
    assert tape.history.health().dropped == 0


def test_an_export_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    url = f"{tmp_path}/h.db"
    with archive(url) as store:
        imported(store, minute_file(tmp_path / "nifty.csv", 1500))
        span = at("2024-06-01 00:00"), at("2024-06-20 00:00")
        whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
        for interval, rows in (("1m", 1500), ("1h", 4 * 7), ("1d", 4), ("1w", 1)):
            for path in (whole, cut):
                path.unlink(missing_ok=True)
            assert store.export("NIFTY", interval, span, whole) == rows
            content = whole.read_bytes()
            cut.write_bytes(content[: len(content) * 2 // 3])
            assert store.export("NIFTY", interval, span, cut) < rows or rows == 1
            assert cut.read_bytes() == content
            assert store.export("NIFTY", interval, span, cut) == 0
    assert whole.read_text().splitlines()[0] == HEADER


def test_an_export_tells_what_is_not_known_by_an_empty_cell(tmp_path: Path) -> None:
    with archive(f"{tmp_path}/h.db") as store:
        imported(store, minute_file(tmp_path / "nifty.csv", 2))
        path = tmp_path / "out.csv"
        store.export("NIFTY", "1m", (at("2024-06-03 00:00"), at("2024-06-04 00:00")), path)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "date": "2024-06-03T03:45:00.000Z",
        "open": "23000",
        "high": "23005.5",
        "low": "22994.95",
        "close": "23001",
        "volume": "",
        "oi": "",
    }


def test_an_export_does_not_write_over_another_file(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("do not lose me\n")
    with (
        archive(f"{tmp_path}/h.db") as store,
        pytest.raises(HistoryError, match="not an export that could go on"),
    ):
        store.export("NIFTY", "1m", (OPEN, OPEN + DAY), path)
    assert path.read_text() == "do not lose me\n"


def test_parquet_without_pyarrow_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with archive(f"{tmp_path}/h.db") as store:
        with pytest.raises(HistoryError, match="pip install pyarrow"):
            store.export("NIFTY", "1m", (OPEN, OPEN + DAY), tmp_path / "x.parquet", "parquet")
        with pytest.raises(HistoryError, match="must be csv or parquet, was 'xml'"):
            store.export("NIFTY", "1m", (OPEN, OPEN + DAY), tmp_path / "x.xml", "xml")


def test_parquet_holds_the_candles(tmp_path: Path) -> None:
    with archive(f"{tmp_path}/h.db") as store:
        imported(store, minute_file(tmp_path / "nifty.csv", 10))
        path = tmp_path / "out.parquet"
        span = at("2024-06-03 00:00"), at("2024-06-04 00:00")
        assert store.export("NIFTY", "1m", span, path, "parquet") == 10
    table = parquet.read_table(path).to_pydict()
    assert table["close"][:2] == [23001.0, 23002.0]
    assert table["volume"][0] is None


@needs_recordings
def test_the_recorded_market_data_is_imported(tmp_path: Path) -> None:
    with archive(f"{tmp_path}/h.db") as store:
        for name in ("nifty_1min_20240603_20240614.csv", "banknifty_1min_20240603_20240614.csv"):
            report = imported(store, RECORDED / name)
            assert (report.kept, report.refused) == (3750, 0)
        assert imported(store, RECORDED / "daily_nifty_history.csv").kept > 480
        assert imported(store, RECORDED / "daily_stocks.csv").kept > 300  # of those that FEW_SYMBOLS has
        assert imported(store, RECORDED / "daily_india_vix.csv", "INDIA VIX").kept > 240
        crash = store.candles("NIFTY", "1d", at("2024-06-04 00:00"), at("2024-06-05 00:00"))
        assert len(crash) == 1
        assert crash.low[0] < 0.95 * crash.open[0]
        assert store.check().problems == []


@needs_recordings
def test_the_recorded_chains_are_imported_with_their_expected_totals(tmp_path: Path) -> None:
    with archive(f"{tmp_path}/h.db") as store:
        imported(store, RECORDED / "nse_optionchain_NIFTY_20220328_1047.json")
        report = imported(store, RECORDED / "nifty_chain_intraday_20260819.csv.gz")
        assert (report.kept, report.refused) == (46_502, 0)
        assert store.check().problems == []
    history = History(f"{tmp_path}/h.db", calendar=CALENDAR)
    chain = run(history.answers.chain_at("NIFTY", date(2022, 3, 31), at("2022-03-28 12:00")))
    assert chain is not None
    interest = np.nansum(chain.legs()["open_interest"], axis=1)
    assert interest.tolist() == [2_017_305, 1_479_301]  # the exchange's own totals
    assert chain.as_of_ms[-1] == at("2022-03-28 10:47") + 19_000
    run(history.stop())
