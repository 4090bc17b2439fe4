"""The option chain on the wire: header, totals and one row per strike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import Schema, fields
from numpy.typing import NDArray

from domain.market import SourceName
from schemas.columns import Column, FloatArray, RowWriter, rounded
from schemas.compiled import by_row, compiled, compiled_columns
from schemas.wire import Count, Number, Timestamp, encode

if TYPE_CHECKING:
    from feed.valuation.chain import ChainHeads, ValuedChains

DAYS_A_YEAR = 365  # theta is shown per calendar day
BUILD_UPS = ("long_build_up", "short_build_up", "long_unwinding", "short_covering")

LEG_COLUMNS = (
    Column("token", None, "", "instrument token, Kite style"),
    Column("ltp", 2, "INR", "last traded price"),
    Column("change", 2, "INR", "last price less the previous close"),
    Column("change_percent", 2, "%", "the same in percent of the previous close"),
    Column("bid_price", 2, "INR", "best bid"),
    Column("bid_qty", None, "units", "quantity at the best bid"),
    Column("ask_price", 2, "INR", "best ask"),
    Column("ask_qty", None, "units", "quantity at the best ask"),
    Column("volume", None, "contracts", "traded today"),
    Column("oi", None, "contracts", "open interest"),
    Column("oi_change", None, "contracts", "open interest less that of the previous close"),
    Column("oi_change_percent", 2, "%", "the same in percent of the previous open interest"),
    Column("iv", 2, "% a year", "implied volatility from the parity forward"),
    Column("delta", 4, "INR per INR", "per rupee of the underlying"),
    Column("gamma", 7, "per INR", "change of delta per rupee of the underlying"),
    Column("theta", 3, "INR per calendar day", "time decay"),
    Column("vega", 3, "INR per vol point", "per percentage point of volatility"),
    Column("rho", 3, "INR per 1 % of rate", "per percentage point of the interest rate"),
    Column("intrinsic", 2, "INR", "value if exercised at the spot"),
    Column("time_val", 2, "INR", "last price less intrinsic value"),
    Column("open", 2, "INR", "first price of the day"),
    Column("high", 2, "INR", "highest price of the day"),
    Column("low", 2, "INR", "lowest price of the day"),
    Column("prev_close", 2, "INR", "close of the previous session"),
    Column("build_up", 0, "", "price and open interest together", choices=BUILD_UPS),
)

SIDES = ("ce_", "pe_")
STRIKE, IS_ATM, LEGS = 0, 1, 2
ROW_COLUMNS = (
    Column("strike_price", 2, "INR", "strike"),
    Column("is_atm", 0, "", "whether this is the listed strike nearest the spot", flag=True),
    *(
        Column(side + leg.name, leg.decimals, leg.unit, leg.description, leg.choices)
        for side in SIDES
        for leg in LEG_COLUMNS
    ),
)


class ProvenanceSchema(Schema):
    """Where a state comes from, how old it is, and its place in its stream."""

    source = fields.String(metadata={"description": "where prices come from", "enum": list(SourceName)})
    as_of = Timestamp("time of the newest input", attribute="as_of_ms")
    epoch = fields.String(metadata={"description": "changes when the feed starts afresh"})
    seq = fields.Integer(metadata={"description": "grows by 1 with every published change"})
    stale = fields.Boolean(metadata={"description": "no input for feed.stale_after_s"})


class CoverageSchema(Schema):
    """What the figures rest on."""

    strikes = fields.Integer(metadata={"description": "strikes listed"})
    quoted = fields.Integer(metadata={"description": "legs with a price"})
    iv_solved = fields.Integer(metadata={"description": "legs whose price has a volatility"})
    forward_strikes = fields.Integer(metadata={"description": "strikes the forward is read from"})
    forward_method = fields.String(metadata={"description": "how the forward was read"})


class TotalsSchema(Schema):
    """Sums over all listed strikes of the expiry."""

    total_ce_oi = Count("contracts", "open interest of all calls")
    total_pe_oi = Count("contracts", "open interest of all puts")
    total_ce_oi_change = Count("contracts", "change of it since the previous close")
    total_pe_oi_change = Count("contracts", "change of it since the previous close")
    total_ce_volume = Count("contracts", "traded calls")
    total_pe_volume = Count("contracts", "traded puts")
    pcr_oi = Number(4, "", "open interest of puts per call; null without calls")
    pcr_volume = Number(4, "", "volume of puts per call; null without calls")
    max_pain = Number(2, "INR", "strike at which option buyers are paid least; lowest on ties")


class ChainHeaderSchema(TotalsSchema):
    """Everything of a chain but its rows and its provenance."""

    symbol = fields.String()
    expiry = fields.Date()
    expires_at = Timestamp("instant at which the contracts expire")
    days_to_expiry = fields.Integer(metadata={"unit": "calendar days"})
    lot_size = fields.Integer(allow_none=True, metadata={"unit": "units per contract"})
    spot_price = Number(2, "INR", "price of the underlying")
    forward = Number(2, "INR", "forward of this expiry from put-call parity")
    interest_rate = Number(4, "per year, continuous", "rate that discounts", known=True)
    atm_strike = Number(2, "INR", "listed strike nearest the spot, the lower on a tie")
    timestamp = Timestamp("the same as as_of", attribute="as_of_ms")
    coverage = fields.Nested(CoverageSchema)


class RowSchema(Schema):
    """One strike of a chain. Its fields are made from ``ROW_COLUMNS``."""


def _column_field(column: Column) -> fields.Field[Any]:
    metadata = {"unit": column.unit, "description": column.description}
    field = _typed_field(column, metadata)
    if column in ROW_COLUMNS[LEGS:]:
        field.metadata = {**field.metadata, "optional": True}  # `fields` may leave it out
    return field


def _typed_field(column: Column, metadata: dict[str, Any]) -> fields.Field[Any]:
    if column.flag:
        return fields.Boolean(metadata=metadata)
    if column.choices:
        return fields.String(allow_none=True, metadata={**metadata, "enum": list(column.choices)})
    if column.decimals is None:
        return Count(column.unit, column.description)
    is_key = column is ROW_COLUMNS[STRIKE]
    return Number(column.decimals, column.unit, column.description, known=is_key)


ChainRowSchema = RowSchema.from_dict(
    {column.name: _column_field(column) for column in ROW_COLUMNS}, name="ChainRowSchema"
)
ChainRowSchema.__doc__ = "One strike: call (ce_) and put (pe_)."


class ChainSchema(ChainHeaderSchema, ProvenanceSchema):
    """A whole chain: header, totals, and a row for each strike.

    Documents and tests use it; the server writes the rows from columns.
    """

    option_chain = fields.List(fields.Nested(ChainRowSchema))


CHAIN_ROWS = RowWriter(ROW_COLUMNS)

_header_columns = compiled_columns(ChainHeaderSchema, without=TotalsSchema().fields)
_totals_columns = compiled_columns(TotalsSchema, keys=True)
provenance_columns = compiled_columns(ProvenanceSchema)
dump_provenance = compiled(ProvenanceSchema)


def dump_headers(heads: ChainHeads) -> list[dict[str, Any]]:
    """Everything of some chains but their rows."""
    columns = {
        **_header_columns(heads),
        **totals_columns(heads),
        **provenance_columns(heads.provenance),
    }
    return by_row(columns)


def totals_columns(heads: ChainHeads) -> dict[str, list[Any]]:
    """The sums of some chains as ``TotalsSchema`` describes them."""
    return _totals_columns({**heads.totals, "max_pain": heads.max_pain})


def encode_chain(
    header: Mapping[str, Any], table: FloatArray, shown: NDArray[np.bool_] | None = None
) -> bytes:
    """A chain as one JSON object: what ``dump_headers`` made of it, and rows of what ``chain_table`` made.

    ``shown`` : (len(ROW_COLUMNS),) are the columns of the rows, all without it.
    """
    return encode({**header, "option_chain": CHAIN_ROWS.whole(table, shown)})


def chain_table(chain: ValuedChains) -> FloatArray:
    """The rows of all chains of a pass as a matrix of wire values: (len(ROW_COLUMNS), n)."""
    table = np.empty((len(ROW_COLUMNS), len(chain.strikes)))
    table[STRIKE] = chain.strikes
    table[IS_ATM] = chain.is_atm
    width = len(LEG_COLUMNS)
    values = leg_values(chain)
    for offset, leg in enumerate(LEG_COLUMNS, start=LEGS):
        table[offset : offset + width + 1 : width] = rounded(values[leg.name], leg.decimals)
    return table


def leg_values(chain: ValuedChains) -> dict[str, FloatArray]:
    """Leg fields in display units, each (2, n), from the raw units of a pass."""
    legs, greeks, intrinsic = chain.legs, chain.greeks, chain.intrinsic
    return {
        "token": chain.tokens,
        "ltp": legs["last_price"],
        "change": chain.change,
        "change_percent": percent(chain.change, legs["previous_close"]),
        "bid_price": legs["bid"],
        "bid_qty": legs["bid_quantity"],
        "ask_price": legs["ask"],
        "ask_qty": legs["ask_quantity"],
        "volume": legs["volume"],
        "oi": legs["open_interest"],
        "oi_change": chain.open_interest_change,
        "oi_change_percent": percent(chain.open_interest_change, legs["previous_open_interest"]),
        "iv": 100 * chain.volatility,
        "delta": greeks.delta,
        "gamma": greeks.gamma,
        "theta": greeks.theta / DAYS_A_YEAR,
        "vega": greeks.vega / 100,
        "rho": greeks.rho / 100,
        "intrinsic": intrinsic,
        "time_val": legs["last_price"] - intrinsic,
        "open": legs["open"],
        "high": legs["high"],
        "low": legs["low"],
        "prev_close": legs["previous_close"],
        "build_up": chain.build_up,
    }


def percent(part: FloatArray, whole: FloatArray) -> FloatArray:
    """``part`` in percent of ``whole``; NaN where that is zero or unknown."""
    unknown = np.full(part.shape, np.nan)
    return np.divide(100 * part, whole, out=unknown, where=whole > 0)
