"""Tables as columns: what turns arrays of a chain into rows of JSON.

A table is a float64 matrix, a line per column of ``Column`` and a column per strike, already rounded as
it goes over the wire. Two such matrices compare cell by cell, which is what a delta is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from schemas.wire import MAX_WHOLE, counts

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row: its name, decimals (None: a count), unit, and what it means.

    ``choices`` names the values 1, 2, … of a coded column (0 and NaN are null); ``flag`` marks a boolean.
    """

    name: str
    decimals: int | None
    unit: str
    description: str
    choices: tuple[str, ...] = ()
    flag: bool = False

    def values(self, cells: FloatArray) -> list[Any]:
        """The cells as JSON values: (n,). NaN stays NaN in a float column; orjson writes it as null."""
        if self.flag:
            return cells.astype(bool).tolist()
        if self.choices:
            names = (None, *self.choices)
            return [names[int(code)] if code == code else None for code in cells.tolist()]
        if self.decimals is None:
            return counts(cells)
        return cells.tolist()


def rounded(values: FloatArray, decimals: int | None) -> FloatArray:
    """As the wire shows them: rounded, infinities unknown, no negative zero."""
    result = np.array(values, dtype=np.float64)
    result[~np.isfinite(result)] = np.nan
    if decimals is not None:
        np.round(result, decimals, out=result)
    result += 0.0
    return result


def rows(columns: Sequence[Column], table: FloatArray) -> list[dict[str, Any]]:
    """A table as a list of dicts, one per strike."""
    names = [column.name for column in columns]
    cells = [column.values(line) for column, line in zip(columns, table, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def differs(before: FloatArray, after: FloatArray) -> NDArray[np.bool_]:
    """Which cells changed; unknown before and after is no change."""
    return (before != after) & ~(np.isnan(before) & np.isnan(after))


@dataclass(frozen=True, slots=True)
class RowTexts:
    """The text of rows in pieces: those of row ``i`` are from ``starts[i]`` to ``starts[i + 1]``.

    Places are counted from ``starts[0]``.
    """

    pieces: list[bytes]
    starts: list[int]

    def between(self, first: int, stop: int) -> RowTexts:
        """The rows of a range alone."""
        starts = self.starts[first : stop + 1]
        return RowTexts(self.pieces[starts[0] - self.starts[0] : starts[-1] - self.starts[0]], starts)

    def array(self, first: int, stop: int) -> orjson.Fragment:
        """The rows of a range that say anything, as a JSON array."""
        begin = self.starts[0]
        return _array(b"".join(self.pieces[self.starts[first] - begin : self.starts[stop] - begin]))


class RowWriter:
    """Writes rows of a table as JSON: the cells as text in one step for all, then put together.

    Rows are objects, named by the first column, whose cell each row begins with.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        key, *others = (f'"{column.name}":'.encode() for column in columns)
        self._heads = _objects([b"},{" + key, *(b"," + head for head in others)])
        self._is_count = np.array([column.decimals is None for column in columns])
        self._is_coded = np.array([column.flag or bool(column.choices) for column in columns])
        words: list[bytes] = []
        first_word = []
        for column in columns:
            first_word.append(len(words))
            words += map(orjson.dumps, (False, True) if column.flag else (None, *column.choices))
        self._words = _objects(words)
        self._first_word = np.array(first_word)

    def texts(self, table: FloatArray, changed: NDArray[np.bool_]) -> RowTexts:
        """The cells that ``changed``, by row; both (columns, n). A row without one has no text."""
        told = changed.T.copy()
        told[:, 0] = told[:, 1:].any(axis=1)
        positions, lines = np.divmod(np.flatnonzero(told), len(table))
        pieces = np.empty(2 * len(lines), object)
        pieces[0::2] = self._heads[lines]
        pieces[1::2] = self._cells(table[lines, positions], lines)
        starts = 2 * np.searchsorted(positions, np.arange(table.shape[1] + 1))
        return RowTexts(pieces.tolist(), starts.tolist())

    def whole(self, table: FloatArray, shown: NDArray[np.bool_] | None = None) -> orjson.Fragment:
        """Every cell of every row, or those of the columns that are ``shown``, as a JSON array."""
        lines = np.arange(len(table)) if shown is None else np.flatnonzero(shown)
        count, width = table.shape[1], 2 * len(lines)
        pieces: list[Any] = [b""] * (count * width)
        pieces[0::2] = self._heads[lines].tolist() * count
        counts, coded = self._is_count[lines], self._is_coded[lines]
        for places, written in ((counts, _counts), (~(counts | coded), _numbers)):
            texts, start = written(table[lines[places]].ravel()), 0
            for place in np.flatnonzero(places).tolist():
                pieces[2 * place + 1 :: width] = texts[start : start + count]
                start += count
        for place in np.flatnonzero(coded).tolist():
            line = lines[place]
            words = self._words[self._first_word[line] + np.nan_to_num(table[line]).astype(np.intp)]
            pieces[2 * place + 1 :: width] = words.tolist()
        return _array(b"".join(pieces))

    def _cells(self, cells: FloatArray, lines: NDArray[np.intp]) -> NDArray[np.object_]:
        texts = np.empty(len(cells), object)
        counts, coded = self._is_count[lines], self._is_coded[lines]
        texts[counts] = _objects(_counts(cells[counts]))
        plain = ~(counts | coded)
        texts[plain] = _objects(_numbers(cells[plain]))
        if coded.any():
            texts[coded] = self._words[
                self._first_word[lines[coded]] + np.nan_to_num(cells[coded]).astype(np.intp)
            ]
        return texts


def pairs(
    names: tuple[str, str], keys: FloatArray, values: FloatArray, lengths: Sequence[int]
) -> list[orjson.Fragment]:
    """Each key with its value, (n,) both, as objects of two members; a JSON array for each of the lengths."""
    heads: list[bytes] = []
    stops = list(accumulate(lengths))
    for stop, length in zip(stops, lengths, strict=True):
        heads += _pair_heads(names, keys[stop - length : stop].tobytes())
    pieces = [b""] * (2 * len(values))
    pieces[0::2], pieces[1::2] = heads, _numbers(values)
    return [
        _array(b"".join(pieces[2 * (stop - length) : 2 * stop]))
        for stop, length in zip(stops, lengths, strict=True)
    ]


@lru_cache(4096)  # strikes stay for weeks: their text is made once
def _pair_heads(names: tuple[str, str], keys: bytes) -> list[bytes]:
    first, second = (f'"{name}":'.encode() for name in names)
    return [b"},{" + first + key + b"," + second for key in _numbers(np.frombuffer(keys))]


def _array(rows: bytes) -> orjson.Fragment:
    """Rows as a JSON array; each of them begins with the end of the one before, ``},``."""
    return orjson.Fragment(b"[" + rows[2:] + b"}]" if rows else b"[]")


def _objects(items: list[bytes]) -> NDArray[np.object_]:
    result = np.empty(len(items), object)
    result[:] = items
    return result


def _numbers(values: NDArray[Any]) -> list[bytes]:
    """Each of (n,) numbers as JSON; NaN is null."""
    return orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",") if len(values) else []


def _counts(values: FloatArray) -> list[bytes]:
    """As ``_numbers``, without a fraction wherever there is none."""
    is_whole = (np.abs(values) <= MAX_WHOLE) & (values == np.trunc(values))
    if is_whole.all():
        return _numbers(values.astype(np.int64))
    texts = np.empty(len(values), object)
    texts[is_whole] = _objects(_numbers(values[is_whole].astype(np.int64)))
    texts[~is_whole] = _objects(_numbers(values[~is_whole]))
    return texts.tolist()
