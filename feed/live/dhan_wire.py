"""Dhan's packets, list and quotes as arrays: pure functions of bytes, which raise nothing for bad ones.

Packets are little-endian, prices are float32, and a message may hold several packets of several kinds.
Source: https://dhanhq.co/docs/v2/live-market-feed/ and the broker's own client for Python.
"""

from __future__ import annotations

import csv
import io
import struct
from collections.abc import Iterable, Mapping
from datetime import date
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.instruments import Exchange
from domain.market import ProblemKind
from feed.live.broker import TICK_FIELDS, BrokerError, Instrument, Ticks
from feed.market.source import FloatArray

SAMPLE_BYTES = 16


class Segment(IntEnum):
    """The segments of instruments that we follow, by their numbers on the wire."""

    IDX_I = 0
    NSE_EQ = 1
    NSE_FNO = 2
    BSE_EQ = 4
    MCX_COMM = 5
    BSE_FNO = 8


SEGMENT_BITS = 8
_SEGMENT_OF = {  # by exchange and segment of the list
    ("NSE", "I"): (Segment.IDX_I, Exchange.NSE),
    ("BSE", "I"): (Segment.IDX_I, Exchange.BSE),
    ("NSE", "E"): (Segment.NSE_EQ, Exchange.NSE),
    ("BSE", "E"): (Segment.BSE_EQ, Exchange.BSE),
    ("NSE", "D"): (Segment.NSE_FNO, Exchange.NFO),
    ("BSE", "D"): (Segment.BSE_FNO, Exchange.BFO),
    ("MCX", "M"): (Segment.MCX_COMM, Exchange.MCX),
}
_HEAD = [("code", "u1"), ("length", "<u2"), ("segment", "u1"), ("security_id", "<u4")]
_TRADE = [
    *_HEAD,
    ("last_price", "<f4"),
    ("last_quantity", "<u2"),
    ("last_trade_time", "<u4"),
    ("average_price", "<f4"),
    ("volume", "<u4"),
    ("sell_quantity", "<u4"),
    ("buy_quantity", "<u4"),
]
_DAY = [("open", "<f4"), ("close", "<f4"), ("high", "<f4"), ("low", "<f4")]
_LEVEL = [
    ("bid_quantity", "<u4"),
    ("ask_quantity", "<u4"),
    ("bid_orders", "<u2"),
    ("ask_orders", "<u2"),
    ("bid", "<f4"),
    ("ask", "<f4"),
]
LAYOUTS = {
    2: np.dtype([*_HEAD, ("last_price", "<f4"), ("last_trade_time", "<u4")]),
    4: np.dtype([*_TRADE, *_DAY]),
    5: np.dtype([*_HEAD, ("open_interest", "<u4")]),
    6: np.dtype([*_HEAD, ("previous_close", "<f4"), ("previous_open_interest", "<u4")]),
    8: np.dtype(
        [
            *_TRADE,
            ("open_interest", "<u4"),
            ("oi_day_high", "<u4"),
            ("oi_day_low", "<u4"),
            *_DAY,
            ("depth", _LEVEL, (5,)),
        ]
    ),
}
FULL, DISCONNECT = 8, 50
_IGNORED = (0, 7)  # acknowledgements, and the status of markets, which our calendar knows
_HEAD_BYTES = 8
_PRICES = ("last_price", "open", "high", "low", "previous_close")
_COUNTS = ("volume", "open_interest", "previous_open_interest")
# up to here a float32 tells one hundredth from the next; beyond, prices are on a grid of 0.05 or coarser
_FINE_BELOW = float(2**17)
_REASONS = {
    805: (ProblemKind.RATE_LIMITED, "Dhan: too many sockets are open for this account."),
    806: (ProblemKind.NOT_PERMITTED, "This Dhan account has no market data: it needs the paid data plan."),
    807: (ProblemKind.LOGIN_REQUIRED, "Dhan ended the session: run `python server.py login`."),
    808: (ProblemKind.LOGIN_REQUIRED, "Dhan does not know this dhan.client_id."),
    809: (ProblemKind.LOGIN_REQUIRED, "Dhan refuses this token: run `python server.py login`."),
}


def token_of(segment: int, security_id: int) -> int:
    """An instrument as one number, for ids are unique within a segment only."""
    return security_id << SEGMENT_BITS | segment


def segment_and_id(token: int) -> tuple[str, str]:
    """Segment and id as requests name them."""
    return Segment(token & (1 << SEGMENT_BITS) - 1).name, str(token >> SEGMENT_BITS)


def refusal(reason: int) -> BrokerError:
    """What a reason for the end of a line means."""
    kind, message = _REASONS.get(reason, (ProblemKind.DISCONNECTED, f"Dhan ended the line ({reason})."))
    return BrokerError(kind, message)


def is_whole(message: bytes) -> bool:
    """Whether a message ends where its last packet does, so that another may follow it."""
    at, end = 0, len(message)
    while at + _HEAD_BYTES <= end and (length := int.from_bytes(message[at + 1 : at + 3], "little")):
        at += length
    return at == end


def decode(message: bytes) -> Ticks:
    """The packets of a message. What is of no known kind or ends too soon is counted and left out.

    Raises BrokerError for a packet that says that the line ends, and why.
    """
    at, end, bad = 0, len(message), 0
    size = LAYOUTS[FULL].itemsize
    if end and end % size == 0:  # as a socket in full mode is nearly always
        records = np.frombuffer(message, LAYOUTS[FULL])
        if (records["code"] == FULL).all() and (records["length"] == size).all():
            return _ticks([_fields(records)], 0, b"")
    by_code: dict[int, list[bytes]] = {}
    while at + _HEAD_BYTES <= end:
        code, length = struct.unpack_from("<BH", message, at)
        if length < _HEAD_BYTES or at + length > end:
            break
        packet = message[at : at + length]
        at += length
        if code == DISCONNECT and length >= _HEAD_BYTES + 2:
            raise refusal(struct.unpack_from("<H", packet, _HEAD_BYTES)[0])
        if code in LAYOUTS and length == LAYOUTS[code].itemsize:
            by_code.setdefault(code, []).append(packet)
        elif code not in _IGNORED:
            bad += 1
    bad += at < end
    parts = [_fields(np.frombuffer(b"".join(items), LAYOUTS[code])) for code, items in by_code.items()]
    return _ticks(parts, bad, message[:SAMPLE_BYTES] if bad else b"")


def _ticks(parts: list[tuple[NDArray[np.int64], dict[str, FloatArray]]], bad: int, sample: bytes) -> Ticks:
    if not parts:
        return Ticks.none(bad, sample)
    columns = {
        name: np.concatenate([fields.get(name, np.full(len(tokens), np.nan)) for tokens, fields in parts])
        for name in TICK_FIELDS
    }
    return Ticks(np.concatenate([tokens for tokens, _ in parts]), columns, bad, sample)


def _fields(records: NDArray[Any]) -> tuple[NDArray[np.int64], dict[str, FloatArray]]:
    """What records of one layout tell. Zero is a count, but no price; an index has no volume."""
    segment = records["segment"].astype(np.int64)
    tokens = records["security_id"].astype(np.int64) << SEGMENT_BITS | segment
    names = records.dtype.names or ()
    found = {name: _price(records[name]) for name in _PRICES if name in names}
    for name in _COUNTS:
        if name in names:
            found[name] = np.where(segment == Segment.IDX_I, np.nan, records[name].astype(np.float64))
    if "depth" in names:
        best = records["depth"][:, 0]
        for side in ("bid", "ask"):
            found[side] = _price(best[side])
            known = ~np.isnan(found[side])
            found[f"{side}_quantity"] = np.where(known, best[f"{side}_quantity"], np.nan)
    return tokens, found


def _price(values: NDArray[Any]) -> FloatArray:
    """Prices as they were before they became float32: back on the grid that they stand on."""
    told = values.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        grid = np.where(told < _FINE_BELOW, 100.0, 20.0)
        rounded = np.rint(told * grid) / grid
        return np.where((told > 0) & np.isfinite(rounded), rounded, np.nan)


def parse_quotes(data: Mapping[str, Any]) -> Ticks:
    """The answer to ``/marketfeed/quote``, by segment and id; other entries are counted."""
    tokens: list[int] = []
    rows: list[dict[str, float]] = []
    bad = 0
    for segment_name, quotes in data.items():
        for security_id, quote in quotes.items() if isinstance(quotes, dict) else ():
            try:
                token = token_of(Segment[segment_name], int(security_id))
                rows.append(_quote(quote, is_index=segment_name == Segment.IDX_I.name))
            except (TypeError, KeyError, ValueError, AttributeError, IndexError):
                bad += 1
                continue
            tokens.append(token)
    if not rows:
        return Ticks.none(bad)
    columns = {name: np.array([row.get(name, np.nan) for row in rows]) for name in TICK_FIELDS}
    return Ticks(np.array(tokens, np.int64), columns, bad)


def _quote(quote: Mapping[str, Any], *, is_index: bool) -> dict[str, float]:
    day = quote["ohlc"]
    row = {
        "last_price": _positive(quote["last_price"]),
        "previous_close": _positive(day["close"]),
        **{name: _positive(day[name]) for name in ("open", "high", "low")},
    }
    if not is_index:
        row["volume"] = float(quote["volume"])
        row["open_interest"] = float(quote["oi"])
    depth = quote.get("depth") or {}
    for side, name in (("bid", "buy"), ("ask", "sell")):
        levels = depth.get(name) or []
        if levels and float(levels[0]["price"]) > 0:
            row[side] = float(levels[0]["price"])
            row[f"{side}_quantity"] = float(levels[0]["quantity"])
    return row


def _positive(value: Any) -> float:
    number = float(value)
    return number if number > 0 else np.nan


_COLUMNS = frozenset(
    (
        "SEM_EXM_EXCH_ID",
        "SEM_SEGMENT",
        "SEM_SMST_SECURITY_ID",
        "SEM_INSTRUMENT_NAME",
        "SEM_TRADING_SYMBOL",
        "SEM_EXPIRY_DATE",
        "SEM_STRIKE_PRICE",
        "SEM_OPTION_TYPE",
        "SEM_LOT_UNITS",
    )
)


def parse_instruments(text: str) -> list[Instrument]:
    """The list of instruments, without rows that cannot be read. Raises BrokerError for what is no list."""
    reader = csv.DictReader(io.StringIO(text))
    missing = sorted(_COLUMNS - set(reader.fieldnames or ()))
    if missing:
        raise BrokerError(ProblemKind.PROTOCOL, f"Dhan's list of instruments lacks the column {missing[0]}.")
    return list(_instruments(reader))


def _instruments(rows: Iterable[Mapping[str, str | None]]) -> Iterable[Instrument]:
    for row in rows:
        found = _SEGMENT_OF.get((str(row["SEM_EXM_EXCH_ID"]), str(row["SEM_SEGMENT"])))
        if found is None or row.get("SEM_SERIES") not in (None, "", "EQ", "XX", "NA", "A", "B", "X"):
            continue
        segment, exchange = found
        try:
            kind, name = _kind_and_name(row)
            if not kind:
                continue
            expiry = None
            if kind != "EQ":
                expiry = date.fromisoformat(str(row["SEM_EXPIRY_DATE"])[:10])
            yield Instrument(
                token_of(segment, int(str(row["SEM_SMST_SECURITY_ID"]))),
                exchange,
                name,
                kind,
                expiry,
                float(row["SEM_STRIKE_PRICE"] or 0) if kind in ("CE", "PE") else 0.0,
                int(float(row["SEM_LOT_UNITS"] or 0)),
            )
        except ValueError:
            continue


def _kind_and_name(row: Mapping[str, str | None]) -> tuple[str, str]:
    """What a row is, and of which underlying: ``M&M-Dec2026-3000-CE`` names it first, dashes and all."""
    instrument, symbol = str(row["SEM_INSTRUMENT_NAME"]), str(row["SEM_TRADING_SYMBOL"])
    if instrument in ("EQUITY", "INDEX"):
        return "EQ", symbol
    if instrument.startswith("OPT") and row["SEM_OPTION_TYPE"] in ("CE", "PE"):
        return str(row["SEM_OPTION_TYPE"]), symbol.rsplit("-", 3)[0]
    if instrument.startswith("FUT"):
        return "FUT", symbol.rsplit("-", 2)[0]
    return "", symbol
