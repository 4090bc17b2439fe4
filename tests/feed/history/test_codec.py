"""Packed records give back what they were made of, or say that they are damaged."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from domain.instants import MINUTE_MS
from feed.history.store.chains import GROUP_MS, RECORD_FIELDS, ChainEncoder, decode_records
from feed.history.store.codec import Damaged, pack, pack_candles, unpack, unpack_candles
from feed.market.candles import Candles
from feed.market.forming import STATE_FIELDS, Bars, ClosedMinute
from feed.market.universe import Universe
from tests.feed.history.support import FAR, NEAR, STRIKES, assert_same_candles, listing, universe

numbers = st.integers(-(2**62), 2**62)


@given(hnp.arrays(np.int64, hnp.array_shapes(max_dims=2, max_side=40), elements=numbers))
def test_packed_numbers_come_back(values: np.ndarray) -> None:
    assert (unpack(pack(values), values.shape) == values).all()


@given(hnp.arrays(np.int64, (3, 5), elements=numbers), st.binary(max_size=60), st.integers(0, 60))
def test_changed_bytes_are_damaged_or_numbers_of_that_shape(
    values: np.ndarray, junk: bytes, place: int
) -> None:
    record = pack(values)
    broken = record[:place] + junk + record[place + len(junk) :]
    for candidate in (broken, record[:place], junk):
        with suppress(Damaged):
            assert unpack(candidate, (3, 5)).shape == (3, 5)


@given(st.integers(0, 60), st.sampled_from([2, 4]), st.integers(0, 2**32))
def test_packed_candles_come_back(count: int, decimals: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = np.sort(rng.choice(60, count, replace=False)) * MINUTE_MS
    prices = np.round(rng.uniform(0.05, 3e5, (4, count)), decimals)
    volume = np.where(rng.random(count) < 0.2, np.nan, rng.integers(0, 10**12, count))
    columns = (prices[0], prices.max(axis=0), prices.min(axis=0), prices[3], volume, np.full(count, np.nan))
    candles = Candles.of(times, columns, rng.integers(0, 6, count))
    record = pack_candles(candles, 0)
    back = unpack_candles(record, 0)
    assert_same_candles(back, candles)
    np.testing.assert_allclose(back.close, candles.close, atol=1e-9)
    assert back.source.tolist() == candles.source.tolist()


def test_a_record_that_is_cut_short_is_damaged() -> None:
    with pytest.raises(Damaged, match="too short"):
        unpack_candles(b"\x01", 0)


def closed_minute(of: Universe, start_ms: int, rng: np.random.Generator, quiet: bool = False) -> ClosedMinute:
    """A minute of random prices, some of them unknown."""
    count = of.contract_count

    def some(values: np.ndarray) -> np.ndarray:
        return np.where(rng.random(count) < 0.2, np.nan, values)

    ticks = np.sort(np.round(rng.uniform(0.05, 900, (4, count)) * 20) / 20, axis=0)
    touched = np.zeros(count, bool) if quiet else rng.random(count) < 0.5
    within = np.where(touched, ticks, np.nan)
    close = within[2]
    growth = np.where(touched, rng.integers(0, 90, count), 0).astype(float)
    day_volume = some(growth + rng.integers(0, 10**7, count))
    bars = Bars(
        within[1], within[3], within[0], close, np.where(np.isnan(day_volume), np.nan, growth), touched
    )
    few = len(of.underlyings)
    known = np.full(few, 100.0)
    spots = Bars(known, known, known, known, known, np.ones(few, bool))
    state = {name: some(np.round(rng.uniform(0, 500, count), 2)) for name in STATE_FIELDS}
    return ClosedMinute(start_ms, start_ms + 59_000, 1, of, spots, bars, day_volume, state)


def expected_fields(minute: ClosedMinute, rows: slice, volatility: np.ndarray) -> dict[str, np.ndarray]:
    bars, state = minute.contracts, minute.state
    told = {
        "open": bars.open,
        "high": bars.high,
        "low": bars.low,
        "close": bars.close,
        "volume": bars.volume,
        "day_volume": minute.day_volume,
        "implied_volatility": volatility,
        "day_open": state["open"],
        "day_high": state["high"],
        "day_low": state["low"],
        **{name: state[name] for name in ("last_price", "bid", "ask", "open_interest")},
        **{name: state[name] for name in ("previous_close", "previous_open_interest")},
    }
    return {name: told[name][rows] for name in RECORD_FIELDS}


@given(st.integers(0, 2**32), st.lists(st.integers(1, 9), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_chain_records_give_back_every_minute(seed: int, steps: list[int]) -> None:
    rng, of = np.random.default_rng(seed), universe()
    encoder, records, told = ChainEncoder(), {0: [], 1: []}, {0: [], 1: []}
    for start_ms in np.cumsum(steps).tolist():
        minute = closed_minute(of, start_ms * MINUTE_MS, rng)
        volatility = np.round(rng.uniform(0.05, 2.5, of.contract_count), 4)
        for row, key_ms, record in encoder.encode(minute, volatility):
            assert 0 <= minute.start_ms - key_ms < GROUP_MS
            records[row].append((key_ms, minute.start_ms, record))
            told[row].append(expected_fields(minute, of.listings[row].rows, volatility))
    for row, made in records.items():
        assert len(made) == len(steps)
        is_key = [key_ms == minute_ms for key_ms, minute_ms, _ in made]
        width = 2 * len(of.listings[row].strikes)
        fields = decode_records([record for _, _, record in made], is_key, width)
        for name in RECORD_FIELDS:
            want = np.stack([minute[name] for minute in told[row]])
            np.testing.assert_allclose(fields[name], want, atol=5.1e-3, err_msg=name)


def test_a_chain_in_which_nothing_changed_has_no_record() -> None:
    of, encoder, rng = universe(), ChainEncoder(), np.random.default_rng(1)
    minute = closed_minute(of, 0, rng, quiet=True)
    assert len(list(encoder.encode(minute, None))) == 2
    assert list(encoder.encode(replace(minute, start_ms=MINUTE_MS), None)) == []


def test_a_chain_of_which_nothing_is_known_has_no_record() -> None:
    of = universe()
    unknown = np.full(of.contract_count, np.nan)
    empty = Bars(unknown, unknown, unknown, unknown, unknown, np.zeros(of.contract_count, bool))
    state = dict.fromkeys(STATE_FIELDS, unknown)
    few = np.full(3, np.nan)
    spots = Bars(few, few, few, few, few, np.zeros(3, bool))
    minute = ClosedMinute(0, 0, 1, of, spots, empty, unknown, state)
    assert list(ChainEncoder().encode(minute, None)) == []


def test_a_new_list_of_strikes_begins_a_new_group_and_others_go_on() -> None:
    rng, encoder = np.random.default_rng(2), ChainEncoder()
    list(encoder.encode(closed_minute(universe(), 0, rng), None))
    wider = universe(listing("NIFTY", NEAR, STRIKES, 1000), listing("NIFTY", FAR, STRIKES, 3000))
    keys = {row: key_ms for row, key_ms, _ in encoder.encode(closed_minute(wider, MINUTE_MS, rng), None)}
    assert keys == {0: 0, 1: MINUTE_MS}


def test_records_without_the_first_of_their_group_are_damaged() -> None:
    rng, encoder, of = np.random.default_rng(3), ChainEncoder(), universe()
    list(encoder.encode(closed_minute(of, 0, rng), None))
    (_, _, record), _ = encoder.encode(closed_minute(of, MINUTE_MS, rng), None)
    with pytest.raises(Damaged, match="lost its first"):
        decode_records([record], [False], 2 * len(STRIKES))
