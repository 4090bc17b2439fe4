"""Option chains and dashboards."""

from __future__ import annotations

import orjson

from handlers.api import ApiHandler
from schemas.requests import ChainRequest, DashboardRequest


class OptionChainHandler(ApiHandler):
    """``/api/option_chain``."""

    def get(self) -> None:
        """Answer with the chain, the same bytes that the stream's snapshot has."""
        wanted = self.arguments_of(ChainRequest)
        listing = self.services.market.universe.listing(wanted["symbol"], wanted["expiry"])
        stream = self.services.views.chain(listing)
        self.reply(
            orjson.Fragment(stream.whole(wanted["strikes"])),
            meta={"symbol": listing.symbol, "expiry": listing.expiry.day},
            version=(stream.epoch, stream.seq),
        )


class DashboardHandler(ApiHandler):
    """``/api/dashboard_data``."""

    def get(self) -> None:
        """Answer with the figures of an expiry."""
        wanted = self.arguments_of(DashboardRequest)
        listing = self.services.market.universe.listing(wanted["symbol"], wanted["expiry"])
        stream = self.services.views.dashboard(listing)
        self.reply(
            orjson.Fragment(stream.whole()),
            meta={"symbol": listing.symbol, "expiry": listing.expiry.day},
            version=(stream.epoch, stream.seq),
        )
