"""Old sessions in files: what comes back is what was stored, and nothing is deleted before it does."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from domain.instants import IST, to_ms
from domain.intervals import Interval
from feed.history.archive import sessions
from feed.history.archive.archiving import archive_day, due_days
from feed.history.archive.sessions import SessionFiles, span_of
from feed.history.archive.tiers import TieredReader
from feed.history.history import History
from feed.history.maintenance.upkeep import PruneJob, Retention
from feed.history.store.chains import RECORD_FIELDS
from feed.history.store.database import Database
from feed.history.store.problems import HistoryError
from feed.history.store.reader import Reader
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource
from feed.valuation.minute_metrics import METRICS, MinuteMetrics

CALENDAR = Calendar.load()
# some of each kind: a session of all of them is a benchmark (bench/scale/archive.py)
SYMBOLS = ("NIFTY", "SENSEX", "RELIANCE", "M&M", "CRUDEOIL", "GOLD")
CATALOGUE = Catalogue.load(CALENDAR, symbols=SYMBOLS)
DAY = date(2026, 12, 1)
FOR_EVER = Retention(None, None, None, None)


def at(text):
    return to_ms(datetime.fromisoformat(text).replace(tzinfo=IST))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A store with the end of an expiry day and the beginning of the next, across midnight too."""
    path = tmp_path_factory.mktemp("store") / "history.sqlite3"

    async def record():
        for start, end in (
            (at("2026-12-01T15:36"), at("2026-12-01T15:44")),
            (at("2026-12-01T23:54"), at("2026-12-02T00:06")),
        ):
            history = History(
                f"sqlite:///{path}", calendar=CALENDAR, hours="always", valuation=MinuteMetrics(0.065)
            )
            source = SimulatedSource(CATALOGUE, CALENDAR, seed=3, start_ms=start)
            market = Market(
                source.universe, source="simulated", epoch="e", interest_rate=0.065, stale_after_s=60
            )
            history.start(market, start, source)
            for now_ms in range(start, end, 20_000):
                update = source.advance(now_ms)
                if update is not None:
                    market.apply(update)
                history.record(market, now_ms)
            await history.stop(60)

    asyncio.run(record())
    return path


@pytest.fixture
def tiers(stored, tmp_path):
    """A copy of the store, an empty archive, and readers of the first and of both."""
    copy = tmp_path / "history.sqlite3"
    copy.write_bytes(stored.read_bytes())
    database = Database(f"sqlite:///{copy}", readers=1)
    database.open()
    files = SessionFiles(tmp_path / "archive")
    yield database, files, Reader(database), TieredReader(database, files)
    database.close()


def drop(database, files):
    """Delete from the store what is archived."""
    with database.writing() as connection:
        job = PruneJob(FOR_EVER, at("2026-12-30T00:00"), [span_of(day) for day in files.days()])
        job.write(connection)
    return job.deleted


def chains_of(reader, day=DAY):
    """Every chain of a day, as the reader has it."""
    found = {}
    for underlying in CATALOGUE.underlyings:
        for expiry in reader.expiries(underlying.symbol, day):
            found[underlying.symbol, expiry] = reader.chain(underlying.symbol, expiry, *span_of(day))
    return found


def same_runs(mine, theirs):
    """Assert that two lists of runs say the same, to the bit, however they are cut."""
    mine_at, theirs_at = (
        {int(m): (run, row) for run in runs for row, m in enumerate(run.minute_ms)} for runs in (mine, theirs)
    )
    assert mine_at.keys() == theirs_at.keys()
    for minute, (run, row) in mine_at.items():
        other, place = theirs_at[minute]
        assert (run.kind, run.expires_at_ms, run.lot_size) == (
            other.kind,
            other.expires_at_ms,
            other.lot_size,
        )
        for name in ("strikes", "tokens"):
            assert np.array_equal(getattr(run, name), getattr(other, name)), name
        for name in ("as_of_ms", "source", "spot", "forward"):
            assert np.array_equal(getattr(run, name)[row], getattr(other, name)[place], equal_nan=True), name
        for name in RECORD_FIELDS:
            assert np.array_equal(run.fields[name][row], other.fields[name][place], equal_nan=True), name


def test_every_field_of_every_chain_comes_back(tiers):
    database, files, store, both = tiers
    before = chains_of(store)
    done = archive_day(store, files, DAY)
    assert len(done.chains) > 2 * len(SYMBOLS)
    assert drop(database, files) > 800
    after = chains_of(both)
    for key, runs in before.items():
        if runs:
            same_runs(runs, after[key])
    symbol, expiry = next(key for key, runs in before.items() if runs)
    strikes = before[symbol, expiry][0].strikes[3:6].tolist()
    some = both.chain(symbol, expiry, *span_of(DAY), strikes)
    assert some[0].strikes.tolist() == strikes


def test_figures_and_coverage_are_read_across_the_border_as_one(tiers):
    database, files, store, both = tiers
    expiry = store.expiries("NIFTY", date(2026, 12, 2))[0]
    span = at("2026-12-01T23:40"), at("2026-12-02T00:12")
    before = (
        store.metrics("NIFTY", expiry, *span),
        store.coverage("NIFTY", expiry),
        store.spots("NIFTY", *span),
    )
    moments = [at("2026-12-01T23:55") + second * 1000 for second in range(0, 1200, 37)]
    states = [store.chain_at("NIFTY", expiry, moment) for moment in moments]
    archive_day(store, files, DAY)
    drop(database, files)
    after = both.metrics("NIFTY", expiry, *span), both.coverage("NIFTY", expiry), both.spots("NIFTY", *span)
    for name in ("minute_ms", *METRICS):
        assert np.array_equal(before[0][name], after[0][name], equal_nan=True), name
    assert before[1] == after[1]
    assert np.array_equal(before[2][1], after[2][1])
    for moment, state in zip(moments, states, strict=True):
        found = both.chain_at("NIFTY", expiry, moment)
        assert found.as_of_ms[-1] == state.as_of_ms[-1]
        assert np.array_equal(found.legs()["last_price"], state.legs()["last_price"], equal_nan=True)
    assert both.chain_sources("NIFTY", expiry, *span_of(DAY)) == [1]


def test_records_of_the_next_day_stay_whole(tiers):
    """A group of records that began before midnight goes on after it."""
    database, files, store, both = tiers
    expiry = store.expiries("NIFTY", date(2026, 12, 2))[0]
    before = store.chain("NIFTY", expiry, *span_of(date(2026, 12, 2)))
    archive_day(store, files, DAY)
    drop(database, files)
    assert len(before[0].minute_ms) > 5
    same_runs(before, store.chain("NIFTY", expiry, *span_of(date(2026, 12, 2))))
    same_runs(before, both.chain("NIFTY", expiry, *span_of(date(2026, 12, 2))))


def test_nothing_counts_before_it_was_read_back(tiers, monkeypatch):
    database, files, store, _ = tiers
    make = sessions._Sums.add

    def miscounted(self, columns):
        make(self, columns)
        self.of["token"] = self.of["token"][0] + (1 if "symbol" in columns else 0), self.of["token"][1]

    monkeypatch.setattr(
        sessions._Sums,
        "add",
        lambda self, columns: miscounted(self, columns) if "token" in columns else make(self, columns),
    )
    with pytest.raises(HistoryError, match="does not hold what was written"):
        archive_day(store, files, DAY)
    assert files.days() == []
    assert drop(database, files) == 0
    monkeypatch.undo()
    assert archive_day(store, files, DAY).day == DAY  # what was left of the first try is in nobody's way


@pytest.mark.parametrize("stops_at", ["chains", "metrics", "days"])
def test_crash_between_two_steps_leaves_the_store_as_it_was(tiers, monkeypatch, stops_at):
    database, files, store, both = tiers
    before = chains_of(store)
    replace = Path.replace

    def crash(self, target):
        if f"/{stops_at}/" in str(target):
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        archive_day(store, files, DAY)
    monkeypatch.undo()
    assert files.days() == []
    assert drop(database, files) == 0
    key = next(key for key, runs in before.items() if runs)
    same_runs(before[key], both.chain(*key, *span_of(DAY)))
    archive_day(store, files, DAY)
    assert files.days() == [DAY]


def test_days_are_due_once_they_are_old_and_recorded(tiers):
    _, files, store, _ = tiers
    assert due_days(store, files, 20, at("2026-12-20T12:00")) == []
    assert due_days(store, files, 20, at("2026-12-22T12:00")) == [DAY]
    archive_day(store, files, DAY)
    assert due_days(store, files, 20, at("2026-12-30T12:00")) == [date(2026, 12, 2)]


def test_what_is_imported_later_goes_before_what_is_archived_and_is_archived_again(tiers):
    _, files, store, both = tiers
    expiry = store.expiries("NIFTY", DAY)[0]
    archive_day(store, files, DAY)  # and the store has it still
    same_runs(store.chain("NIFTY", expiry, *span_of(DAY)), both.chain("NIFTY", expiry, *span_of(DAY)))
    again = archive_day(both, files, DAY)
    assert again.rows == files.index(DAY).rows
    same_runs(store.chain("NIFTY", expiry, *span_of(DAY)), files.chain(DAY, "NIFTY", expiry))


@pytest.mark.gen_test
async def test_server_reads_both_and_lets_the_store_forget(tiers, tmp_path):
    database, files, store, _ = tiers
    expiry = store.expiries("NIFTY", date(2026, 12, 2))[0]
    archive_day(store, files, DAY)
    drop(database, files)
    database.close()
    history = History(
        f"sqlite:///{tmp_path}/history.sqlite3",
        calendar=CALENDAR,
        hours="always",
        archive_folder=files.folder,
    )
    found = await history.answers.chain_at("NIFTY", expiry, at("2026-12-01T15:40"))
    assert found.minute_ms[-1] == at("2026-12-01T15:39")
    strike = float(found.strikes[len(found.strikes) // 2])
    candles = await history.answers.candles(
        "NIFTY", Interval.ONE_MINUTE, at("2026-12-01T15:30"), at("2026-12-01T15:50"), (expiry, strike, True)
    )
    assert len(candles) > 5
    series = await history.answers.open_interest(
        "NIFTY", expiry, [strike], at("2026-12-01T15:30"), at("2026-12-02T00:10")
    )
    assert len(series.minute_ms) > 18
    history.database.close()


def test_damaged_day_is_a_sentence(tiers):
    _, files, store, both = tiers
    archive_day(store, files, DAY)
    (files.folder / "days" / f"{DAY}.json").write_text("{")
    with pytest.raises(HistoryError, match="archive of 2026-12-01 cannot be read"):
        both.coverage("NIFTY", store.expiries("NIFTY", DAY)[0])
