"""Option chains and dashboards."""

from __future__ import annotations

from handlers.rest.as_of import PastHandler
from handlers.streams.state import ChainPart
from schemas.requests.queries import ChainRequest, DashboardRequest


class OptionChainHandler(PastHandler):
    """``/api/option_chain``."""

    async def get(self) -> None:
        """Answer with the chain, the same bytes that the stream's snapshot has, or with a recorded one."""
        query = self.arguments_of(ChainRequest)
        if query.at is not None:
            await self.reply_past_chain(query, query.at)
            return
        listing = self.services.market.universe.listing(query.symbol, query.expiry)
        stream = self.services.views.chain(listing)
        part = ChainPart(query.strikes, query.leg_fields)
        is_cached = stream.is_cached(part)
        self.reply_shared(
            stream.whole(part),
            meta={"symbol": listing.symbol, "expiry": listing.expiry.day},
            version=(stream.epoch, stream.seq),
            is_cached=is_cached,
        )


class DashboardHandler(PastHandler):
    """``/api/dashboard_data``."""

    async def get(self) -> None:
        """Answer with the figures of an expiry; with ``at`` as they were."""
        query = self.arguments_of(DashboardRequest)
        if query.at is not None:
            await self.reply_past_dashboard(query, query.at)
            return
        listing = self.services.market.universe.listing(query.symbol, query.expiry)
        stream = self.services.views.dashboard(listing)
        self.reply_shared(
            stream.whole(),
            meta={"symbol": listing.symbol, "expiry": listing.expiry.day},
            version=(stream.epoch, stream.seq),
        )
