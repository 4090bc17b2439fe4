"""Prices of underlyings."""

from __future__ import annotations

from handlers.rest.base import ApiHandler


class SpotPriceHandler(ApiHandler):
    """``/api/spot_price/{symbol}``."""

    def get(self, symbol: str) -> None:
        """Answer with the quote, the same that the stream's snapshot has."""
        self.no_arguments()
        name = self.symbol_of(symbol)
        stream = self.services.views.symbol(name)
        self.reply(stream.fields.values, meta={"symbol": name}, version=(stream.epoch, stream.seq))
