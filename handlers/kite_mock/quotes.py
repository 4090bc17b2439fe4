"""Quotes as Kite's REST has them, made of the very records that the ticker sends."""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.instants import IST, to_datetime
from handlers.kite_mock.frames import LEVELS
from handlers.kite_mock.wire_market import Rows, WireMarket

CIRCUIT = 0.2  # of the previous close, on the grid of paise


def ist(instant_ms: int) -> str:
    """An instant as Kite writes it: 19 characters of India's clocks."""
    return f"{to_datetime(instant_ms).astimezone(IST):%Y-%m-%d %H:%M:%S}"


def _when(seconds: int) -> str | None:
    return ist(1000 * seconds) if seconds else None


class Quotes:
    """The answers to ``/quote``, ``/quote/ohlc`` and ``/quote/ltp`` about some rows, in their order."""

    def __init__(self, wire: WireMarket, rows: Rows) -> None:
        self._is_index = wire.is_index[rows]
        self._full = iter(wire.full(rows[~self._is_index]))
        self._index = iter(wire.index(rows[self._is_index]))

    def all(self, detail: str) -> list[dict[str, Any]]:
        """One answer a row; ``detail`` is ``quote``, ``ohlc`` or ``ltp``."""
        return [
            self._one(next(self._index if is_index else self._full), bool(is_index), detail)
            for is_index in self._is_index
        ]

    def _one(self, record: Any, is_index: bool, detail: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "instrument_token": int(record["token"]),
            "last_price": _rupees(record["last_price"]),
        }
        if detail == "ltp":
            return found
        found["ohlc"] = {name: _rupees(record[name]) for name in ("open", "high", "low", "close")}
        if detail == "ohlc":
            return found
        found["timestamp"] = _when(int(record["exchange_time"]))
        found["net_change"] = (
            round(found["last_price"] - found["ohlc"]["close"], 2) if found["last_price"] else 0
        )
        if is_index:
            return found
        close = found["ohlc"]["close"]
        return {
            **found,
            "last_trade_time": _when(int(record["last_trade_time"])),
            "last_quantity": int(record["last_quantity"]),
            "average_price": _rupees(record["average_price"]),
            "volume": int(record["volume"]),
            "buy_quantity": int(record["buy_quantity"]),
            "sell_quantity": int(record["sell_quantity"]),
            "oi": int(record["oi"]),
            "oi_day_high": int(record["oi_day_high"]),
            "oi_day_low": int(record["oi_day_low"]),
            "lower_circuit_limit": round(close * (1 - CIRCUIT), 2),
            "upper_circuit_limit": round(close * (1 + CIRCUIT), 2),
            "depth": {"buy": _levels(record["depth"][:LEVELS]), "sell": _levels(record["depth"][LEVELS:])},
        }


def _rupees(paise: np.uint32) -> float:
    return int(paise) / 100


def _levels(levels: Any) -> list[dict[str, Any]]:
    return [
        {"price": _rupees(level["price"]), "quantity": int(level["quantity"]), "orders": int(level["orders"])}
        for level in levels
    ]
