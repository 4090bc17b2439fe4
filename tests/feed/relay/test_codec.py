"""Columns come back to the bit, and what is no record raises one error."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed.relay.codec import LARGEST_BODY, WIRE, Packer, RecordError, Unpacker

TICKS = st.integers(-10_000_000, 10_000_000)
ON_A_GRID = st.one_of(
    TICKS.map(float),
    TICKS.map(lambda n: n / 20),
    TICKS.map(lambda n: n / 100),
    TICKS.map(lambda n: n / 10_000),
)
ANY_DOUBLE = st.one_of(ON_A_GRID, st.floats(width=64), st.just(float("nan")), st.just(-0.0))
GRIDS = st.lists(st.one_of(ON_A_GRID, st.just(float("nan"))), max_size=40)


def bits(values):
    """What two columns must have in common; every NaN is one."""
    values = np.array(values, np.float64)
    return np.where(np.isnan(values), np.nan, values).view(np.int64).tolist()


def through(put):
    packer = Packer()
    put(packer)
    return Unpacker(packer.record({"k": "test"}))


@given(st.lists(ANY_DOUBLE, max_size=40))
def test_column_comes_back_to_the_bit(values):
    column = np.array(values, np.float64)
    assert bits(through(lambda packer: packer.column(column)).column(len(column))) == bits(column)


@given(st.data())
def test_column_beside_another_comes_back_to_the_bit(data):
    values = data.draw(st.lists(ANY_DOUBLE, max_size=40))
    base = np.array(data.draw(st.lists(ANY_DOUBLE, min_size=len(values), max_size=len(values))), np.float64)
    column = np.array(values, np.float64)
    back = through(lambda packer: packer.column(column, base)).column(len(column), base)
    assert bits(back) == bits(column)


@given(st.lists(st.integers(-(2**62), 2**62), max_size=40), st.sets(st.integers(0, 10_000), max_size=40))
def test_whole_numbers_and_rows_come_back(numbers, rows):
    def put(packer):
        packer.integers(np.array(numbers, np.int64))
        packer.ascending(np.array(sorted(rows), np.int64))
        packer.bits(np.array([row % 2 == 0 for row in rows], bool))

    unpacker = through(put)
    assert unpacker.integers().tolist() == numbers
    assert unpacker.rows(10_001).tolist() == sorted(rows)
    assert unpacker.bits(len(rows)).tolist() == [row % 2 == 0 for row in rows]


def test_prices_of_a_tick_cost_two_bytes():
    price = np.round(np.cumsum(np.random.default_rng(1).normal(0, 0.05, 5000)) + 200, 2)
    packer = Packer()
    packer.column(np.round(price + 0.05, 2), price)
    assert len(packer.record({})) < 200  # the same difference everywhere


def record():
    packer = Packer()
    packer.column(np.array([1.05, np.nan, 3.0]))
    packer.ascending(np.array([1, 5, 7]))
    packer.integers(np.array([-1, 0, 300]))
    packer.bits(np.array([True, False, True]))
    return packer.record({"k": "delta", "at": 1})


def read(data):
    unpacker = Unpacker(data)
    unpacker.column(3)
    unpacker.rows(8)
    unpacker.integers(3)
    unpacker.bits(3)


def test_bytes_of_version_1_stay_what_they_are():
    head = b'{"k":"delta","at":1}'
    blocks = "021103000000a02a4e000103000000020804000203000000010058000002000003000000a0"
    assert record()[0] == WIRE == 1
    assert zlib.decompress(record()[5:]).hex() == (struct.pack("<I", len(head)) + head).hex() + blocks


@given(st.data())
def test_whatever_is_cut_or_flipped_raises_one_error(data):
    whole = record()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(RecordError):
        read(whole[:cut])
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RecordError):
        read(bytes(flipped))


@given(st.binary(max_size=200))
def test_a_good_checksum_over_nonsense_raises_one_error(body):
    packed = zlib.compress(struct.pack("<I", 2) + b"{}" + body)
    with pytest.raises(RecordError):
        read(struct.pack("<BI", WIRE, zlib.crc32(packed)) + packed)


def test_another_version_is_named():
    with pytest.raises(RecordError, match="version 2") as caught:
        Unpacker(b"\x02" + record()[1:])
    assert caught.value.version == 2


def test_a_bomb_is_not_unpacked():
    packed = zlib.compress(bytes(LARGEST_BODY + 1), 9)
    with pytest.raises(RecordError, match="larger than any market"):
        Unpacker(struct.pack("<BI", WIRE, zlib.crc32(packed)) + packed)


def test_a_count_is_compared_before_anything_is_made_of_it():
    body = struct.pack("<I", 2) + b"{}" + struct.pack("<BBI", 0, 0, 2**32 - 1)
    packed = zlib.compress(body)
    with pytest.raises(RecordError, match="values"):
        Unpacker(struct.pack("<BI", WIRE, zlib.crc32(packed)) + packed).integers()
