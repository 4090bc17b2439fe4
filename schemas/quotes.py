"""The price of an underlying on the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, post_dump

from schemas.chains import ProvenanceSchema
from schemas.wire import Count, Number


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
    provenance = fields.Nested(ProvenanceSchema)

    @post_dump
    def _flatten(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Provenance stands beside the figures."""
        data.update(data.pop("provenance"))
        return data


class SpotPriceSchema(QuoteSchema, ProvenanceSchema):
    """The latest price and the day's range of an underlying, as clients see it."""

    class Meta:
        """Provenance stands beside the figures."""

        exclude = ("provenance",)
