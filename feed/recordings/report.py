"""What came of a file: the report that every import ends with, for a person and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from feed.recordings.frames import BadRow
from feed.recordings.text import iso

MOST_REMEMBERED = 1_000  # bad rows; counted are all of them
SYMBOLS_SHOWN = 6


@dataclass(slots=True)
class ImportReport:
    """What a file is, what of it is kept, and why the rest is not.

    ``rows`` were read; of those ``kept``, ``merged`` into one that is kept, or ``refused``. ``flawed`` rows
    are kept with a field unknown. ``width`` : of candles, such as ``5m``. ``span_ms`` : first and
    last instant. ``error`` : why nothing of it can be used.
    """

    file: str
    what: str = ""
    symbols: tuple[str, ...] = ()
    width: str | None = None
    span_ms: tuple[int, int] | None = None
    rows: int = 0
    kept: int = 0
    merged: int = 0
    refused: int = 0
    flawed: int = 0
    resumed_after: int = 0
    error: str | None = None
    notes: list[str] = field(default_factory=list)
    bad_rows: list[BadRow] = field(default_factory=list)
    flaws: list[BadRow] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    unknown_symbols: Counter[str] = field(default_factory=Counter)

    def refuse(self, row: BadRow) -> None:
        """Count a row that is refused, and keep its reason up to a number that a person reads."""
        self.refused += 1
        self.reasons[rule_of(row.reason)] += 1
        if len(self.bad_rows) < MOST_REMEMBERED:
            self.bad_rows.append(row)

    def flaw(self, row: BadRow) -> None:
        """Note a field that is taken for unknown in a row that is kept."""
        if len(self.flaws) < MOST_REMEMBERED:
            self.flaws.append(row)

    @property
    def exit_code(self) -> int:
        """0 where all was kept, 1 where some or all was refused, 2 where the file is of no use."""
        if self.error is not None:
            return 2
        return 1 if self.refused or not self.kept else 0

    def summary(self) -> str:
        """One line of what became of the file."""
        if self.error is not None:
            return self.error
        words = [f"{self.kept:,} rows kept"]
        words += [f"{self.merged:,} merged"] if self.merged else []
        words += [f"{self.refused:,} refused"]
        words += [f"{self.flawed:,} with a field unknown"] if self.flawed else []
        words += [f"{self.resumed_after:,} had been imported before"] if self.resumed_after else []
        return ", ".join(words)

    def description(self) -> str:
        """One line of what the file is."""
        symbols = listed(self.symbols) or "no known symbol"
        width = f", {self.width} each" if self.width else ""
        span = f", {iso(self.span_ms[0])} to {iso(self.span_ms[1])}" if self.span_ms else ""
        return f"{self.what} of {symbols}{width}{span}"

    def as_json(self) -> dict[str, Any]:
        """The report as names and values."""
        span = None if self.span_ms is None else {"from": iso(self.span_ms[0]), "to": iso(self.span_ms[1])}
        return {
            "file": self.file,
            "what": self.what or None,
            "symbol": self.symbols[0] if len(self.symbols) == 1 else None,
            "symbols": list(self.symbols),
            "width": self.width,
            "span": span,
            "rows": self.rows,
            "kept": self.kept,
            "merged": self.merged,
            "refused": self.refused,
            "flawed": self.flawed,
            "imported_before": self.resumed_after,
            "reasons": dict(self.reasons.most_common()),
            "unknown_symbols": dict(self.unknown_symbols.most_common()),
            "notes": self.notes,
            "bad_rows": [{"row": row.number, "reason": row.reason} for row in self.bad_rows],
            "flaws": [{"row": row.number, "reason": row.reason} for row in self.flaws],
            "error": self.error,
            "exit_code": self.exit_code,
        }


def rule_of(reason: str) -> str:
    """The rule that a sentence names, without the value: what reasons are counted by."""
    for mark in (", such as ", ", was ", ", were ", ", had ", ", is "):
        reason = reason.partition(mark)[0]
    return reason.rstrip(".")


def listed(names: Iterable[str], most: int = SYMBOLS_SHOWN) -> str:
    """Some names, and how many more there are."""
    names = list(names)
    rest = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
