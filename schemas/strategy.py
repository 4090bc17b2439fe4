"""Option strategies: the legs a client sends, and what they come to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import Schema, ValidationError, fields, post_load, validate

from domain.instruments import OptionType
from domain.orders import LegOrder, OrderSide, PriceSource, StrategyOrder
from schemas.chains import DAYS_A_YEAR, CoverageSchema, ProvenanceSchema
from schemas.requests.fields import (
    GREATEST_STRIKE,
    LEAST_STRIKE,
    Day,
    Request,
    Symbol,
    WholeNumber,
    one_of,
    shown,
)
from schemas.wire import Number, Timestamp

if TYPE_CHECKING:
    from feed.valuation.strategy import Strategy, ValuedLeg

MAX_LEGS = 20  # a calendar of condors has eight
MAX_LOTS = 10_000
MAX_PRICE = 10_000_000.0
MAX_POINTS = 1001


class Amount(fields.Float):
    """A JSON number within bounds, both included; a text is none."""

    def __init__(self, low: float, high: float, **kwargs: Any) -> None:
        self.low, self.high = low, high
        metadata = {"minimum": low, "maximum": high, **kwargs.pop("metadata", {})}
        super().__init__(metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (is_number and self.low <= value <= self.high):
            raise ValidationError(
                f"must be a number from {self.low:.12g} to {self.high:.12g}, was {shown(value)}"
            )
        return float(value)


class LegRequest(Request[LegOrder]):
    """One leg of a strategy."""

    makes = LegOrder

    strike = Amount(
        LEAST_STRIKE, GREATEST_STRIKE, required=True, metadata={"unit": "INR", "description": "listed strike"}
    )
    option_type = fields.String(
        required=True,
        validate=one_of(tuple(OptionType)),
        metadata={"description": "CE for a call, PE for a put"},
    )
    side = fields.String(
        required=True,
        validate=one_of(tuple(OrderSide)),
        metadata={"description": "whether it is bought or sold"},
    )
    quantity = WholeNumber(
        1, MAX_LOTS, required=True, metadata={"unit": "contracts", "description": "how many lots"}
    )
    price = Amount(
        0.0,
        MAX_PRICE,
        load_default=None,
        allow_none=True,
        metadata={
            "unit": "INR",
            "description": "premium of one unit; left out: mid of the quote, else the last price",
        },
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> LegOrder:
        kind, side = OptionType(data["option_type"]), OrderSide(data["side"])
        return LegOrder(data["strike"], kind, side, data["quantity"], data["price"])


class StrategyRequest(Request[StrategyOrder]):
    """``POST /api/strategy``."""

    makes = StrategyOrder

    symbol = Symbol(required=True)
    expiry = Day(load_default=None)
    legs = fields.List(
        fields.Nested(LegRequest),
        required=True,
        validate=validate.Length(1, MAX_LEGS, error=f"must have 1 to {MAX_LEGS} legs"),
        error_messages={"invalid": f"must be a list of 1 to {MAX_LEGS} legs"},
        metadata={"description": "contracts of this expiry"},
    )
    spot_range_percent = Amount(
        0.1,
        90.0,
        load_default=10.0,
        metadata={"unit": "%", "description": "how far the curve reaches on each side of the spot"},
    )
    points = WholeNumber(
        2,
        MAX_POINTS,
        load_default=101,
        metadata={
            "unit": "points",
            "description": "even steps of the curve; strikes and break-evens are added",
        },
    )


class LegSchema(Schema):
    """One leg, priced and valued; Greeks are those of one unit bought."""

    token = fields.Integer(metadata={"description": "instrument token, Kite style"})
    strike = Number(2, "INR", "strike", known=True)
    option_type = fields.String(metadata={"description": "call or put", "enum": list(OptionType)})
    side = fields.String(metadata={"description": "bought or sold", "enum": list(OrderSide)})
    quantity = fields.Integer(metadata={"unit": "contracts", "description": "how many lots"})
    price = Number(2, "INR", "premium of one unit", known=True)
    price_source = fields.String(
        metadata={
            "description": "given by the client, mid of the quote, or last price",
            "enum": list(PriceSource),
        }
    )
    iv = Number(2, "% a year", "volatility of the strike, which the Greeks rest on")
    delta = Number(4, "INR per INR", "per rupee of the underlying")
    gamma = Number(7, "per INR", "change of delta per rupee of the underlying")
    theta = Number(3, "INR per calendar day", "time decay")
    vega = Number(3, "INR per vol point", "per percentage point of volatility")
    rho = Number(3, "INR per 1 % of rate", "per percentage point of the interest rate")


class NetGreeksSchema(Schema):
    """Greeks of the whole position: of its legs, times lots, times lot size."""

    delta = Number(4, "INR per INR", "per rupee of the underlying")
    gamma = Number(7, "per INR", "change of delta per rupee of the underlying")
    theta = Number(3, "INR per calendar day", "time decay")
    vega = Number(3, "INR per vol point", "per percentage point of volatility")
    rho = Number(3, "INR per 1 % of rate", "per percentage point of the interest rate")


class CurvePointSchema(Schema):
    """Profit at one price of the underlying."""

    spot_price = Number(2, "INR", "price of the underlying", known=True)
    at_expiry = Number(2, "INR", "profit if the contracts expire there")
    today = Number(2, "INR", "profit if the underlying were there now and the position were closed")


class StrategyCoverageSchema(CoverageSchema):
    """What the figures rest on: the chain's coverage, and that of the legs."""

    legs = fields.Integer(metadata={"unit": "legs", "description": "legs of the position"})
    legs_quoted = fields.Integer(metadata={"unit": "legs", "description": "legs with a two-sided quote"})
    legs_iv_solved = fields.Integer(
        metadata={"unit": "legs", "description": "legs whose strike has a volatility"}
    )


class StrategySchema(ProvenanceSchema):
    """What a position of several legs comes to."""

    symbol = fields.String()
    expiry = fields.Date()
    expires_at = Timestamp("instant at which the contracts expire")
    days_to_expiry = fields.Integer(metadata={"unit": "calendar days"})
    lot_size = fields.Integer(allow_none=True, metadata={"unit": "units per contract"})
    spot_price = Number(2, "INR", "price of the underlying")
    forward = Number(2, "INR", "forward of this expiry from put-call parity")
    legs = fields.List(fields.Nested(LegSchema), metadata={"description": "the legs, in the order given"})
    net_premium = Number(2, "INR", "paid (+) or received (-) for the position")
    max_profit = Number(2, "INR", "highest profit at expiry; null where unlimited")
    max_loss = Number(
        2, "INR", "greatest loss at expiry, a positive number, 0 for none; null where unlimited"
    )
    unlimited_profit = fields.Boolean(
        metadata={"description": "whether the profit grows with the underlying without end"}
    )
    unlimited_loss = fields.Boolean(
        metadata={"description": "whether the loss grows with the underlying without end"}
    )
    break_evens = fields.List(
        Number(2, "INR", "price of the underlying"),
        metadata={"unit": "INR", "description": "prices at which profit turns to loss or back, ascending"},
    )
    probability_of_profit = Number(4, "0 to 1", "risk-neutral probability that it ends with a profit")
    greeks = fields.Nested(NetGreeksSchema, metadata={"description": "of the whole position"})
    curve = fields.List(
        fields.Nested(CurvePointSchema),
        metadata={"description": "pay-off by price of the underlying, ascending; has every knot"},
    )
    coverage = fields.Nested(StrategyCoverageSchema)


_schema = StrategySchema()


def dump_strategy(strategy: Strategy) -> dict[str, Any]:
    """A ``Strategy`` on the wire, in display units."""
    chain, limits = strategy.chain, strategy.limits
    unit = math.nan if chain.lot_size is None else chain.lot_size  # money is unknown without a lot size
    values = {
        **{name: getattr(chain, name) for name in ("symbol", "expires_at", "days_to_expiry", "lot_size")},
        **{name: getattr(chain.provenance, name) for name in ("source", "as_of_ms", "epoch", "seq", "stale")},
        "expiry": chain.expiry,
        "spot_price": chain.spot_price,
        "forward": chain.forward,
        "legs": [_leg(leg) for leg in strategy.legs],
        "net_premium": unit * limits.net_premium,
        "max_profit": unit * limits.maximum_profit,
        "max_loss": unit * limits.maximum_loss,
        "unlimited_profit": limits.maximum_profit == math.inf,
        "unlimited_loss": limits.maximum_loss == math.inf,
        "break_evens": limits.break_evens.tolist(),
        "probability_of_profit": strategy.probability_of_profit,
        "greeks": {name: unit * value for name, value in _displayed(strategy.greeks).items()},
        "curve": [
            {"spot_price": price, "at_expiry": at_expiry, "today": today}
            for price, at_expiry, today in np.column_stack(
                (strategy.prices, unit * strategy.at_expiry, unit * strategy.today)
            ).tolist()
        ],
        "coverage": {
            **{name: getattr(chain.coverage, name) for name in CoverageSchema().fields},
            "legs": len(strategy.legs),
            "legs_quoted": sum(leg.is_quoted for leg in strategy.legs),
            "legs_iv_solved": sum(math.isfinite(leg.volatility) for leg in strategy.legs),
        },
    }
    return dict(_schema.dump(values))


def _leg(leg: ValuedLeg) -> dict[str, Any]:
    return {
        "token": leg.token,
        "strike": leg.order.strike,
        "option_type": OptionType.of(leg.order.is_call),
        "side": leg.order.side,
        "quantity": int(leg.order.quantity),
        "price": leg.order.price,
        "price_source": leg.price_source,
        "iv": 100 * leg.volatility,
        **_displayed(leg.greeks),
    }


def _displayed(greeks: dict[str, float]) -> dict[str, float]:
    """Raw Greeks per day, per vol point, per 1 % of rate."""
    scale = {"delta": 1, "gamma": 1, "theta": 1 / DAYS_A_YEAR, "vega": 0.01, "rho": 0.01}
    return {name: greeks[name] * factor for name, factor in scale.items()}
