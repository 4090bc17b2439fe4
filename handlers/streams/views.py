"""The published states, made once per change and shared by REST and streams."""

from __future__ import annotations

from datetime import date

from domain.streams import StreamName
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.universe import Listing
from feed.valuation.chain import Chain, value_chain
from feed.valuation.dashboard import Dashboard, IvHistory, UnderlyingVolatilities, build_dashboard
from handlers.streams.state import ChainStream, SymbolStream, WholeStream
from schemas.dashboard import dump_dashboard


class Views:
    """The published states, made once per change and shared by REST and streams."""

    def __init__(self, market: Market, clock: Clock, *, depth: int, iv_history: IvHistory) -> None:
        self.market = market
        self.clock = clock
        self._depth = depth
        self._iv_history = iv_history
        self._volatilities = UnderlyingVolatilities(market)
        self._symbols: dict[str, SymbolStream] = {}
        self._chains: dict[tuple[str, date], ChainStream] = {}
        self._boards: dict[tuple[str, date], WholeStream] = {}
        self._valued: dict[tuple[str, date], tuple[tuple[str, int], Chain]] = {}

    def symbol(self, symbol: str) -> SymbolStream:
        """The stream of a symbol, up to date. Raises UnknownSymbol, FeedUnavailable."""
        self.market.quote(symbol)
        stream = self._symbols.get(symbol)
        if stream is None:
            stream = self._symbols[symbol] = SymbolStream(symbol, self.market, self._depth)
        stream.refresh()
        return stream

    def chain(self, listing: Listing) -> ChainStream:
        """The stream of a chain, up to date. Raises FeedUnavailable."""
        self.market.chain_provenance(listing)
        stream = self._chains.get(listing.key)
        if stream is None:
            stream = ChainStream(listing, self.market, self.value, self._depth)
            self._chains[listing.key] = stream
        stream.refresh()
        return stream

    def dashboard(self, listing: Listing) -> WholeStream:
        """The stream of an expiry's dashboard, up to date. Raises FeedUnavailable."""
        self.market.chain_provenance(listing)
        stream = self._boards.get(listing.key)
        if stream is None:
            symbol, day = listing.key
            stream = self._boards[listing.key] = WholeStream(
                StreamName.dashboard(symbol, day),
                self.market,
                {"symbol": symbol, "expiry": day},
                lambda: (self.market.epoch, self.market.chain_seq(self.market.universe.listing(symbol, day))),
                lambda: dump_dashboard(self._build(self.market.universe.listing(symbol, day))),
                listing.key,
            )
        stream.refresh()
        return stream

    def value(self, listing: Listing) -> Chain:
        """The valued chain of a listing, once per change."""
        version = (self.market.epoch, self.market.chain_seq(listing))
        known = self._valued.get(listing.key)
        if known is None or known[0] != version:
            known = self._valued[listing.key] = (version, value_chain(self.market, listing))
        return known[1]

    def forget_unlisted(self) -> None:
        """Drop the views of chains that are listed no more."""
        for views in (self._chains, self._boards, self._valued):
            for key in [key for key in views if self.market.universe.find(key) is None]:
                del views[key]

    def _build(self, listing: Listing) -> Dashboard:
        chain = self.value(listing)
        change = self.market.change_percent(listing.symbol)
        volatility = self._volatilities.of(listing.symbol)
        return build_dashboard(chain, change, volatility, self._iv_history(listing.symbol))
