"""Option chains recorded as CSV: many instants with a row per contract, or one with a row per strike."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from feed.recordings.frames import FrameBuilder, Recording, contract_values
from feed.recordings.text import parse_day, parse_instant, parse_number, parse_strike

MINUTE_COLUMNS = frozenset({"timestamp", "expiry", "strike", "option_type"})
SNAPSHOT_COLUMNS = frozenset({"expiry", "strike", "ce_oi", "pe_oi"})

# column -> what contract_values() calls it; ``iv`` is somebody's own calculation and ``buy_qty``
# is the sum over the whole book, so neither has a place in a market of quotes
VALUE_COLUMNS = {
    "ltp": "last_price",
    "volume": "volume",
    "oi": "open_interest",
    "oi_chg": "open_interest_change",
}
IS_CALL = {"CE": True, "PE": False}


def header_of(line: str) -> list[str]:
    """The names of a CSV header, lower case."""
    return [cell.strip().lower() for cell in _cells(line)]


def _cells(line: str) -> list[str]:
    """The cells of one line, read alone so that a stray quote cannot swallow the lines after it."""
    try:
        cells: list[str] = next(csv.reader([line]), [])
    except csv.Error as problem:
        raise ValueError(f"a row must be readable as CSV, was not ({problem})") from problem
    return cells


def decode_minutes(lines: Sequence[str], symbol: str) -> Recording:
    """Frames of rows of timestamp, expiry, strike, option_type, spot, ltp, volume, oi, oi_chg.

    ``lines`` : the file with its header. Columns beside these are left alone; absent ones are unknown.
    """
    builder = FrameBuilder()
    header = header_of(lines[0])
    for number, line in _rows(lines):
        try:
            _add_minute_row(builder, symbol, _by_name(header, line))
        except ValueError as problem:
            builder.refuse(number, str(problem))
    return builder.build()


def _add_minute_row(builder: FrameBuilder, symbol: str, row: dict[str, str]) -> None:
    time_ms = parse_instant(row["timestamp"])
    expiry = parse_day(row["expiry"])
    is_call = IS_CALL.get(row["option_type"].strip().upper())
    if is_call is None:
        raise ValueError(f"option_type must be CE or PE, was {row['option_type']!r}")
    strike = parse_strike(row["strike"])
    spot = parse_number("spot", row.get("spot", ""))
    builder.add_leg(time_ms, (symbol, expiry), strike, is_call, _values(row, ""))
    builder.add_spot(time_ms, symbol, spot)


def decode_snapshot(lines: Sequence[str], symbol: str, time_ms: int, spot: float) -> Recording:
    """One frame of rows of expiry, strike and ltp, volume, oi, oi_chg after ce_ and pe_.

    ``lines`` : the file with its header. The file does not hold its instant ``time_ms`` nor the
    ``spot`` (rupees, NaN if not known).
    """
    builder = FrameBuilder()
    builder.add_spot(time_ms, symbol, spot)
    header = header_of(lines[0])
    for number, line in _rows(lines):
        try:
            row = _by_name(header, line)
            key = (symbol, parse_day(row["expiry"]))
            strike = parse_strike(row["strike"])
            sides = {is_call: _values(row, f"{side.lower()}_") for side, is_call in IS_CALL.items()}
            for is_call, values in sides.items():
                builder.add_leg(time_ms, key, strike, is_call, values)
        except ValueError as problem:
            builder.refuse(number, str(problem))
    return builder.build()


def _rows(lines: Sequence[str]) -> Iterable[tuple[int, str]]:
    """The lines after the header that are not empty, with their numbers."""
    return ((number, line) for number, line in enumerate(lines[1:], start=2) if line.strip())


def _by_name(header: Sequence[str], line: str) -> dict[str, str]:
    cells = _cells(line)
    if len(cells) != len(header):
        raise ValueError(f"a row must have {len(header)} columns, had {len(cells)}")
    return dict(zip(header, cells, strict=True))


def _values(row: dict[str, str], prefix: str) -> dict[str, float]:
    return contract_values(
        {
            name: parse_number(prefix + column, row[prefix + column])
            for column, name in VALUE_COLUMNS.items()
            if prefix + column in row
        }
    )
