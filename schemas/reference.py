"""Reference data, market status, candles and the service's own figures on the wire."""

from __future__ import annotations

from marshmallow import Schema, fields

from domain.instruments import Exchange, ExpiryKind, Kind
from domain.intervals import INTERVALS
from domain.market import FeedStateName, MarketHours, PhaseName, SourceName
from schemas.chains import ProvenanceSchema
from schemas.wire import Count, Number, Timestamp


class SymbolSchema(Schema):
    """One underlying."""

    symbol = fields.String()
    name = fields.String()
    kind = fields.String(metadata={"description": "index, stock or commodity", "enum": list(Kind)})
    exchange = fields.String(metadata={"description": "where the underlying trades", "enum": list(Exchange)})
    sector = fields.String(metadata={"description": "what moves it beside the market"})
    lot_size = Count("units", "of the nearest expiry")
    tick_size = Number(2, "INR", "price step of its options", known=True)
    strike_step = Number(2, "INR", "distance of strikes near the money")
    expiry_count = fields.Integer(metadata={"description": "expiries listed now"})
    reference_price = Number(2, "INR", "where a simulated market begins", known=True)
    price_date = fields.Date(
        allow_none=True, metadata={"description": "whose price that is; null where a rule gave it"}
    )
    estimated = fields.List(
        fields.String(), metadata={"description": "which of these are by a rule, for no list is at hand"}
    )


class SymbolsSchema(Schema):
    """``/api/symbols``."""

    symbols = fields.List(fields.Nested(SymbolSchema))
    indices = fields.List(fields.String())
    stocks = fields.List(fields.String())
    commodities = fields.List(fields.String())
    stocks_with_options = fields.List(fields.String())


class ExpirySchema(Schema):
    """One expiry."""

    date = fields.Date(
        attribute="day", metadata={"description": "day on the exchange's calendar", "example": "2026-12-01"}
    )
    kind = fields.String(metadata={"description": "its series", "enum": list(ExpiryKind)})
    expires_at = Timestamp("instant at which the contracts expire")
    days_to_expiry = fields.Integer(metadata={"unit": "calendar days"})
    lot_size = Count("units", "units per contract")


class ExpiriesSchema(Schema):
    """``/api/expiries/{symbol}``."""

    symbol = fields.String()
    expiry_dates = fields.List(fields.Date())
    expiries = fields.List(fields.Nested(ExpirySchema))


class ExchangePhaseSchema(Schema):
    """The trading phase of one exchange."""

    exchange = fields.String(metadata={"enum": list(Exchange)})
    phase = fields.String(metadata={"enum": list(PhaseName)})
    is_open = fields.Boolean()
    since = Timestamp("when this phase began")
    next_phase = fields.String(metadata={"enum": list(PhaseName)})
    next_change = Timestamp("when it ends")
    holiday = fields.String(allow_none=True)
    feed = fields.String(metadata={"description": "state of the feed", "enum": list(FeedStateName)})


class MarketStatusSchema(ExchangePhaseSchema):
    """``/api/market-status``: the default exchange's phase, and each one's."""

    exchanges = fields.List(fields.Nested(ExchangePhaseSchema))
    hours = fields.String(
        metadata={
            "description": "always: the feed moves round the clock; exchange: in sessions",
            "enum": list(MarketHours),
        }
    )
    source = fields.String(metadata={"enum": list(SourceName)})


class CandleSchema(Schema):
    """One candle; ``date`` is its first instant."""

    date = Timestamp("first instant of the candle")
    open = Number(2, "INR", "first price", known=True)
    high = Number(2, "INR", "highest price", known=True)
    low = Number(2, "INR", "lowest price", known=True)
    close = Number(2, "INR", "last price", known=True)
    volume = Count("units, contracts of an option", "traded within the candle")
    oi = Count("contracts", "open interest at its end")


class HistoricalCandleSchema(CandleSchema):
    """A candle of a page, which may be the one that is being formed."""

    closed = fields.Boolean(metadata={"description": "whether it is final; the newest one mostly is not"})


class MadeOfSchema(Schema):
    """Candles that follow each other and are made of bars of one width."""

    start = Timestamp(
        "first instant of the first of them", example="2026-11-20T03:45:00.000Z", data_key="from"
    )
    end = Timestamp("first instant of the last of them", example="2026-11-20T09:59:00.000Z", data_key="to")
    width = fields.String(
        allow_none=True,
        metadata={
            "description": "width of the widest bars they are made of: 1m, that of imported bars, or 1d for "
            "days that were told at their end; null where it is not known",
            "example": "1m",
        },
    )


class CandleCoverageSchema(Schema):
    """What there is to make candles of."""

    finest = fields.String(
        allow_none=True,
        metadata={
            "description": "width of the narrowest bars kept in the span; a narrower interval has no "
            "candles of them",
            "example": "1m",
        },
    )
    made_of = fields.List(fields.Nested(MadeOfSchema), metadata={"description": "of the candles answered"})


class CandlesSchema(Schema):
    """``/api/historical-data/{symbol}``."""

    symbol = fields.String()
    interval = fields.String(metadata={"enum": list(INTERVALS)})
    source = fields.String()
    start = Timestamp(
        "beginning of the span that the pages are of", example="2026-11-18T04:30:00.001Z", data_key="from"
    )
    end = Timestamp(
        "its end: given as `to` with the next page, what arrives meanwhile moves nothing",
        example="2026-11-23T04:30:00.001Z",
        data_key="to",
    )
    adjusted = fields.Boolean(
        metadata={"description": "whether prices before a split are of today's shares", "example": True}
    )
    coverage = fields.Nested(CandleCoverageSchema)
    candles = fields.List(fields.Nested(HistoricalCandleSchema), metadata={"description": "ascending"})


class DaySchema(Schema):
    """One trading day of an underlying."""

    date = fields.Date(
        allow_none=True,
        metadata={"description": "trading day; null where only its close is known", "example": "2026-11-23"},
    )
    open = Number(2, "INR", "first price")
    high = Number(2, "INR", "highest price")
    low = Number(2, "INR", "lowest price")
    close = Number(2, "INR", "last price of a day that is over")
    ltp = Number(2, "INR", "last price")
    volume = Count("units", "traded")


class DaysSchema(Schema):
    """``/api/ohlc_data/{symbol}``."""

    symbol = fields.String()
    current_day = fields.Nested(DaySchema)
    previous_day = fields.Nested(DaySchema, allow_none=True)
    reference_price = Number(2, "INR", "the previous close, which changes are counted from")


class PaginationSchema(Schema):
    """Which page this is."""

    page = fields.Integer()
    per_page = fields.Integer()
    total = fields.Integer()
    pages = fields.Integer()
    next = fields.Integer(allow_none=True)
    previous = fields.Integer(allow_none=True)


class CandleUpdateSchema(CandleSchema, ProvenanceSchema):
    """``candle_update``: the forming candle, and once more when it is final."""

    symbol = fields.String()
    interval = fields.String(metadata={"enum": list(INTERVALS)})
    closed = fields.Boolean()
