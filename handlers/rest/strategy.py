"""Strategies: several legs of a listed chain taken together."""

from __future__ import annotations

from marshmallow import ValidationError

from feed.valuation.strategy import NoPrice, value_strategy
from handlers.access.rate_limit import HEAVY
from handlers.rest.base import ApiHandler
from schemas.strategy import StrategyRequest, dump_strategy


class StrategyHandler(ApiHandler):
    """``/api/strategy``."""

    methods = ("POST", "OPTIONS")
    cost = HEAVY

    def post(self) -> None:
        """Answer with pay-off, limits, Greeks and odds of the legs."""
        self.no_arguments()
        order = self.body_of(StrategyRequest)
        listing = self.services.market.universe.listing(order.symbol, order.expiry)
        try:
            strategy = value_strategy(self.services.views.value(listing), listing, order)
        except NoPrice as error:
            rule = f"must be given: there is no price for {error.contract}"
            raise ValidationError({"legs": {error.place: {"price": [rule]}}}) from None
        self.set_header("Cache-Control", "no-store")
        self.reply(dump_strategy(strategy), meta={"symbol": listing.symbol, "expiry": listing.expiry.day})
