"""What a client wants to be bought or sold, before it has a price."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.instruments import OptionType


class OrderSide(StrEnum):
    """Bought or sold."""

    BUY = "buy"
    SELL = "sell"


class PriceSource(StrEnum):
    """Where the premium of a leg is from: the client, the quote, or the last trade."""

    GIVEN = "given"
    MID = "mid"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class LegOrder:
    """So many lots of one contract; without a price it is that of the market."""

    strike: float
    option_type: OptionType
    side: OrderSide
    quantity: int
    price: float | None


@dataclass(frozen=True, slots=True)
class StrategyOrder:
    """Legs of one expiry, and the curve of their worth to draw: so many points, so far from the spot."""

    symbol: str
    expiry: date | None
    legs: list[LegOrder]
    spot_range_percent: float
    points: int
