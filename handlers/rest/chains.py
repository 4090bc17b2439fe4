"""Option chains and dashboards."""

from __future__ import annotations

from handlers.rest.past import PastHandler
from schemas.requests import ChainRequest, DashboardRequest


class OptionChainHandler(PastHandler):
    """``/api/option_chain``."""

    async def get(self) -> None:
        """Answer with the chain, the same bytes that the stream's snapshot has, or with a recorded one."""
        wanted = self.arguments_of(ChainRequest)
        if wanted["at"] is not None:
            await self.reply_past_chain(wanted)
            return
        listing = self.services.market.universe.listing(wanted["symbol"], wanted["expiry"])
        stream = self.services.views.chain(listing)
        kept = stream.is_kept(wanted["strikes"])
        self.reply_shared(
            stream.whole(wanted["strikes"]),
            meta={"symbol": listing.symbol, "expiry": listing.expiry.day},
            version=(stream.epoch, stream.seq),
            kept=kept,
        )


class DashboardHandler(PastHandler):
    """``/api/dashboard_data``."""

    async def get(self) -> None:
        """Answer with the figures of an expiry; with ``at`` as they were."""
        wanted = self.arguments_of(DashboardRequest)
        if wanted["at"] is not None:
            await self.reply_past_dashboard(wanted)
            return
        listing = self.services.market.universe.listing(wanted["symbol"], wanted["expiry"])
        stream = self.services.views.dashboard(listing)
        self.reply_shared(
            stream.whole(),
            meta={"symbol": listing.symbol, "expiry": listing.expiry.day},
            version=(stream.epoch, stream.seq),
        )
