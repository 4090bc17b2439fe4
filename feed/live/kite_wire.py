"""Kite's frames, list and quotes as arrays: pure functions of bytes, which raise nothing for bad ones."""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from domain.instants import to_ms
from domain.market import ProblemKind
from feed.live.broker import TICK_FIELDS, BrokerError, Instrument, Ticks
from feed.market.candles import Candles, source_code
from feed.market.source import FloatArray

PAISE = 100.0
# segments (the low byte of a token) whose prices have more digits
_DIVISORS = {3: 1e7, 6: 1e4, 12: 1e4}
_LEVEL = [("quantity", ">u4"), ("price", ">u4"), ("orders", ">u2"), ("padding", ">u2")]
_HEAD = [("token", ">u4"), ("last_price", ">u4")]
_QUOTE = [
    *_HEAD,
    ("last_quantity", ">u4"),
    ("average_price", ">u4"),
    ("volume", ">u4"),
    ("buy_quantity", ">u4"),
    ("sell_quantity", ">u4"),
    ("open", ">u4"),
    ("high", ">u4"),
    ("low", ">u4"),
    ("previous_close", ">u4"),
]
_INDEX = [
    *_HEAD,
    ("high", ">u4"),
    ("low", ">u4"),
    ("open", ">u4"),
    ("previous_close", ">u4"),
    ("change", ">i4"),
]
LAYOUTS = {
    8: np.dtype(_HEAD),
    28: np.dtype(_INDEX),
    32: np.dtype([*_INDEX, ("exchange_time", ">u4")]),
    44: np.dtype(_QUOTE),
    184: np.dtype(
        [
            *_QUOTE,
            ("last_trade_time", ">u4"),
            ("open_interest", ">u4"),
            ("oi_day_high", ">u4"),
            ("oi_day_low", ">u4"),
            ("exchange_time", ">u4"),
            ("depth", _LEVEL, (10,)),
        ]
    ),
}
_PRICES = ("last_price", "open", "high", "low", "previous_close")
_COLUMNS = frozenset(
    (
        "instrument_token",
        "tradingsymbol",
        "name",
        "expiry",
        "strike",
        "lot_size",
        "instrument_type",
        "exchange",
    )
)
_KINDS = frozenset(("CE", "PE", "FUT", "EQ"))


def decode(message: bytes) -> Ticks:
    """The packets of a frame. One of no known length, or that ends too soon, is counted and left out."""
    if len(message) < 4:
        return Ticks.none()
    count = int.from_bytes(message[:2], "big")
    at, end, bad = 2, len(message), 0
    by_length: dict[int, list[bytes]] = {}
    if count and (end - 2) % count == 0 and (size := (end - 2) // count - 2) in LAYOUTS:
        whole = np.frombuffer(message, np.uint8, offset=2).reshape(count, size + 2)
        if (whole[:, 0].astype(np.intp) * 256 + whole[:, 1] == size).all():
            return _ticks([_fields(np.ascontiguousarray(whole[:, 2:]).view(LAYOUTS[size])[:, 0])], 0, b"")
    for _ in range(count):
        if at + 2 > end:
            bad += 1
            break
        (length,) = struct.unpack_from(">H", message, at)
        packet = message[at + 2 : at + 2 + length]
        at += 2 + length
        if len(packet) < length or length not in LAYOUTS:
            bad += 1
            continue
        by_length.setdefault(length, []).append(packet)
    parts = [_fields(np.frombuffer(b"".join(items), LAYOUTS[length])) for length, items in by_length.items()]
    return _ticks(parts, bad + (at < end), message)


Fields = tuple[NDArray[np.int64], dict[str, FloatArray]]


def _fields(records: NDArray[Any]) -> Fields:
    """What records of one layout tell. Zero is a count, but no price."""
    tokens = records["token"].astype(np.int64)
    segment = tokens & 0xFF
    divisor = np.full(len(tokens), PAISE)
    for number, other in _DIVISORS.items():
        divisor[segment == number] = other
    names = records.dtype.names or ()
    found: dict[str, FloatArray] = {}
    for name in _PRICES:
        if name in names:
            found[name] = _price(records[name], divisor)
    for name in ("volume", "open_interest"):
        if name in names:
            found[name] = records[name].astype(np.float64)
    if "depth" in names:
        for side, quantity, place in (("bid", "bid_quantity", 0), ("ask", "ask_quantity", 5)):
            level = records["depth"][:, place]
            found[side] = _price(level["price"], divisor)
            found[quantity] = np.where(level["price"] > 0, level["quantity"], np.nan).astype(np.float64)
    return tokens, found


def _price(values: NDArray[Any], divisor: FloatArray) -> FloatArray:
    return np.where(values > 0, values / divisor, np.nan)


def _ticks(parts: list[Fields], bad: int, message: bytes) -> Ticks:
    if not parts:
        return Ticks.none(bad, message[:16])
    columns = {
        name: np.concatenate([fields.get(name, np.full(len(tokens), np.nan)) for tokens, fields in parts])
        for name in TICK_FIELDS
    }
    return Ticks(np.concatenate([tokens for tokens, _ in parts]), columns, bad, message[:16] if bad else b"")


def parse_candles(rows: Sequence[Sequence[Any]], source: str) -> Candles:
    """One-minute candles of ``/instruments/historical``. Raises ValueError, TypeError for what is none."""
    times = [to_ms(datetime.fromisoformat(row[0])) for row in rows]
    columns = np.array([[float(value) for value in row[1:6]] for row in rows], np.float64).reshape(-1, 5)
    return Candles.of(np.array(times, np.int64), list(columns.T), source_code(source)).ordered()


def parse_quotes(data: Mapping[str, Any]) -> Ticks:
    """The answer to ``/quote``; an entry that is none is counted and left out."""
    rows: list[tuple[float, ...]] = []
    tokens: list[int] = []
    bad = 0
    for quote in data.values():
        try:
            token = int(quote["instrument_token"])
            ohlc, depth = quote["ohlc"], quote.get("depth") or {"buy": [], "sell": []}
            bid, ask = (_best(depth[side]) for side in ("buy", "sell"))
            row = (
                _positive(quote["last_price"]),
                *(_positive(ohlc[name]) for name in ("open", "high", "low", "close")),
                _count(quote.get("volume")),
                _count(quote.get("oi")),
                bid[0],
                ask[0],
                bid[1],
                ask[1],
                np.nan,  # the previous day's open interest is on no wire of Kite's
            )
        except (TypeError, KeyError, ValueError, AttributeError):
            bad += 1
            continue
        tokens.append(token)
        rows.append(row)
    if not rows:
        return Ticks.none(bad)
    columns = np.array(rows, np.float64).T
    return Ticks(np.array(tokens, np.int64), dict(zip(TICK_FIELDS, columns, strict=True)), bad)


def _positive(value: Any) -> float:
    number = float(value)
    return number if number > 0 else np.nan


def _count(value: Any) -> float:
    return np.nan if value is None else float(value)


def _best(levels: Any) -> tuple[float, float]:
    if not levels or not float(levels[0]["price"]) > 0:
        return np.nan, np.nan
    return float(levels[0]["price"]), float(levels[0]["quantity"])


def parse_instruments(text: str) -> list[Instrument]:
    """The list of instruments, without rows that cannot be read. Raises BrokerError for what is no list."""
    reader = csv.DictReader(io.StringIO(text))
    missing = sorted(_COLUMNS - set(reader.fieldnames or ()))
    if missing:
        raise BrokerError(ProblemKind.PROTOCOL, f"Kite's list of instruments lacks the column {missing[0]}.")
    return list(_instruments(reader))


def _instruments(rows: Iterable[Mapping[str, str | None]]) -> Iterable[Instrument]:
    for row in rows:
        try:
            kind = str(row["instrument_type"])
            if kind not in _KINDS:
                continue
            expiry = date.fromisoformat(str(row["expiry"])) if row["expiry"] else None
            name = str(row["tradingsymbol"] if kind == "EQ" else row["name"])
            yield Instrument(
                int(str(row["instrument_token"])),
                str(row["exchange"]),
                name,
                kind,
                expiry,
                float(row["strike"] or 0),
                int(float(row["lot_size"] or 0)),
            )
        except ValueError:
            continue


def envelope(body: bytes) -> Any:
    """The data of an answer that is JSON; None of any other."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None
