"""A day of our own store as a recording: what was published is told again, minute by minute."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from domain.instants import MINUTE_MS
from feed.history.history import History, HistoryError
from feed.history.store.database import Database
from feed.market.market import Market
from feed.market.source import CONTRACT_FIELDS
from feed.recordings.reading import Options
from feed.replay.source import ReplaySource
from feed.replay.stored_day import StoredDay, StoreReplay
from feed.transfer.archive import Archive
from tests.feed.history.support import (
    CALENDAR,
    CATALOGUE,
    FAR,
    NEAR,
    STRIKES,
    SYMBOLS,
    Tape,
    at,
    listing,
    market,
    run,
    universe,
)

OPEN = at("2026-11-25 09:15")
MINUTES = 50  # more than three blocks of reading ahead
DAY = date(2026, 11, 25)
NOT_RECORDED = {"bid_quantity", "ask_quantity"}

Open = Callable[..., StoreReplay]


@pytest.fixture
def tape(store_url: str) -> Tape:
    """Some minutes of a small market, recorded; after the first half more strikes are listed."""
    history = History(store_url, calendar=CALENDAR, hours="exchange", queue_limit=10_000)
    of = market()
    history.start(of, OPEN)
    made = Tape(history, of)
    made.run(OPEN, MINUTES)
    run(history.stop())
    return made


@pytest.fixture
def replay(store_url: str) -> Iterator[Open]:
    """Opens a day of the store; all are closed at the end."""
    made: list[StoreReplay] = []

    def open_day(text: str = str(DAY), **options: object) -> StoreReplay:
        stored = StoredDay.parse(f"{store_url}#{text}")
        assert stored is not None
        made.append(StoreReplay(stored, catalogue=CATALOGUE, calendar=CALENDAR, hours="exchange", **options))
        return made[-1]

    yield open_day
    for source in made:
        source.close()


def following(source: StoreReplay | ReplaySource) -> Market:
    return Market(source.universe, source="replay", epoch="one", interest_rate=0.06, stale_after_s=90)


def ends_of_minutes(tape: Tape) -> dict[int, int]:
    """The last published state of each minute: its place in the tape, by the time of it."""
    found = {now_ms // MINUTE_MS: (place, now_ms) for place, (now_ms, _) in enumerate(tape.legs)}
    return {now_ms: place for place, now_ms in found.values()}


def assert_is_the_state_of(of: Market, tape: Tape, place: int) -> None:
    for row, symbol in enumerate(SYMBOLS[:1]):  # RELIANCE and CRUDEOIL had no contracts, so they are not told
        assert of.quote(symbol).last_price == pytest.approx(tape.published[place][1][row], abs=0.005)
    told = {name: values for name, values in tape.legs[place][1].items() if name not in NOT_RECORDED}
    for name, values in told.items():
        np.testing.assert_allclose(of.contracts[name], values, atol=0.005, err_msg=name)


def test_every_minute_is_told_as_it_was_published(replay: Open, tape: Tape) -> None:
    source = replay()
    of, ends = following(source), ends_of_minutes(tape)
    assert (source.start_ms, source.end_ms) == (min(ends), max(ends))
    for now_ms, place in sorted(ends.items()):
        assert not source.finished
        update = source.advance(now_ms)
        assert update is not None
        assert update.time_ms == now_ms
        of.apply(update)
        assert_is_the_state_of(of, tape, place)
        assert source.advance(now_ms) is None
    assert source.finished


def test_what_is_told_of_an_underlying_is_its_day(replay: Open, tape: Tape) -> None:
    source = replay()
    of = following(source)
    of.apply(source.advance(source.end_ms))
    prices = np.array([prices[0] for _, prices, _ in tape.published])
    quote = of.quote("NIFTY")
    assert (quote.open, quote.high, quote.low) == pytest.approx(
        (prices[0], prices.max(), prices.min()), abs=0.005
    )
    assert quote.volume == tape.published[-1][2][0] - tape.published[0][2][0]
    assert np.isnan(quote.previous_close)


@pytest.mark.parametrize("minute", [0, 15, 16, 37, MINUTES - 1])
def test_seek_tells_what_playing_through_tells(replay: Open, tape: Tape, minute: int) -> None:
    source = replay()
    ends = dict(sorted(ends_of_minutes(tape).items()))
    source.advance(source.end_ms)
    instant_ms = list(ends)[minute]
    assert source.seek(instant_ms) == instant_ms
    of = following(source)
    of.apply(source.advance(instant_ms))
    assert_is_the_state_of(of, tape, ends[instant_ms])


def test_prepared_seek_tells_the_same_and_reads_nothing_more(
    store_url: str, replay: Open, tape: Tape
) -> None:
    source, ends = replay(), ends_of_minutes(tape)
    instant_ms = sorted(ends)[37]
    run(source.prepare(instant_ms + 1))
    of = following(source)
    with damaged(store_url):
        source.seek(instant_ms)
        of.apply(source.advance(instant_ms))
        assert_is_the_state_of(of, tape, ends[instant_ms])
        source.seek(instant_ms)
        with pytest.raises(HistoryError):  # it is told once, so that it cannot grow old
            source.advance(instant_ms)


@pytest.mark.parametrize("stride", [1, 7, 40])
def test_skipped_minutes_are_merged(replay: Open, tape: Tape, stride: int) -> None:
    source = replay()
    of, ends = following(source), sorted(ends_of_minutes(tape).items())
    for now_ms, place in ends[::stride]:
        of.apply(source.advance(now_ms))
        assert_is_the_state_of(of, tape, place)


def test_looped_day_begins_again(replay: Open, tape: Tape) -> None:
    source = replay(loop=True)
    source.advance(source.end_ms)
    assert not source.finished
    assert source.restart_ms(source.end_ms) is None
    assert source.restart_ms(source.end_ms + MINUTE_MS) == source.start_ms
    of = following(source)
    of.apply(source.advance(source.start_ms))
    assert_is_the_state_of(of, tape, ends_of_minutes(tape)[source.start_ms])


def test_strikes_listed_later_are_in_the_universe_from_the_start(store_url: str, replay: Open) -> None:
    history = History(store_url, calendar=CALENDAR, hours="exchange", queue_limit=10_000)
    of = market(universe(listing("NIFTY", NEAR, STRIKES[:3], 1000)))
    history.start(of, OPEN)
    first = Tape(history, of)
    later_ms = first.run(OPEN, 5)
    wide = market(universe(listing("NIFTY", NEAR, STRIKES, 1000)))
    second = Tape(history, wide, seed=2)
    second.run(later_ms, 5)
    run(history.stop())
    source = replay()
    (chain,) = source.universe.chains("NIFTY")
    assert chain.strikes.tolist() == STRIKES.tolist()
    told = following(source)
    told.apply(source.advance(source.start_ms))
    known = ~np.isnan(told.legs(chain)["last_price"])
    assert known.all(axis=0).tolist() == [True, True, True, False, False]
    told.apply(source.advance(source.end_ms))
    np.testing.assert_allclose(told.contracts["last_price"], second.legs[-1][1]["last_price"], atol=0.005)


def test_only_the_symbols_that_are_named_are_told(replay: Open, tape: Tape) -> None:
    source = replay(f"{DAY},nifty")
    assert [underlying.symbol for underlying in source.universe.underlyings] == ["NIFTY"]
    assert [chain.expiry.day for chain in source.universe.chains("NIFTY")] == [NEAR, FAR]
    assert source.universe.chains("NIFTY")[0].expiry.lot_size == 65


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2026-11-26", "has nothing recorded of any chain on 2026-11-26."),
        ("2026-11-25,RELIANCE", "has nothing recorded of RELIANCE on 2026-11-25."),
        ("2026-11-25,NIFTI", "The symbol NIFTI"),
    ],
)
def test_what_is_not_recorded_is_refused_with_a_sentence(
    replay: Open, tape: Tape, text: str, sentence: str
) -> None:
    with pytest.raises(HistoryError, match=sentence):
        replay(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("var/history.sqlite3#2026-11-23", ("var/history.sqlite3", date(2026, 11, 23), ())),
        ("a#b.sqlite3#2026-11-23", ("a#b.sqlite3", date(2026, 11, 23), ())),
        (
            "postgresql://user@host/db#2026-11-23, nifty,BANKNIFTY",
            ("postgresql://user@host/db", date(2026, 11, 23), ("NIFTY", "BANKNIFTY")),
        ),
        ("recording.json", None),
        ("odd#name.csv", None),
        ("#2026-11-23", None),
        ("store.sqlite3#2026-13-23", None),
    ],
)
def test_day_of_a_store_is_told_from_the_name_of_a_file(text: str, expected: object) -> None:
    found = StoredDay.parse(text)
    assert (found and (found.url, found.day, found.symbols)) == expected


def test_fields_that_are_not_recorded_are_unknown(replay: Open, tape: Tape) -> None:
    source = replay()
    update = source.advance(source.start_ms)
    assert update is not None
    assert set(update.contracts) == set(CONTRACT_FIELDS)
    for name in NOT_RECORDED:
        assert np.isnan(update.contracts[name]).all()


def test_imported_chain_tells_its_spot_where_there_are_no_candles(store_url: str, replay: Open) -> None:
    path = Path(__file__).parents[2] / "data" / "made_up_minutes_20260305.csv"
    with Archive(store_url, calendar=CALENDAR, catalogue=CATALOGUE, hours="exchange", writable=True) as store:
        store.import_file(path, Options(symbol="NIFTY"))
    source, file = replay("2026-03-05"), ReplaySource.open(path, catalogue=CATALOGUE, calendar=CALENDAR)
    assert (source.start_ms, source.end_ms) == (file.start_ms, file.end_ms)
    of, expected = following(source), following(file)
    for now_ms in range(source.start_ms, source.end_ms + 1, MINUTE_MS):
        of.apply(source.advance(now_ms))
        expected.apply(file.advance(now_ms))
        assert of.quote("NIFTY").last_price == expected.quote("NIFTY").last_price
        for name in ("last_price", "volume", "open_interest", "previous_open_interest"):
            np.testing.assert_allclose(of.contracts[name], expected.contracts[name], atol=0.005, err_msg=name)


def test_what_could_not_be_read_is_told_once_it_can_be(store_url: str, replay: Open, tape: Tape) -> None:
    source = replay()
    of, ends = following(source), sorted(ends_of_minutes(tape).items())
    of.apply(source.advance(ends[0][0]))
    wait(source.ahead.values())  # two blocks
    with damaged(store_url):
        of.apply(source.advance(ends[30][0]))
        for now_ms, _ in ends[32:35]:
            with pytest.raises(HistoryError, match="The history store"):
                source.advance(now_ms)
    now_ms, place = ends[35]
    of.apply(source.advance(now_ms))
    assert_is_the_state_of(of, tape, place)


@contextmanager
def damaged(url: str) -> Iterator[None]:
    """A store that has lost its chain records for a while."""
    database = Database(url, readers=1)
    database.open()
    for before, after in (("chain_minutes", "gone"), ("gone", "chain_minutes")):
        with database.writing() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")
        if after == "gone":
            yield
    database.close()


def test_closed_replay_has_no_thread_and_no_connection(store_url: str, replay: Open, tape: Tape) -> None:
    source = replay()
    source.advance(source.end_ms)
    assert any(thread.name.startswith("replay-reader") for thread in threading.enumerate())
    source.close()
    assert not any(thread.name.startswith("replay-reader") for thread in threading.enumerate())
    assert source.database.reader.pool.checkedin() == 0  # type: ignore[attr-defined]
