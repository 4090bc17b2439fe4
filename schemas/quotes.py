"""The price of an underlying on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields

from schemas.chains import ProvenanceSchema, dump_provenance
from schemas.compiled import compiled
from schemas.wire import Count, Number

if TYPE_CHECKING:
    from feed.market.market import Quote


class QuoteSchema(Schema):
    """The latest price and the day's range of an underlying."""

    symbol = fields.String()
    spot_price = Number(2, "INR", "last price", attribute="last_price")
    change = Number(2, "INR", "last price less the previous close")
    change_percent = Number(2, "%", "the same in percent of the previous close")
    open = Number(2, "INR", "first price of the day")
    high = Number(2, "INR", "highest price of the day")
    low = Number(2, "INR", "lowest price of the day")
    previous_close = Number(2, "INR", "close of the previous session")
    volume = Count("units", "traded today")


class SpotPriceSchema(QuoteSchema, ProvenanceSchema):
    """The latest price and the day's range of an underlying, as clients see it."""


_dump_quote = compiled(QuoteSchema)


def dump_quote(quote: Quote) -> dict[str, Any]:
    """A ``Quote`` as ``SpotPriceSchema`` describes it."""
    return {**_dump_quote(quote), **dump_provenance(quote.provenance)}
