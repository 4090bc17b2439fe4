"""The dashboard of an expiry on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

from schemas.chains import (
    CoverageSchema,
    ProvenanceSchema,
    TotalsSchema,
    dump_coverage,
    dump_provenance,
    dump_totals,
)
from schemas.columns import FloatArray
from schemas.compiled import compiled
from schemas.wire import Count, Number, Timestamp, count, number, numbers, timestamp

if TYPE_CHECKING:
    from feed.valuation.dashboard import Dashboard

EXPOSURE_CONVENTION = (
    "dealers are taken to be long calls and short puts: calls count plus, puts minus; "
    "rupees of delta for a move of 1 % of the underlying"
)


class PainSchema(Schema):
    """One point of the max-pain curve."""

    strike_price = Number(2, "INR", "settlement at this strike")
    payout = Number(2, "INR times contracts", "what holders of all options would be paid")


class WallSchema(Schema):
    """A strike with much open interest."""

    strike_price = Number(2, "INR", "strike")
    oi = Count("contracts", "open interest")


class RangeSchema(Schema):
    """Where the underlying is expected to be at expiry."""

    low = Number(2, "INR", "one standard deviation below the forward")
    high = Number(2, "INR", "one standard deviation above the forward")


class StrikeExposureSchema(Schema):
    """Gamma exposure of one strike."""

    strike_price = Number(2, "INR", "strike")
    exposure = Number(2, "INR", "calls less puts")


class ExposureSchema(Schema):
    """Gamma exposure of an expiry."""

    convention = fields.String()
    total = Number(2, "INR", "calls less puts")
    unsigned_total = Number(2, "INR", "calls and puts")
    legs = fields.Integer(metadata={"description": "legs it rests on"})
    by_strike = fields.List(fields.Nested(StrikeExposureSchema))


class SentimentSchema(Schema):
    """A word, and the numbers it rests on."""

    word = fields.String(metadata={"description": "bullish, neutral or bearish"})
    score = fields.Integer(metadata={"description": "votes of the three figures, -3 to 3"})
    pcr_oi = Number(4, "", "put-call ratio of open interest")
    change_percent = Number(2, "%", "the underlying's move today")
    max_pain_distance_percent = Number(2, "%", "max pain above (+) or below (-) the spot")


class DashboardSchema(TotalsSchema, ProvenanceSchema):
    """Figures of one expiry."""

    symbol = fields.String()
    expiry = fields.Date()
    spot_price = Number(2, "INR", "price of the underlying")
    atm_strike = Number(2, "INR", "listed strike nearest the spot")
    pcr_oi_change = Number(4, "", "put-call ratio of the change of open interest")
    max_pain_curve = fields.List(fields.Nested(PainSchema))
    support = fields.List(fields.Nested(WallSchema))
    resistance = fields.List(fields.Nested(WallSchema))
    atm_iv = Number(2, "% a year", "volatility at the forward")
    iv_skew = Number(2, "vol points", "25-delta put less 25-delta call")
    near_month_iv = Number(
        2, "% a year", "volatility at the forward of the first month more than 4 days away"
    )
    iv_rank = Number(2, "%", "place of near_month_iv between the lowest and highest of the past sessions")
    iv_percentile = Number(2, "%", "share of the past sessions with a lower near_month_iv")
    iv_days = fields.Integer(metadata={"description": "sessions the rank rests on; null before 20"})
    straddle_price = Number(2, "INR", "call plus put of the listed strike nearest the forward")
    expected_move = Number(2, "INR", "one standard deviation to expiry")
    expected_range = fields.Nested(RangeSchema)
    gamma_exposure = fields.Nested(ExposureSchema)
    zero_gamma = Number(2, "INR", "price at which the net gamma exposure changes sign")
    forward = Number(2, "INR", "forward of the expiry")
    basis = Number(2, "INR", "forward less spot")
    volatility_index = Number(2, "% a year", "30-day index by the India VIX method")
    sentiment = fields.Nested(SentimentSchema)
    coverage = fields.Nested(CoverageSchema)
    timestamp = Timestamp("the same as as_of")


_dump_sentiment = compiled(SentimentSchema)


def dump_dashboard(board: Dashboard) -> dict[str, Any]:
    """A ``Dashboard`` as ``DashboardSchema`` describes it, written column-wise."""
    chain, walls, exposure = board.chain, board.walls, board.exposure
    return {
        "symbol": chain.symbol,
        "expiry": chain.expiry.isoformat(),
        "spot_price": number(chain.spot_price, 2),
        "atm_strike": number(chain.atm_strike, 2),
        **dump_totals(chain),
        "pcr_oi_change": number(chain.totals["pcr_oi_change"], 4),
        "max_pain_curve": _pairs(chain.strikes, chain.pain.curve, "payout"),
        "support": _walls(walls.support_strikes, walls.support_open_interest),
        "resistance": _walls(walls.resistance_strikes, walls.resistance_open_interest),
        "atm_iv": number(100 * board.atm_iv, 2),
        "iv_skew": number(100 * board.iv_skew, 2),
        "near_month_iv": number(100 * board.volatility.near_month, 2),
        "iv_rank": number(100 * board.rank.rank, 2),
        "iv_percentile": number(100 * board.rank.percentile, 2),
        "iv_days": board.rank.days,
        "straddle_price": number(board.straddle_price, 2),
        "expected_move": number(board.move.deviation, 2),
        "expected_range": {"low": number(board.move.low, 2), "high": number(board.move.high, 2)},
        "gamma_exposure": {
            "convention": EXPOSURE_CONVENTION,
            "total": number(exposure.total, 2),
            "unsigned_total": number(exposure.unsigned_total, 2),
            "legs": exposure.legs,
            "by_strike": _pairs(chain.strikes, exposure.by_strike, "exposure"),
        },
        "zero_gamma": number(board.zero_gamma, 2),
        "forward": number(chain.forward, 2),
        "basis": number(chain.forward - chain.spot_price, 2),
        "volatility_index": number(100 * board.volatility.index, 2),
        "sentiment": _dump_sentiment(board.sentiment),
        "coverage": dump_coverage(chain.coverage),
        "timestamp": timestamp(chain.as_of_ms),
        **dump_provenance(chain.provenance),
    }


def _pairs(strikes: FloatArray, values: FloatArray, name: str) -> list[dict[str, Any]]:
    return [
        {"strike_price": strike, name: value}
        for strike, value in zip(strikes.tolist(), numbers(values, 2), strict=True)
    ]


def _walls(strikes: FloatArray, interest: FloatArray) -> list[dict[str, Any]]:
    return [
        {"strike_price": strike, "oi": count(value)}
        for strike, value in zip(strikes.tolist(), interest.tolist(), strict=True)
    ]
