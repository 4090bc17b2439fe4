"""Several legs of a listed chain taken together, at the prices there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analytics.strategy import (
    Leg,
    ProfitLimits,
    limits,
    probability_of_profit,
    profit_at_expiry,
    profit_before_expiry,
)
from analytics.volatility import atm_volatility
from domain.instruments import OptionType
from domain.orders import LegOrder, PriceSource, StrategyOrder
from feed.market.source import FloatArray
from feed.market.universe import Listing
from feed.valuation.chain import Chain

GREEKS = ("delta", "gamma", "theta", "vega", "rho")


class NoPrice(LookupError):
    """A leg without a price of its own, of a contract that has none; ``place`` is its place in the order."""

    def __init__(self, place: int, contract: str) -> None:
        super().__init__(f"There is no price for {contract}.")
        self.place, self.contract = place, contract


@dataclass(frozen=True, slots=True)
class ValuedLeg:
    """A leg and its contract: raw Greeks of one unit, NaN where not known. ``order`` counts lots."""

    order: Leg
    token: int
    price_source: PriceSource
    is_quoted: bool
    volatility: float
    greeks: dict[str, float]

    @property
    def lots(self) -> float:
        """Positive when bought, negative when sold."""
        return self.order.quantity if self.order.side == "buy" else -self.order.quantity


@dataclass(frozen=True, slots=True)
class Strategy:
    """A position in lots: every sum of money is to be multiplied by the chain's lot size.

    ``prices``, ``at_expiry``, ``today`` : (points,), the curve; ``greeks`` raw, of the whole position.
    """

    chain: Chain
    legs: list[ValuedLeg]
    limits: ProfitLimits
    probability_of_profit: float
    greeks: dict[str, float]
    prices: FloatArray
    at_expiry: FloatArray
    today: FloatArray


def value_strategy(chain: Chain, listing: Listing, order: StrategyOrder) -> Strategy:
    """Value the legs at the prices of a chain. Raises UnknownContract, NoPrice."""
    legs = [_value_leg(chain, listing, place, leg) for place, leg in enumerate(order.legs)]
    orders = [leg.order for leg in legs]
    ends = limits(orders)
    prices = _prices(chain, orders, ends, order.spot_range_percent, order.points)
    return Strategy(
        chain=chain,
        legs=legs,
        limits=ends,
        probability_of_profit=_probability(chain, orders, ends),
        greeks={name: sum(leg.lots * leg.greeks[name] for leg in legs) for name in GREEKS},
        prices=prices,
        at_expiry=profit_at_expiry(orders, prices),
        today=_profit_today(chain, legs, prices),
    )


def _value_leg(chain: Chain, listing: Listing, place: int, order: LegOrder) -> ValuedLeg:
    at = listing.strike_index(order.strike)
    is_call = order.option_type == OptionType.CALL
    leg = (0 if is_call else 1, at)
    mid = float(chain.mid[leg])
    price, source = _price(order.price, mid, float(chain.legs["last_price"][leg]))
    if price is None:
        raise NoPrice(place, f"{listing.symbol} {listing.expiry.day} {order.strike:.12g} {order.option_type}")
    return ValuedLeg(
        order=Leg(order.strike, is_call, order.side.value, order.quantity, price),
        token=int(chain.tokens[leg]),
        price_source=source,
        is_quoted=math.isfinite(mid),
        volatility=float(chain.strike_volatility[at]),
        greeks={name: float(getattr(chain.greeks, name)[leg]) for name in GREEKS},
    )


def _price(stated: float | None, mid: float, last: float) -> tuple[float | None, PriceSource]:
    """The premium of a unit and where it is from."""
    if stated is not None:
        return stated, PriceSource.GIVEN
    if math.isfinite(mid):
        return round(mid, 2), PriceSource.MID  # the price that is shown, so that the sums can be checked
    return (last if math.isfinite(last) else None), PriceSource.LAST


def _prices(
    chain: Chain, orders: Sequence[Leg], ends: ProfitLimits, range_percent: float, points: int
) -> FloatArray:
    """Prices of the underlying for the curve: even steps around the spot, and every knot."""
    strikes = np.array([order.strike for order in orders])
    known = (price for price in (chain.spot_price, chain.forward) if math.isfinite(price))
    middle = next(known, float(strikes.mean()))
    reach = middle * range_percent / 100
    steps = np.linspace(middle - reach, middle + reach, points)
    knots = np.concatenate((ends.break_evens, strikes, [middle], steps))
    # what looks the same on the wire is there once, and an exact knot goes before a step beside it
    _, first = np.unique(np.round(knots, 2), return_index=True)
    result: FloatArray = knots[first]
    return result


def _profit_today(chain: Chain, legs: Sequence[ValuedLeg], prices: FloatArray) -> FloatArray:
    """Profit now by price of the underlying; the forward moves in proportion, the smile stays."""
    years = max(chain.time_to_expiry, 0.0)
    return profit_before_expiry(
        [leg.order for leg in legs],
        prices * (chain.forward / (chain.spot_price or math.nan)),
        years,
        [leg.volatility for leg in legs],
        math.exp(-chain.interest_rate * years),
    )


def _probability(chain: Chain, orders: Sequence[Leg], ends: ProfitLimits) -> float:
    """Probability of a profit, with the smile's volatility at each break-even; NaN without a smile."""
    smile = chain.strike_volatility > 0
    if not (smile.any() and math.isfinite(chain.forward)):
        return math.nan
    known = chain.strikes[smile]
    # beyond the last strike with a volatility there is no better guess than that one's
    levels = np.clip(ends.break_evens, known[0], known[-1])
    volatility = [
        atm_volatility(chain.strikes, chain.strike_volatility, level).volatility for level in levels.tolist()
    ]
    years = max(chain.time_to_expiry, 0.0)
    probability = probability_of_profit(orders, chain.forward, years, np.array(volatility))
    return float(np.clip(probability, 0.0, 1.0))
