"""Option chains in the JSON of the exchange's site: the legacy shape and version 3."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from feed.recordings.csv_chains import IS_CALL
from feed.recordings.frames import FrameBuilder, Recording, contract_values
from feed.recordings.text import parse_day, parse_instant, parse_number, parse_strike

# key of a leg -> what contract_values() calls it
COMMON_KEYS = {
    "lastPrice": "last_price",
    "change": "change",
    "totalTradedVolume": "volume",
    "openInterest": "open_interest",
    "changeinOpenInterest": "open_interest_change",
}
LEGACY_KEYS = COMMON_KEYS | {
    "bidprice": "bid",
    "bidQty": "bid_quantity",
    "askPrice": "ask",
    "askQty": "ask_quantity",
}
VERSION_3_KEYS = COMMON_KEYS | {
    "buyPrice1": "bid",
    "buyQuantity1": "bid_quantity",
    "sellPrice1": "ask",
    "sellQuantity1": "ask_quantity",
}


def decode_exchange_json(document: Any, symbol: str) -> Recording:
    """One frame of every expiry in the document, under the symbol its legs name, else ``symbol``.

    Both shapes are read, leg by leg. Raises ValueError where the document is neither.
    """
    records = document.get("records") if isinstance(document, dict) else None
    if not isinstance(records, dict) or not isinstance(records.get("data"), list):
        raise ValueError("the JSON must hold an option chain as the exchange sends it, a list records.data")
    time_ms = parse_instant(str(records.get("timestamp")))
    builder = FrameBuilder()
    for number, entry in enumerate(records["data"], start=1):
        try:
            _add_entry(builder, time_ms, symbol, entry)
        except ValueError as problem:
            builder.refuse(number, str(problem))
    spot = _number("underlyingValue", records.get("underlyingValue"))
    if not math.isnan(spot):
        builder.add_spot(time_ms, symbol, spot)
    return builder.build()


def document_symbol(document: Any) -> str | None:
    """The underlying that the legs of a document name, if they do."""
    records = document.get("records") if isinstance(document, dict) else None
    entries = records.get("data") if isinstance(records, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        for side in IS_CALL:
            leg = entry.get(side) if isinstance(entry, dict) else None
            if isinstance(leg, dict) and isinstance(leg.get("underlying"), str):
                return str(leg["underlying"]).upper()
    return None


def _add_entry(builder: FrameBuilder, time_ms: int, symbol: str, entry: Any) -> None:
    """One strike of one expiry: a call, a put or both."""
    if not isinstance(entry, dict):
        raise ValueError(f"an entry must be an object, was {entry!r:.40}")
    # version 3 names the expiry of an entry in the plural, though it is one
    expiry = parse_day(str(entry.get("expiryDate") or entry.get("expiryDates")))
    strike = parse_strike(str(entry.get("strikePrice")))
    legs = {is_call: _leg_values(side, entry[side]) for side, is_call in IS_CALL.items() if entry.get(side)}
    if not legs:
        raise ValueError(f"an entry must hold a CE or a PE, strike {strike:g} of {expiry} had neither")
    for is_call, values in legs.items():
        builder.add_leg(time_ms, (symbol, expiry), strike, is_call, values)


def _leg_values(side: str, leg: Any) -> dict[str, float]:
    if not isinstance(leg, dict):
        raise ValueError(f"{side} must be an object, was {leg!r:.40}")
    keys: Mapping[str, str] = VERSION_3_KEYS if "buyPrice1" in leg else LEGACY_KEYS
    return contract_values(
        {name: _number(f"{side} {key}", leg[key]) for key, name in keys.items() if key in leg}
    )


def _number(name: str, value: Any) -> float:
    """A number of a JSON document; null is not known."""
    return parse_number(name, "" if value is None else str(value))
