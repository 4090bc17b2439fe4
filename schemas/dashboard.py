"""The dashboard of an expiry on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from marshmallow import Schema, fields

from analytics.arrays import Positions
from schemas.chains import (
    CoverageSchema,
    ProvenanceSchema,
    TotalsSchema,
    provenance_columns,
    totals_columns,
)
from schemas.columns import FloatArray, pairs, rounded
from schemas.compiled import by_row, compiled_columns
from schemas.wire import Count, Number, Timestamp, counts

if TYPE_CHECKING:
    from feed.valuation.chain import ValuedChains
    from feed.valuation.dashboard import Dashboards

EXPOSURE_CONVENTION = (
    "dealers are taken to be long calls and short puts: calls count plus, puts minus; "
    "rupees of delta for a move of 1 % of the underlying"
)


SENTIMENTS = ("bullish", "neutral", "bearish")


class PainSchema(Schema):
    """One point of the max-pain curve."""

    strike_price = Number(2, "INR", "settlement at this strike", known=True)
    payout = Number(2, "INR times contracts", "what holders of all options would be paid", known=True)


class WallSchema(Schema):
    """A strike with much open interest."""

    strike_price = Number(2, "INR", "strike", known=True)
    oi = Count("contracts", "open interest", known=True)


class RangeSchema(Schema):
    """Where the underlying is expected to be at expiry."""

    low = Number(2, "INR", "one standard deviation below the forward")
    high = Number(2, "INR", "one standard deviation above the forward")


class StrikeExposureSchema(Schema):
    """Gamma exposure of one strike."""

    strike_price = Number(2, "INR", "strike", known=True)
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

    word = fields.String(
        allow_none=True, metadata={"description": "what they come to", "enum": list(SENTIMENTS)}
    )
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


_OF_CHAINS = frozenset((*TotalsSchema().fields, *ProvenanceSchema().fields))
_columns = compiled_columns(DashboardSchema, keys=True, without=_OF_CHAINS)


def dump_dashboards(boards: Dashboards) -> list[dict[str, Any]]:
    """Each of ``Dashboards`` as ``DashboardSchema`` describes it, written column by column."""
    valued, heads, exposure, move = boards.valued, boards.heads, boards.exposure, boards.move
    volatilities = [figures.volatility for figures in boards.underlyings]
    ranks = [figures.rank for figures in boards.underlyings]
    columns = {
        "symbol": heads.symbol,
        "expiry": heads.expiry,
        "spot_price": heads.spot_price,
        "atm_strike": heads.atm_strike,
        "pcr_oi_change": valued.totals["pcr_oi_change"],
        "max_pain_curve": _by_strike("payout", valued, valued.pains.curve),
        "support": _walls(valued, boards.support, valued.legs["open_interest"][1]),
        "resistance": _walls(valued, boards.resistance, valued.legs["open_interest"][0]),
        "atm_iv": 100 * valued.atm_volatility,
        "iv_skew": 100 * boards.iv_skew,
        "near_month_iv": [100 * volatility.near_month for volatility in volatilities],
        "iv_rank": [100 * rank.rank for rank in ranks],
        "iv_percentile": [100 * rank.percentile for rank in ranks],
        "iv_days": [rank.days for rank in ranks],
        "straddle_price": valued.straddle[1],
        "expected_move": move.deviation,
        "expected_range": {"low": move.low, "high": move.high},
        "gamma_exposure": {
            "convention": [EXPOSURE_CONVENTION] * len(ranks),
            "total": exposure.total,
            "unsigned_total": exposure.unsigned_total,
            "legs": exposure.legs,
            "by_strike": _by_strike("exposure", valued, exposure.by_strike),
        },
        "zero_gamma": boards.zero_gamma,
        "forward": heads.forward,
        "basis": heads.forward - heads.spot_price,
        "volatility_index": [100 * volatility.index for volatility in volatilities],
        "sentiment": {name: getattr(boards.sentiment, name) for name in SentimentSchema().fields},
        "coverage": heads.coverage,
        "timestamp": heads.as_of_ms,
    }
    return by_row({**_columns(columns), **totals_columns(heads), **provenance_columns(heads.provenance)})


def _by_strike(name: str, valued: ValuedChains, values: FloatArray) -> list[orjson.Fragment]:
    """A figure of every strike, written for each listing."""
    lengths = valued.selection.segments.lengths.tolist()
    return pairs(("strike_price", name), valued.strikes, rounded(values, 2), lengths)


def _walls(valued: ValuedChains, places: Positions, interest: FloatArray) -> list[list[dict[str, Any]]]:
    listings = valued.selection.segments.row[places].tolist()
    walls: list[list[dict[str, Any]]] = [[] for _ in valued.selection.listings]
    figures = (listings, valued.strikes[places].tolist(), counts(interest[places]))
    for listing, strike, held in zip(*figures, strict=True):
        walls[listing].append({"strike_price": strike, "oi": held})
    return walls
