"""Values on the wire: rounded, null for what is not known, integers where they are counts."""

import json
import math
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.wire import Count, Number, Timestamp, count, number, timestamp, timestamps
from schemas.wire import numbers as all_of

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
not_numbers = st.sampled_from([None, math.nan, math.inf, -math.inf])


@given(numbers.filter(lambda value: abs(value) < 1e12), st.integers(0, 7))
def test_number_is_rounded_and_near(value, places):
    told = number(value, places)
    assert round(told, places) == told
    assert abs(told - value) <= 0.5 * 10.0**-places + abs(value) * 1e-15


@given(not_numbers, st.integers(0, 7))
def test_what_is_no_number_is_null(value, places):
    assert number(value, places) is None
    assert count(value) is None
    assert Number(places).serialize("x", {"x": value}) is None
    assert Count().serialize("x", {"x": value}) is None


in_the_middle = st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 7)).map(
    lambda of: (of[0] + 0.5) / 10.0 ** of[1]
)


@given(
    st.lists(
        st.floats() | in_the_middle | st.sampled_from([2.675, 1.005, 2.0**53 + 2, 1e308, -0.0]), max_size=40
    ),
    st.integers(0, 7),
)
def test_numbers_together_are_the_numbers_one_by_one(values, places):
    told = all_of(np.array(values, np.float64), places)
    assert [json.dumps(value) for value in told] == [json.dumps(number(value, places)) for value in values]


@pytest.mark.parametrize("value", [-0.0, -0.001, 0.0])
def test_zero_has_no_sign(value):
    # Object.is tells the two zeros apart in JavaScript, and so does a deep comparison
    assert json.dumps(number(value, 2)) == "0.0"


def test_small_price_is_not_rounded_to_zero():
    assert number(0.05, 2) == 0.05


@given(st.integers(-(2**53), 2**53))
def test_count_is_an_integer(value):
    assert count(float(value)) == value
    assert isinstance(count(float(value)), int)


def test_count_of_an_old_lot_size_keeps_its_fraction():
    assert count(37.5) == 37.5


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_timestamp_is_utc_to_the_millisecond(instant):
    instant_ms = math.floor(instant.timestamp() * 1000)
    told = timestamp(instant_ms)
    assert told.endswith("Z")
    assert len(told) == len("2026-11-23T03:45:00.123Z")
    assert round(datetime.fromisoformat(told).timestamp() * 1000) == instant_ms


@given(st.integers(0, 2**42), st.integers(0, 2**42))
def test_timestamps_sort_like_their_instants(one, other):
    assert (timestamp(one) < timestamp(other)) == (one < other)


@given(st.lists(st.integers(0, 4_102_444_800_000)))
def test_timestamps_of_an_array_are_those_of_its_instants(instants):
    assert timestamps(np.array(instants, np.int64)) == [timestamp(instant) for instant in instants]


def test_timestamp_field_takes_instants_of_both_kinds():
    field, instant = Timestamp(), datetime(2026, 11, 23, 3, 45, 0, 123000, UTC)
    expected = "2026-11-23T03:45:00.123Z"
    assert field.serialize("at", {"at": instant}) == expected
    assert field.serialize("at", {"at": 1_795_405_500_123}) == expected
    assert field.serialize("at", {"at": None}) is None
