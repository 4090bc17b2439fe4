"""Series of the past: what a chain's figures and its open interest were, minute by minute."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from marshmallow import Schema, ValidationError, fields

from domain.intervals import INTERVALS
from domain.intervals import Interval as IntervalName
from schemas.columns import Column, FloatArray, rounded
from schemas.requests.fields import MAX_PAGE_ROWS, Day, Interval, Moment, Q, QueryInteger, shown
from schemas.requests.queries import SpanRequest
from schemas.wire import Count, Number, Timestamp, count, counts, number, timestamps

if TYPE_CHECKING:
    from feed.history.open_interest import OpenInterestSeries

EACH_SIDE, MOST_EACH_SIDE = 10, 60
MOST_NAMED = 100
MOST_OI_SPAN = timedelta(days=7)
MOST_SERIES_SPAN = timedelta(days=400)
_STRIKE = r"[1-9]\d{0,8}(\.\d{1,2})?"
STRIKES_PATTERN = rf"^{_STRIKE}(,{_STRIKE}){{0,{MOST_NAMED - 1}}},?$"

_FACTORS = {
    "atm_iv": 100.0,
    "volatility_index": 100.0,
    "near_month_iv": 100.0,
}  # stored as decimals, told in percent
_POINT_COLUMNS = (
    Column("spot_price", 2, "INR", "price of the underlying"),
    Column("forward", 2, "INR", "forward of the expiry"),
    Column("pcr_oi", 4, "", "open interest of puts per call"),
    Column("pcr_volume", 4, "", "volume of puts per call"),
    Column("max_pain", 2, "INR", "strike at which option buyers are paid least"),
    Column("atm_iv", 2, "% a year", "volatility at the forward"),
    Column("straddle_price", 2, "INR", "call plus put of the listed strike nearest the forward"),
    Column("total_ce_oi", None, "contracts", "open interest of all calls"),
    Column("total_pe_oi", None, "contracts", "open interest of all puts"),
    Column("total_ce_oi_change", None, "contracts", "change of it since the previous close"),
    Column("total_pe_oi_change", None, "contracts", "change of it since the previous close"),
    Column("total_ce_volume", None, "contracts", "traded calls"),
    Column("total_pe_volume", None, "contracts", "traded puts"),
    Column("volatility_index", 2, "% a year", "30-day index by the India VIX method"),
    Column(
        "near_month_iv", 2, "% a year", "volatility at the forward of the first month more than 4 days away"
    ),
)


class StrikeChoice(fields.Field[int | list[float]]):
    """How many strikes on each side of the money (an int), or the strikes themselves (a list)."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int | list[float]:
        text = str(value).strip()
        if re.fullmatch(STRIKES_PATTERN, text):
            if text.isdigit() and int(text) <= MOST_EACH_SIDE:
                return int(text)
            return sorted({float(part) for part in text.split(",") if part})
        raise ValidationError(
            f"must be 1 to {MOST_EACH_SIDE} for so many on each side of the money, or up to {MOST_NAMED} "
            f"strikes separated by commas, was {shown(value)}"
        )


class _Series(SpanRequest[Q]):
    """What every series of a chain takes."""

    expiry = Day(load_default=None)
    start = Moment(
        data_key="from",
        load_default=None,
        metadata={"description": "first instant; left out: the beginning of the trading day"},
    )
    end = Moment(data_key="to", load_default=None, metadata={"description": "end; left out: now"})
    interval = Interval(
        load_default=IntervalName.FIVE_MINUTES,
        metadata={"description": "one point for each interval, as it stood at its end"},
    )


@dataclass(frozen=True, slots=True)
class DashboardHistoryQuery:
    """A page of a chain's figures in [start, end), one point for each interval."""

    expiry: date | None
    start: int | None
    end: int | None
    interval: IntervalName
    page: int
    per_page: int


class DashboardHistoryRequest(_Series[DashboardHistoryQuery]):
    """``/api/dashboard-history/{symbol}``."""

    makes = DashboardHistoryQuery

    page = QueryInteger(1, 1_000_000, load_default=1)
    per_page = QueryInteger(1, MAX_PAGE_ROWS, load_default=500)


@dataclass(frozen=True, slots=True)
class OpenInterestHistoryQuery:
    """Open interest in [start, end) of some strikes: so many on each side of the money, or named ones."""

    expiry: date | None
    start: int | None
    end: int | None
    interval: IntervalName
    strikes: int | list[float] | None


class OpenInterestHistoryRequest(_Series[OpenInterestHistoryQuery]):
    """``/api/oi-history/{symbol}``."""

    makes = OpenInterestHistoryQuery

    strikes = StrikeChoice(
        load_default=None,
        metadata={
            "description": f"1 to {MOST_EACH_SIDE}: so many on each side of the money, {EACH_SIDE} when left "
            "out; else strikes, separated by commas (one alone with a comma after it)",
            "example": "10",
            "unit": "strikes",
        },
    )


def check_length(start_ms: int, end_ms: int, longest: timedelta) -> None:
    """Refuse a span that is longer than is read at once. Raises ValidationError."""
    days = (end_ms - start_ms) / 86_400_000
    if days > longest.days:
        message = f"must be at most {longest.days} days before `to`, was {math.ceil(days)} days before it"
        raise ValidationError({"from": [message]})


def _column_field(column: Column) -> fields.Field[Any]:
    if column.decimals is None:
        return Count(column.unit, column.description)
    return Number(column.decimals, column.unit, column.description)


class DashboardPointSchema(Schema):
    """Figures of an expiry at the end of an interval."""

    date = Timestamp("first instant of the interval")


DashboardPoint = DashboardPointSchema.from_dict(
    {column.name: _column_field(column) for column in _POINT_COLUMNS}, name="DashboardPointSchema"
)
DashboardPoint.__doc__ = DashboardPointSchema.__doc__


class CoveredSchema(Schema):
    """The span that is recorded."""

    start = Timestamp("first instant that is recorded", example="2026-11-20T03:45:59.500Z", data_key="from")
    end = Timestamp("last instant that is recorded", example="2026-11-23T04:30:00.000Z", data_key="to")


class DashboardHistorySchema(Schema):
    """``/api/dashboard-history/{symbol}``."""

    symbol = fields.String()
    expiry = fields.Date()
    interval = fields.String(metadata={"enum": list(INTERVALS)})
    source = fields.String(metadata={"description": "where the recorded prices came from; each, if several"})
    points = fields.List(
        fields.Nested(DashboardPoint), metadata={"description": "one for each interval, oldest first"}
    )


def _counts(description: str, example: int) -> fields.List[Any]:
    inner = Count("contracts", description)
    metadata = {"unit": "contracts", "description": description, "example": [example]}
    return fields.List(inner, metadata=metadata)


class StrikeSeriesSchema(Schema):
    """Open interest of one strike, a value for each of ``dates``."""

    strike_price = Number(2, "INR", "strike", known=True)
    ce_oi = _counts("open interest of the call", 21_385)
    pe_oi = _counts("open interest of the put", 30_042)
    ce_oi_change = _counts("the call's less that of the previous close", -1_210)
    pe_oi_change = _counts("the put's less that of the previous close", 890)


class OpenInterestHistorySchema(Schema):
    """``/api/oi-history/{symbol}``."""

    symbol = fields.String()
    expiry = fields.Date()
    interval = fields.String(metadata={"enum": list(INTERVALS)})
    source = fields.String(metadata={"description": "where the recorded prices came from; each, if several"})
    dates = fields.List(
        Timestamp("first instant of an interval"),
        metadata={
            "description": "first instants of the intervals, ascending",
            "example": ["2026-11-23T04:00:00.000Z"],
        },
    )
    strikes = fields.List(
        fields.Nested(StrikeSeriesSchema), metadata={"description": "a series for each strike, ascending"}
    )


def dump_points(series: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Series of stored metrics as ``DashboardPoint`` describes them, rounded as the dashboard is."""
    cells: list[list[Any]] = [timestamps(series["minute_ms"].astype(np.int64))]
    for column in _POINT_COLUMNS:
        values = (_FACTORS.get(column.name, 1.0) * series[column.name]).tolist()
        if column.decimals is None:
            cells.append([count(value) for value in values])
        else:
            cells.append([number(value, column.decimals) for value in values])
    names = ("date", *(column.name for column in _POINT_COLUMNS))
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def dump_open_interest(series: OpenInterestSeries) -> dict[str, Any]:
    """A ``OpenInterestSeries`` as ``OpenInterestHistorySchema`` describes it."""
    names = {
        "ce_oi": series.calls,
        "pe_oi": series.puts,
        "ce_oi_change": series.call_changes,
        "pe_oi_change": series.put_changes,
    }
    columns = {name: rounded(values, None) for name, values in names.items()}
    return {
        "dates": timestamps(series.minute_ms),
        "strikes": [
            {
                "strike_price": strike,
                **{name: counts(values[:, place]) for name, values in columns.items()},
            }
            for place, strike in enumerate(series.strikes.tolist())
        ],
    }
