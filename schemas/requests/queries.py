"""What a client may ask of the routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields, post_load, validates_schema

from domain.instants import DAY_MS, IST, MINUTE_MS
from domain.instruments import Exchange, Kind, OptionType
from domain.intervals import Interval as IntervalName
from schemas.requests.fields import (
    AT,
    MAX_PAGE_ROWS,
    MAX_STRIKES,
    Choices,
    Day,
    Interval,
    Moment,
    Q,
    QueryFlag,
    QueryInteger,
    Request,
    Strike,
    Symbol,
    length,
    one_of,
)
from schemas.requests.fields import OptionType as OptionTypeField
from schemas.requests.leg_fields import FieldChoice, LegFields


@dataclass(frozen=True, slots=True)
class SymbolsQuery:
    """A page of the symbols that match all that is named."""

    page: int
    per_page: int
    kind: Kind | None = None
    exchange: Sequence[Exchange] = ()
    q: str = ""


class SymbolsRequest(Request[SymbolsQuery]):
    """``/api/symbols``."""

    makes = SymbolsQuery

    kind = fields.String(validate=one_of(tuple(Kind)))
    exchange = Choices(tuple(Exchange))
    q = fields.String(validate=length(1, 50))
    page = QueryInteger(1, 1_000_000, load_default=1)
    per_page = QueryInteger(1, MAX_PAGE_ROWS, load_default=500)


@dataclass(frozen=True, slots=True)
class ChainQuery:
    """A chain, within ``strikes`` on each side of the money: without an expiry the nearest, as of now."""

    symbol: str
    expiry: date | None
    strikes: int | None
    at: int | None
    leg_fields: LegFields


class ChainRequest(Request[ChainQuery]):
    """``/api/option_chain``."""

    makes = ChainQuery

    symbol = Symbol(required=True)
    expiry = Day(load_default=None)
    strikes = QueryInteger(1, MAX_STRIKES, load_default=None)
    leg_fields = FieldChoice(in_url=True)
    at = Moment(load_default=None, metadata={"description": AT})


@dataclass(frozen=True, slots=True)
class DashboardQuery:
    """The figures of an expiry; ``at`` is an instant in milliseconds, None is now."""

    symbol: str
    expiry: date | None
    at: int | None


class DashboardRequest(Request[DashboardQuery]):
    """``/api/dashboard_data``."""

    makes = DashboardQuery

    symbol = Symbol(required=True)
    expiry = Day(load_default=None)
    at = Moment(load_default=None, metadata={"description": AT})


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """The phases of some exchanges; None is all."""

    exchange: list[str] | None


class StatusRequest(Request[StatusQuery]):
    """``/api/market-status``."""

    makes = StatusQuery

    exchange = Choices(tuple(Exchange), load_default=None)


@dataclass(frozen=True, slots=True)
class HealthQuery:
    """Everything, or what a supervisor's probe wants to know."""

    probe: str | None


class HealthRequest(Request[HealthQuery]):
    """``/health``."""

    makes = HealthQuery

    probe = fields.String(load_default=None, validate=one_of(("live", "ready")))


class SpanRequest(Request[Q]):
    """A request with `from` and `to`: `to` is not included, but two that are equal are that day or minute."""

    start = Moment(data_key="from", load_default=None)
    end = Moment(data_key="to", load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def _in_order(self, data: Mapping[str, Any], **_: Any) -> None:
        if data["start"] is not None and data["end"] is not None and data["start"] > data["end"]:
            start, end = (
                datetime.fromtimestamp(data[name] / 1000, IST).isoformat() for name in ("start", "end")
            )
            raise ValidationError({"from": [f"must not be after `to`, was {start} and `to` {end}"]})

    @post_load(pass_original=True)
    def _widen(self, data: dict[str, Any], original: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        if data["start"] is not None and data["start"] == data["end"]:
            data["end"] += DAY_MS if _is_date(str(original["to"]).strip()) else MINUTE_MS
        return data


def _is_date(text: str) -> bool:
    with suppress(ValueError):
        date.fromisoformat(text)
        return True
    return False


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A page of candles of an underlying, or of a contract, in [start, end) in milliseconds."""

    start: int | None
    end: int | None
    interval: IntervalName
    expiry: date | None
    strike: float | None
    option_type: OptionType | None
    adjusted: bool
    page: int
    per_page: int


class HistoryRequest(SpanRequest[HistoryQuery]):
    """``/api/historical-data/{symbol}``."""

    makes = HistoryQuery

    interval = Interval(load_default=IntervalName.ONE_DAY)
    expiry = Day(
        load_default=None,
        metadata={"description": "of a contract, with strike and option_type; left out: the underlying"},
    )
    strike = Strike(load_default=None)
    option_type = OptionTypeField(load_default=None)
    adjusted = QueryFlag(
        load_default=True,
        metadata={
            "description": "prices before a split in today's shares, or as they were traded",
            "example": True,
        },
    )
    page = QueryInteger(1, 1_000_000, load_default=1)
    per_page = QueryInteger(1, MAX_PAGE_ROWS, load_default=500)

    @validates_schema(skip_on_field_errors=True)
    def _whole_contract(self, data: Mapping[str, Any], **_: Any) -> None:
        """A contract is an expiry, a strike and a side."""
        names = ("expiry", "strike", "option_type")
        missing = [name for name in names if data[name] is None]
        if 0 < len(missing) < len(names):
            raise ValidationError(
                {name: ["is required with the other two of a contract and was not given"] for name in missing}
            )
