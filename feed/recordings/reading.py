"""A file of recorded chains, whatever its shape: from a path to frames."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Container, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from feed.recordings.csv_chains import (
    MINUTE_COLUMNS,
    SNAPSHOT_COLUMNS,
    decode_minutes,
    decode_snapshot,
    header_of,
)
from feed.recordings.frames import Recording, RecordingError
from feed.recordings.nse_json import decode_exchange_json, document_symbol
from feed.recordings.text import local_ms, parse_day, parse_number

DEFAULT_SYMBOL = "NIFTY"
GZIP_MAGIC = b"\x1f\x8b"
EXPECTED = (
    "expected the minute-by-minute CSV (timestamp,expiry,strike,option_type,…), the one-snapshot CSV "
    "(expiry,strike,ce_oi,…,pe_oi,…) or the exchange's option-chain JSON (records.data), gzipped or not"
)
_DAY_IN_NAME = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{8})(?:[_-](\d{2})(\d{2}))?(?!\d)")

Closing = Callable[[str, date], int]


def read_recording(
    path: Path,
    *,
    closing_ms: Closing,
    known_symbols: Container[str] = (),
    symbol: str | None = None,
    spot: float | None = None,
) -> Recording:
    """The frames of a recorded file and the rows that were skipped.

    ``closing_ms(symbol, day)`` : the close of that underlying's last session on or before a day, the
    instant of a snapshot whose file name holds a date and no time. ``symbol`` : the underlying of a
    CSV, else the first of ``known_symbols`` in the file name, else NIFTY. ``spot`` : price of the
    underlying for a one-snapshot CSV, which has none; else ``underlying_value`` of a JSON file
    beside it, named after it with or without ``_expected``; else it is not known. Raises
    RecordingError.
    """
    content = _content(path)
    symbol = symbol.upper() if symbol else None
    recording = (
        _from_json(path, content, symbol)
        if content.lstrip()[:1] in (b"{", b"[")
        else _from_csv(path, content, symbol or _symbol_in_name(path, known_symbols), closing_ms, spot)
    )
    if not recording.frames:
        first = recording.bad_rows[0] if recording.bad_rows else None
        detail = f"; the first refused was row {first.number}: {first.reason}" if first else ""
        raise RecordingError(path, f"it holds no usable row{detail}.")
    return recording


def _content(path: Path) -> bytes:
    """The bytes of the file, unpacked."""
    try:
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
    except OSError as problem:
        raise RecordingError(path, f"it cannot be read ({problem.strerror or problem}).") from problem
    except (EOFError, zlib.error) as problem:
        raise RecordingError(path, f"it is not a whole gzip file ({problem}).") from problem
    content = content.removeprefix(BOM_UTF8)
    if not content.strip():
        raise RecordingError(path, f"it is empty; {EXPECTED}.")
    return content


def _from_json(path: Path, content: bytes, symbol: str | None) -> Recording:
    try:
        document = orjson.loads(content)
        return decode_exchange_json(document, symbol or document_symbol(document) or DEFAULT_SYMBOL)
    except orjson.JSONDecodeError as problem:
        raise RecordingError(path, f"it is not valid JSON ({problem}).") from problem
    except ValueError as problem:
        raise RecordingError(path, f"{problem}.") from problem


def _from_csv(path: Path, content: bytes, symbol: str, closing_ms: Closing, spot: float | None) -> Recording:
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as problem:
        raise RecordingError(path, f"it is not text; {EXPECTED}.") from problem
    columns = _columns(path, lines[0])
    if columns >= MINUTE_COLUMNS:
        return decode_minutes(lines, symbol)
    if columns >= SNAPSHOT_COLUMNS:
        return _snapshot(path, lines, symbol, closing_ms, spot)
    if {"open", "high", "low", "close"} <= columns:
        raise RecordingError(path, f"it holds candles, not option chains; {EXPECTED}.")
    raise RecordingError(path, f"its columns are unknown; {EXPECTED}.")


def _columns(path: Path, header: str) -> set[str]:
    try:
        return set(header_of(header))
    except ValueError as problem:
        raise RecordingError(path, f"its first line is no header ({problem}); {EXPECTED}.") from problem


def _snapshot(
    path: Path, lines: Sequence[str], symbol: str, closing_ms: Closing, spot: float | None
) -> Recording:
    return decode_snapshot(
        lines,
        symbol,
        _instant_in_name(path, symbol, closing_ms),
        _spot_beside(path) if spot is None else spot,
    )


def _symbol_in_name(path: Path, known_symbols: Container[str]) -> str:
    name = path.name.upper()
    # whole words first: some symbols hold a dash themselves
    words = re.split(r"[_\s.]", name) + re.split(r"[_\s.-]", name)
    return next((word for word in words if word in known_symbols), DEFAULT_SYMBOL)


def _instant_in_name(path: Path, symbol: str, closing_ms: Closing) -> int:
    """The date in a file's name with the time after it, else with the market's close."""
    found = _DAY_IN_NAME.search(path.name)
    if found is None:
        raise RecordingError(
            path, "a one-snapshot CSV does not hold its date, so its name must, as in chain_20260807.csv."
        )
    try:
        day = parse_day(found[1])
        return local_ms(day, int(found[2]), int(found[3])) if found[2] else closing_ms(symbol, day)
    except ValueError as problem:
        raise RecordingError(path, f"its name holds no valid date or time ({problem}).") from problem


def _spot_beside(path: Path) -> float:
    """``underlying_value`` of the JSON file beside a recording, NaN without one."""
    stem = path.name.split(".")[0]
    for beside in (path.with_name(f"{stem}_expected.json"), path.with_name(f"{stem}.json")):
        if beside.is_file():
            return _underlying_value(beside)
    return math.nan


def _underlying_value(path: Path) -> float:
    try:
        document: Any = orjson.loads(path.read_bytes())
        value = document.get("underlying_value") if isinstance(document, dict) else None
        return parse_number("underlying_value", "" if value is None else str(value))
    except (OSError, ValueError) as problem:
        raise RecordingError(path, f"the spot beside a recording cannot be read ({problem}).") from problem
