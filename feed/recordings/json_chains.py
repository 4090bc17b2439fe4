"""Option chains in JSON whose entries are flat, or hold both sides of a strike: of programs and of brokers.

They are laid out as the table that a CSV of the same rows would be, so that one reader does for both.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from feed.recordings.csv_chains import CONTRACT_NEEDS, ContractColumns, StrikeColumns
from feed.recordings.documents import Table, parts_of_json, plain_column

# what holds a side of a strike -> the prefix of its columns
_SIDES = {"ce": "ce", "pe": "pe", "call": "ce", "put": "pe", "calloptions": "ce", "putoptions": "pe"}
TELLING = 50  # entries: as many of the first tell what all of them are
_QUOTES = "marketdata"  # where Upstox has the prices of a side, beside its Greeks


def chain_table(document: Any) -> Table | None:
    """The contracts or strikes of a JSON chain, a line each, or None where it holds none.

    A list of flat objects is what a program writes of its rows. Upstox sends a list of strikes with
    ``call_options`` and ``put_options``, Dhan an object ``oc`` of strikes with ``ce`` and ``pe``.
    """
    for part in parts_of_json(document):
        entries = _entries(part)
        if not entries or not isinstance(entries[0], Mapping):
            continue
        if not _is_chain(_names(map(_flat, entries[:TELLING]))):
            continue
        rows = [_flat(entry) for entry in entries]
        names = _names(rows)
        return Table([_line(row, entry, names) for row, entry in zip(rows, entries, strict=True)], ",", names)
    return None


def _entries(part: Any) -> list[Any]:
    if isinstance(part, list):
        return part
    strikes = part.get("oc") if isinstance(part, Mapping) else None
    if not isinstance(strikes, Mapping):
        return []
    spot = part.get("last_price")
    return [
        {**sides, "strike": strike, "spot": spot} if isinstance(sides, Mapping) else sides
        for strike, sides in strikes.items()
    ]


def _flat(entry: Any, prefix: str = "") -> dict[str, Any]:
    """The plain values of an entry, those of a side with its prefix; other objects in it are let go."""
    found: dict[str, Any] = {}
    if not isinstance(entry, Mapping):
        return found
    for key, value in entry.items():
        name = plain_column(key)
        if not isinstance(value, Mapping | list):
            found[prefix + name] = value
        elif isinstance(value, Mapping) and (name in _SIDES or name == _QUOTES):
            found |= _flat(value, _SIDES.get(name, prefix))
    return found


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _is_chain(names: list[str]) -> bool:
    return ContractColumns.of(names).at.keys() >= CONTRACT_NEEDS or StrikeColumns.of(names).is_whole


def _line(row: Mapping[str, Any], entry: Any, names: list[str]) -> str:
    """A row as CSV has it; an entry that is no object keeps its text, and is refused for it."""
    cells = [row.get(name) for name in names] if isinstance(entry, Mapping) else [entry]
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow("" if cell is None else cell for cell in cells)
    return line.getvalue().replace("\n", " ")
