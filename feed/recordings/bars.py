"""Candles in files: rows of CSV or of a broker's JSON, decoded into columns of one width.

The width is read from the instants, and is part of what is reported. Bars finer than a minute are merged into
minutes; minutes and what is wider is kept as it is; a bar that is one of a day has its day's midnight.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from domain.instants import DAY_MS, MINUTE_MS
from feed.market.candles import Candles, gather, parse_width, source_code, width_name
from feed.recordings.columns import BAR_COLUMNS, places
from feed.recordings.documents import Table, parts_of_json, plain_column
from feed.recordings.frames import BadRow
from feed.recordings.report import ImportReport
from feed.recordings.text import (
    CLOCK,
    ORDERS,
    Order,
    StatedMoment,
    local_day,
    local_ms,
    parse_moment,
    parse_number,
    settle_order,
)

PRICES = ("open", "high", "low", "close")
AMOUNTS = ("volume", "oi")
NEEDED = frozenset(PRICES)
SOURCE = source_code("imported")
WEEK_MS = 7 * DAY_MS
_DAILY_CLOCKS = (0, 19_800_000)  # midnight in India, and midnight UTC
_SAMPLE = 50_000  # instants that a width is read from
_SERIES = frozenset({"EQ", "BE", ""})  # of an exchange's equities; others are bonds and warrants
_WIDTH_IN_NAME = re.compile(
    r"(?<![A-Za-z0-9])((?:[1-5]|10|15|30|45|60|75|120)[ _-]?)?"
    r"(minutes?|mins?|m|hours?|h|days?|daily|d|eod|seconds?|secs?|s)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_LISTS: Mapping[str, Sequence[str]] = {  # of a document of parallel lists
    "date": ("timestamp", "time", "date", "t"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "v"),
    "oi": ("open_interest", "oi"),
}
_POSITIONS = ("date", *PRICES, *AMOUNTS)  # of a broker's list of lists

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RecordedBars:
    """Candles by symbol, each of one width, in order of time."""

    candles: Mapping[str, Candles]
    width_ms: int


@dataclass(frozen=True, slots=True)
class RawBar:
    """A row as it stands in the file: its number and its values by the names of ``BAR_COLUMNS``."""

    number: int
    values: Mapping[str, Any]


def rows_of_table(table: Table) -> Iterator[RawBar | BadRow]:
    """The rows of a CSV whose header has the columns of candles."""
    header = table.header()
    place = bar_places(header)
    for number in table.numbers():
        try:
            cells = table.row(number, len(header))
        except ValueError as problem:
            yield BadRow(number, f"{problem}.")
        else:
            yield RawBar(number, {name: cells[at] for name, at in place.items()})


def named(table: Table) -> Table:
    """A table of candles that begins with its first row, its columns named by that; any other as it is.

    Freely shared minutes look so: ``BANKNIFTY,20240603,09:15,50000,50002,49998,50001,0,0``.
    """
    try:
        cells = [cell.strip() for cell in table.cells(1)]
    except ValueError:
        return table
    names: list[str] = []
    if cells and not _is_moment(cells[0]) and re.search("[A-Za-z]", cells[0]):
        names.append("symbol")
    if len(names) == len(cells) or not _is_moment(cells[len(names)]):
        return table
    names.append("date")
    if len(names) < len(cells) and CLOCK.fullmatch(cells[len(names)]):
        names.append("time")
    values = cells[len(names) :]
    while len(values) > len(AMOUNTS) and not values[-1]:
        values.pop()
    if not len(PRICES) <= len(values) <= len(PRICES) + len(AMOUNTS) or not _are_of_a_bar(values):
        return table
    return replace(table, names=[*names, *(*PRICES, *AMOUNTS)[: len(values)]])


def _is_moment(text: str) -> bool:
    for order in ORDERS:
        with suppress(ValueError):
            parse_moment(text, order)
            return True
    return False


def _are_of_a_bar(values: Sequence[str]) -> bool:
    try:
        opens, high, low, close, *_ = (parse_number("value", value) for value in values)
    except ValueError:
        return False
    return low <= min(opens, close) <= max(opens, close) <= high


def bar_places(header: Sequence[str]) -> dict[str, int]:
    """Where the columns of candles stand; an only column of time tells the date too."""
    found = places(header, BAR_COLUMNS)
    if "date" not in found and "time" in found:
        found["date"] = found.pop("time")
    return found


def rows_of_json(document: Any) -> list[RawBar | BadRow] | None:
    """The candles of a broker's answer, None where it holds none.

    Kite, Upstox, Fyers and Angel send lists of date, prices, volume and open interest, Dhan and charting
    libraries parallel lists, clients of theirs lists of objects.
    """
    if _is_empty(document):
        return []
    for part in parts_of_json(document):
        if isinstance(part, Mapping) and (found := _parallel(part)) is not None:
            return found
        if isinstance(part, list) and part and all(_is_row(row) for row in part[:3]):
            return [_json_row(number, row) for number, row in enumerate(part, start=1)]
    return None


def _is_empty(document: Any) -> bool:
    """Whether an answer has a list of candles with nothing in it."""
    return any(isinstance(part, Mapping) and part.get("candles") == [] for part in parts_of_json(document))


def _parallel(part: Mapping[str, Any]) -> list[RawBar | BadRow] | None:
    lists = {
        name: part[key] for name, keys in _LISTS.items() for key in keys if isinstance(part.get(key), list)
    }
    if not {*PRICES, "date"} <= lists.keys():
        return None
    length = min(len(lists[name]) for name in ("date", *PRICES))
    return [
        RawBar(row + 1, {name: values[row] for name, values in lists.items() if row < len(values)})
        for row in range(length)
    ]


def _is_row(row: Any) -> bool:
    if isinstance(row, list):
        return len(row) >= 5
    return isinstance(row, Mapping) and {BAR_COLUMNS.get(plain_column(name)) for name in row} >= NEEDED


def _json_row(number: int, row: Any) -> RawBar | BadRow:
    if isinstance(row, Mapping):
        names = list(row)
        place = bar_places([plain_column(name) for name in names])
        return RawBar(number, {name: row[names[at]] for name, at in place.items()})
    if not isinstance(row, list) or not 5 <= len(row) <= len(_POSITIONS):
        return BadRow(number, f"an entry must be a list of date, prices and volume, was {row!r:.60}.")
    return RawBar(number, dict(zip(_POSITIONS, row, strict=False)))


@dataclass(slots=True)
class _Column:
    """The values of one symbol as they come."""

    moments: list[StatedMoment] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)


class BarDecoder:
    """Decodes the rows of one file.

    ``symbol`` : what all rows are of where it is known; ``resolve`` names the symbol of a row's own, and
    raises ValueError. ``may_be_negative`` says of which symbols a price below 0 is one.
    """

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        report: ImportReport,
        *,
        symbol: str | None,
        resolve: Callable[[str], str],
        may_be_negative: Callable[[str], bool],
        interval: str | None,
        order: Order | None,
        file_name: str,
    ) -> None:
        self._report = report
        self._symbol = symbol
        self._resolve = resolve
        self._may_be_negative = may_be_negative
        self._interval = interval
        self._order = order
        self._file_name = file_name
        self._columns: dict[str, _Column] = {}

    def decode(self, rows: Iterable[RawBar | BadRow], total: int, progress: Progress) -> RecordedBars:
        """The candles of the rows; what is refused is told to the report. Raises ValueError."""
        for count, row in enumerate(rows, start=1):
            self._report.rows += 1
            if isinstance(row, BadRow):
                self._report.refuse(row)
            else:
                self._take(row)
            if count % 5_000 == 0:
                progress(min(count, total), total)
        return self._bars()

    def _take(self, row: RawBar) -> None:
        try:
            symbol = self._symbol_of(row)
            moment = parse_moment(
                str(row.values.get("date", "")), self._order, str(row.values.get("time") or "")
            )
            values = self._values(row, symbol)
        except ValueError as problem:
            self._report.refuse(BadRow(row.number, f"{problem}."))
            return
        column = self._columns.setdefault(symbol, _Column())
        column.moments.append(moment)
        column.values.append(values)

    def _symbol_of(self, row: RawBar) -> str:
        if str(row.values.get("series", "")).strip().upper() not in _SERIES:
            raise ValueError(f"series must be EQ, was {row.values['series']!r}")
        if self._symbol is not None:
            return self._symbol
        name = str(row.values.get("symbol", "")).strip()
        return self._resolve(name)

    def _values(self, row: RawBar, symbol: str) -> tuple[float, ...]:
        """Open, high, low, close, volume and open interest. Raises ValueError."""
        prices = [self._price(name, row.values.get(name), symbol) for name in PRICES]
        opens, high, low, close = prices
        if not low <= min(opens, close) or not high >= max(opens, close):
            raise ValueError(
                f"open and close must lie between low and high, were {opens:g}, {close:g} "
                f"with {low:g}, {high:g}"
            )
        amounts = [self._amount(row, name) for name in AMOUNTS]
        if any(flaw for _, flaw in amounts):
            self._report.flawed += 1
        return (*prices, *(value for value, _ in amounts))

    def _price(self, name: str, stated: Any, symbol: str) -> float:
        value = parse_number(name, stated)
        if math.isnan(value):
            raise ValueError(f"{name} must be a price, was {stated!r}")
        if value <= 0 and not self._may_be_negative(symbol):
            raise ValueError(f"{name} must be a price above 0, was {str(stated).strip()!r}")
        return value

    def _amount(self, row: RawBar, name: str) -> tuple[float, bool]:
        """A volume or open interest, NaN where it cannot be read, and whether that is so."""
        try:
            value = parse_number(name, row.values.get(name))
            if value < 0:
                raise ValueError(f"{name} must be 0 or more, was {str(row.values[name]).strip()!r}")
        except ValueError as problem:
            reason = f"{problem}; the field is unknown, the rest of the row is kept."
            self._report.flaw(BadRow(row.number, reason))
            return math.nan, True
        return value, False

    def _bars(self) -> RecordedBars:
        report = self._report
        width_ms = self._width_ms()
        if width_ms >= WEEK_MS:
            raise ValueError(
                f"its bars are of {width_name(width_ms)}, which are made of days: import the days"
            )
        previous_ms = max(width_ms, MINUTE_MS)
        candles = {
            symbol: _candles(column, width_ms, previous_ms)
            for symbol, column in sorted(self._columns.items())
        }
        read = sum(len(column.moments) for column in self._columns.values())
        report.kept = sum(map(len, candles.values()))
        report.merged = read - report.kept
        known = (self._symbol,) if self._symbol is not None else ()
        report.symbols, report.width = tuple(candles) or known, width_name(previous_ms) if candles else None
        if width_ms < MINUTE_MS and read:
            report.notes.append(
                f"bars of {width_name(width_ms)} are merged into minutes, their volumes summed"
            )
        if candles:
            firsts, lasts = ([int(own.time_ms[at]) for own in candles.values()] for at in (0, -1))
            report.span_ms = min(firsts), max(lasts)
        return RecordedBars(candles, previous_ms)

    def _width_ms(self) -> int:
        moments = [column.moments for column in self._columns.values()]
        days_only = any(moment.time_ms is None for stated in moments for moment in stated)
        found = infer_width(moments, self._file_name)
        if self._interval is None:
            return found
        named_width = parse_width(self._interval)
        if named_width < DAY_MS and days_only:
            raise ValueError(f"--interval {self._interval} needs instants, its rows tell days only")
        if MINUTE_MS <= found < named_width < DAY_MS and _common_gap(moments):
            raise ValueError(
                f"bars of {self._interval} must begin that far apart, its rows are {width_name(found)} apart"
            )
        return named_width


def _candles(column: _Column, width_ms: int, previous_ms: int) -> Candles:
    """Rows as candles of ``kept_ms``, in order of time; finer ones are merged, of doubles the last stays."""
    if width_ms >= DAY_MS:
        times = np.array([local_ms(moment.day) for moment in column.moments], np.int64)
    else:
        times = np.array([moment.time_ms or local_ms(moment.day) for moment in column.moments], np.int64)
    columns = np.array(column.values, np.float64).T
    candles = Candles.of(times, list(columns), SOURCE, previous_ms)
    if width_ms < MINUTE_MS:
        candles = candles.take(np.argsort(candles.time_ms, kind="stable"))
        return gather(candles.time_ms // MINUTE_MS * MINUTE_MS, candles)
    if width_ms < DAY_MS:
        candles = candles.at(times // MINUTE_MS * MINUTE_MS)
    return candles.ordered()


def infer_width(moments: Sequence[Sequence[StatedMoment]], file_name: str = "") -> int:
    """The width of bars in milliseconds, from the instants of each symbol, else from the file's name.

    The commonest gap within a day is the width: a missing bar makes a longer one now and then. Where every
    day has one bar it is a daily one. Raises ValueError for a width that is no number of minutes.
    """
    gap_ms = _common_gap(moments)
    if gap_ms:
        if gap_ms > MINUTE_MS and gap_ms % MINUTE_MS:
            raise ValueError(f"its bars must be whole minutes wide, are {gap_ms / 1000:g} s apart")
        return gap_ms
    stated = [moment for own in moments for moment in own[:_SAMPLE]]
    clocks = {0 if moment.time_ms is None else moment.time_ms - local_ms(moment.day) for moment in stated}
    days = sorted({moment.day.toordinal() for moment in stated})
    gaps = np.diff(days)
    if len(gaps) >= 2 and gaps.min() >= 5:  # no market is closed so long, time and again
        return WEEK_MS if gaps.min() < 25 else 30 * DAY_MS
    if all(moment.time_ms is None for moment in stated) or clocks <= set(_DAILY_CLOCKS):
        return DAY_MS
    named = width_in_name(file_name)
    if named is not None:
        return named
    return DAY_MS if len(clocks) == 1 and len(days) >= 3 else MINUTE_MS


def _common_gap(moments: Sequence[Sequence[StatedMoment]]) -> int:
    """The commonest time between two bars of one day, the shorter of two alike; 0 where no day has two."""
    counted: Counter[int] = Counter()
    for own in moments:
        times = np.unique([moment.time_ms for moment in own[:_SAMPLE] if moment.time_ms is not None])
        gaps = np.diff(times)
        days = np.array([local_day(int(time_ms)).toordinal() for time_ms in times.tolist()])
        counted.update(gaps[np.diff(days) == 0].astype(int).tolist())
    return min(counted, key=lambda gap: (-counted[gap], gap), default=0)


def width_in_name(name: str) -> int | None:
    """The width that a file's name tells, as ``NIFTY_5minute.csv`` does."""
    found = _WIDTH_IN_NAME.search(name)
    if found is None:
        return None
    try:
        return parse_width(f"{(found[1] or '1').rstrip(' _-')}{found[2].lower()}")
    except ValueError:
        return None


def order_of_bars(rows: Sequence[RawBar | BadRow], hint: Order | None) -> Order | None:
    """How the days of digits of a JSON's candles are to be read. Raises ValueError."""
    return settle_order((str(row.values.get("date", "")) for row in rows if isinstance(row, RawBar)), hint)
