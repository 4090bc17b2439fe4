"""Columns of numbers as bytes: whole numbers of a step, their differences, by planes of bytes, compressed.

Pure functions on arrays. Whatever arrives is bounded before anything is allocated, and what is not a record
of this version raises ``RecordError`` and nothing else.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import orjson
from numpy.typing import NDArray

WIRE = 1  # the version written and read; a follower refuses every other
LARGEST_BODY = 64 << 20  # bytes of a record, decompressed: an image of a thousand underlyings is a tenth
MOST_VALUES = 4 << 20  # of one column
# a column is counted in the coarsest of these parts of 1 that loses nothing
PARTS = (1, 2, 20, 100, 10_000)
RAW = 255  # the mark of a column that none of them fits: doubles as they are
_EXACT = 2.0**52
_FRAME = struct.Struct("<BI")
_BLOCK = struct.Struct("<BBI")  # kind or parts, planes, count

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class RecordError(ValueError):
    """What arrived is no whole record; ``version`` is that of the wire where it is another one."""

    def __init__(self, message: str, version: int | None = None) -> None:
        super().__init__(message)
        self.version = version


class Packer:
    """Puts columns one after the other, and makes a record of them."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def integers(self, values: NDArray[np.integer]) -> None:
        """Whole numbers, best small ones."""
        codes = _zigzag(np.ascontiguousarray(values, np.int64))
        self._planes(0, codes)

    def ascending(self, values: NDArray[np.integer]) -> None:
        """Whole numbers that lie close to the one before."""
        numbers = np.asarray(values, np.int64)
        self.integers(numbers - np.concatenate(([0], numbers[:-1])))

    def bits(self, values: BoolArray) -> None:
        """Truth values."""
        self._blocks.append(_BLOCK.pack(0, 0, len(values)) + np.packbits(values).tobytes())

    def column(self, values: FloatArray, base: FloatArray | None = None) -> None:
        """Numbers, NaN among them, as differences to ``base``, or without one to the one before.

        Whoever reads it gets the very same doubles.
        """
        known = values == values
        is_whole = bool(known.all())
        of = values if is_whole else values[known]
        found = _parts_of(of)
        if found is None:
            self._blocks.append(_BLOCK.pack(RAW, 8, len(values)) + values.astype("<f8").tobytes())
            return
        place, whole = found
        before = None if base is None else _whole(base if is_whole else base[known], PARTS[place])
        self._planes(place, _zigzag(np.diff(whole, prepend=0) if before is None else whole - before), known)

    def _planes(self, place: int, codes: NDArray[np.uint64], known: BoolArray | None = None) -> None:
        """Codes byte by byte: high ones are zero almost everywhere, which costs nothing compressed.

        The planes' number is 16 more where a mask of the known values goes first.
        """
        largest = int(codes.max(initial=0))
        planes = (largest.bit_length() + 7) // 8
        raw = codes.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :planes].T.tobytes()
        if known is None or len(known) == len(codes):
            self._blocks.append(_BLOCK.pack(place, planes, len(codes)) + raw)
        else:
            mask = np.packbits(known).tobytes()
            self._blocks.append(_BLOCK.pack(place, planes + 16, len(known)) + mask + raw)

    def record(self, header: object) -> bytes:
        """A record of what was put so far, under a header that JSON can say."""
        head = orjson.dumps(header)
        body = zlib.compress(b"".join((struct.pack("<I", len(head)), head, *self._blocks)), 1)
        return _FRAME.pack(WIRE, zlib.crc32(body)) + body


class Unpacker:
    """Takes the columns of a record in the order they were put. Whatever is wrong with it: RecordError."""

    def __init__(self, record: bytes) -> None:
        if len(record) < _FRAME.size:
            raise RecordError("The record is cut off.")
        version, crc = _FRAME.unpack_from(record)
        if version != WIRE:
            raise RecordError(
                f"The record is of version {version} of the wire, this server reads {WIRE}.", version
            )
        body = memoryview(record)[_FRAME.size :]
        if zlib.crc32(body) != crc:
            raise RecordError("The record is damaged: its checksum differs.")
        inflating = zlib.decompressobj()
        try:
            self._body = inflating.decompress(body, LARGEST_BODY)
        except zlib.error as error:
            raise RecordError(f"The record is damaged: {error}.") from None
        if not inflating.eof:
            raise RecordError("The record is cut off, or larger than any market.")
        self._at = 0
        (length,) = struct.unpack("<I", self._take(4))
        try:
            self.header = orjson.loads(self._take(length))
        except orjson.JSONDecodeError:
            raise RecordError("The record's header is no JSON.") from None
        if not isinstance(self.header, dict):
            raise RecordError("The record's header is no object.")

    def _take(self, count: int) -> bytes:
        """The next bytes; a count is compared with what is there before anything is made of it."""
        if count > len(self._body) - self._at:
            raise RecordError("The record ends before its columns do.")
        self._at += count
        return self._body[self._at - count : self._at]

    def _block(self, length: int | None) -> tuple[int, int, int]:
        place, planes, count = _BLOCK.unpack(self._take(_BLOCK.size))
        if count > MOST_VALUES or (length is not None and count != length):
            raise RecordError(f"A column of the record has {count} values, {length} were expected.")
        return place, planes, count

    def integers(self, length: int | None = None) -> IntArray:
        """Whole numbers, as many as expected, or as many as there are."""
        _, planes, count = self._block(length)
        return _unzigzag(self._codes(planes, count))

    def ascending(self, length: int | None = None) -> IntArray:
        """What ``Packer.ascending`` put."""
        return np.cumsum(self.integers(length))

    def rows(self, below: int) -> NDArray[np.intp]:
        """Places in a table of that length, ascending, each once."""
        found = self.ascending()
        if len(found) and (found[0] < 0 or found[-1] >= below or (np.diff(found) <= 0).any()):
            raise RecordError(f"The record names rows that a table of {below} has not.")
        return found.astype(np.intp)

    def bits(self, length: int) -> BoolArray:
        """Truth values."""
        self._block(length)
        return self._mask(length)

    def column(self, length: int, base: FloatArray | None = None) -> FloatArray:
        """Numbers, NaN among them; the same ``base`` as when they were put."""
        place, planes, count = self._block(length)
        if place == RAW:
            return np.frombuffer(self._take(8 * count), "<f8").copy()
        if place >= len(PARTS):
            raise RecordError(f"The record counts in parts that are not known: {place}.")
        known = self._mask(count) if planes >= 16 else None
        differences = _unzigzag(self._codes(planes % 16, count if known is None else int(known.sum())))
        if base is None:
            whole = np.cumsum(differences)
        else:
            whole = differences + _whole(base if known is None else base[known], PARTS[place])
        numbers = whole / PARTS[place]
        if known is None:
            return numbers
        values = np.full(count, np.nan)
        values[known] = numbers
        return values

    def _mask(self, count: int) -> BoolArray:
        packed = np.frombuffer(self._take((count + 7) // 8), np.uint8)
        return np.unpackbits(packed, count=count).astype(bool)

    def _codes(self, planes: int, count: int) -> NDArray[np.uint64]:
        if planes > 8:
            raise RecordError(f"A number of the record has {planes} bytes.")
        bytes_of = np.zeros((count, 8), np.uint8)
        bytes_of[:, :planes] = np.frombuffer(self._take(planes * count), np.uint8).reshape(planes, count).T
        return bytes_of.view("<u8").reshape(-1).astype(np.uint64)


@np.errstate(over="ignore")
def _parts_of(values: FloatArray) -> tuple[int, IntArray] | None:
    """The coarsest parts that all values are whole numbers of, and the numbers; None where none are."""
    for place, parts in enumerate(PARTS):
        whole = np.rint(values * parts)
        # compared bit by bit: minus zero is not zero to who prints it
        back = whole / parts
        if (np.abs(whole) < _EXACT).all() and (back.view(np.int64) == values.view(np.int64)).all():
            integers = whole.astype(np.int64)
            # a minus sign of zero is lost in a whole number
            return None if np.signbit(values[integers == 0]).any() else (place, integers)
    return None


@np.errstate(over="ignore")
def _whole(base: FloatArray, parts: int) -> IntArray:
    """What differences are counted from: any number serves that both sides come to."""
    whole = np.rint(base * parts)
    return np.where(np.abs(whole) < _EXACT, whole, 0.0).astype(np.int64)


def _zigzag(values: IntArray) -> NDArray[np.uint64]:
    """Small numbers of either sign as small numbers."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def _unzigzag(codes: NDArray[np.uint64]) -> IntArray:
    return (codes >> np.uint64(1)).view(np.int64) ^ -(codes & np.uint64(1)).view(np.int64)
