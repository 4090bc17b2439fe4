"""Tables as columns: what turns arrays of a chain into rows of JSON.

A table is a float64 matrix, a line per column of ``Column`` and a column per strike, already rounded as
it goes over the wire. Two such matrices compare cell by cell, which is what a delta is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.wire import MAX_WHOLE, whole

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

    @property
    def is_plain(self) -> bool:
        """Whether a cell is its own JSON value."""
        return self.decimals is not None and not self.flag and not self.choices

    def values(self, cells: FloatArray) -> list[Any]:
        """The cells as JSON values: (n,). NaN stays NaN in a float column; orjson writes it as null."""
        if self.flag:
            return cells.astype(bool).tolist()
        if self.choices:
            names = (None, *self.choices)
            return [names[int(code)] if code == code else None for code in cells.tolist()]
        if self.decimals is None:
            return whole_numbers(cells)
        return cells.tolist()

    def value(self, cell: float) -> Any:
        """One cell as a JSON value."""
        if cell != cell:  # NaN
            return None
        if self.flag:
            return bool(cell)
        if self.choices:
            return (None, *self.choices)[int(cell)]
        if self.decimals is None and whole(cell):
            return int(cell)
        return cell


def whole_numbers(cells: FloatArray) -> list[Any]:
    """Counts as integers where they are; fractional ones as floats, unknown ones as None."""
    if (np.abs(cells) <= MAX_WHOLE).all() and (cells == np.trunc(cells)).all():
        return cells.astype(np.int64).tolist()
    return [None if cell != cell else int(cell) if whole(cell) else cell for cell in cells.tolist()]


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


def changed_rows(
    columns: Sequence[Column], table: FloatArray, changed: NDArray[np.bool_], key: int
) -> list[dict[str, Any]]:
    """The rows with a changed cell: the ``key`` column and the changed cells only."""
    result: dict[int, dict[str, Any]] = {}
    key_column = columns[key]
    positions, lines = np.nonzero(changed.T)
    cells = table[lines, positions].tolist()
    for position, line, cell in zip(positions.tolist(), lines.tolist(), cells, strict=True):
        row = result.get(position)
        if row is None:
            row = result[position] = {key_column.name: key_column.value(float(table[key, position]))}
        column = columns[line]
        row[column.name] = cell if column.is_plain else column.value(cell)
    return list(result.values())
