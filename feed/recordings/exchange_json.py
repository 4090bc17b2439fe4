"""Option chains in the JSON of the exchange's site: the legacy shape and version 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.instruments import OptionType
from feed.recordings.columns import LEG_COLUMNS
from feed.recordings.documents import plain_column
from feed.recordings.frames import FrameBuilder, Stated
from feed.recordings.text import parse_day, parse_instant, parse_strike

_SIDES = {item.value: item.is_call for item in OptionType}
# what stands beside these in a leg and means something else there
_NOT_OURS = frozenset({"open", "high", "low", "close", "prevclose"})


def exchange_rows(document: Any, builder: FrameBuilder, symbol_of: Callable[[str | None], str]) -> None:
    """One frame of every expiry in the document.

    Both shapes are read, leg by leg. ``symbol_of`` is given what the legs name, if they do. Raises ValueError
    where the document is neither.
    """
    records = _records(document)
    if records is None:
        raise ValueError(
            "the JSON must hold an option chain as the exchange sends it, a list records.data, or candles as "
            "brokers send them"
        )
    symbol = symbol_of(_symbol_in(records))
    time_ms = parse_instant(str(records.get("timestamp")))
    for number, entry in enumerate(records["data"], start=1):
        builder.rows += 1
        try:
            _add_entry(builder, number, time_ms, symbol, entry)
        except ValueError as problem:
            builder.refuse(number, str(problem))
    builder.add_spot(0, time_ms, symbol, ("underlyingValue", records.get("underlyingValue")))


def _records(document: Any) -> Mapping[str, Any] | None:
    records = document.get("records") if isinstance(document, dict) else None
    return records if isinstance(records, dict) and isinstance(records.get("data"), list) else None


def _symbol_in(records: Mapping[str, Any]) -> str | None:
    """The underlying that the legs name, if they do."""
    for entry in records["data"]:
        for side in _SIDES:
            leg = entry.get(side) if isinstance(entry, dict) else None
            if isinstance(leg, dict) and isinstance(leg.get("underlying"), str):
                return str(leg["underlying"])
    return None


def _add_entry(builder: FrameBuilder, number: int, time_ms: int, symbol: str, entry: Any) -> None:
    """One strike of one expiry: a call, a put or both."""
    if not isinstance(entry, dict):
        raise ValueError(f"an entry must be an object, was {entry!r:.40}")
    # version 3 names the expiry of an entry in the plural, though it is one
    expiry = parse_day(str(entry.get("expiryDate") or entry.get("expiryDates")), "day-first")
    strike = parse_strike(entry.get("strikePrice"))
    legs = {is_call: _stated(side, entry[side]) for side, is_call in _SIDES.items() if entry.get(side)}
    if not legs:
        raise ValueError(f"an entry must hold a CE or a PE, strike {strike:g} of {expiry} had neither")
    for is_call in legs:
        builder.check_leg(time_ms, (symbol, expiry), strike, is_call)
    for is_call, stated in legs.items():
        builder.add_leg(number, time_ms, (symbol, expiry), strike, is_call, stated)


def _stated(side: str, leg: Any) -> dict[str, Stated]:
    if not isinstance(leg, dict):
        raise ValueError(f"{side} must be an object, was {leg!r:.40}")
    found: dict[str, Stated] = {}
    for key, value in leg.items():
        name = LEG_COLUMNS.get(plain_column(key)) if key not in _NOT_OURS else None
        if name is not None:
            found[name] = (f"{side} {key}", value)
    return found
