"""The published states, made once per change and shared by REST and streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import chain

from domain.streams import StreamKind, StreamName
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.universe import Listing
from feed.valuation.chain import Chain, ValuedChains, chain_of, heads_of, value_chain, value_listings
from feed.valuation.dashboard import Dashboard, IvHistory, UnderlyingVolatilities, build_dashboard
from handlers.streams.state import ChainStream, Stream, SymbolStream, WholeStream
from schemas.dashboard import dump_dashboard

LISTINGS_A_BATCH = 32  # a few milliseconds


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
        self._valued_together: dict[tuple[str, date], tuple[tuple[str, int], ValuedChains, int]] = {}

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
        version = self._version(listing)
        together = self._valued_together.get(listing.key)
        if together is not None and together[0] == version:
            return chain_of(self.market, *together[1:])
        known = self._valued.get(listing.key)
        if known is not None and known[0] == version:
            return known[1]
        alone = value_chain(self.market, listing)
        self._valued[listing.key] = (version, alone)
        return alone

    def _version(self, listing: Listing) -> tuple[str, int]:
        return self.market.epoch, self.market.chain_seq(listing)

    def batches(self, streams: Iterable[Stream]) -> list[list[Stream]]:
        """Streams that tell of listings, in batches; what the last cycle prepared is let go."""
        self._valued_together.clear()  # arrays of whole batches
        of_listing: dict[tuple[str, date], list[Stream]] = {}
        for stream in dict.fromkeys(streams):
            if stream.listing_key is not None and self.market.universe.find(stream.listing_key) is not None:
                of_listing.setdefault(stream.listing_key, []).append(stream)
        groups = list(of_listing.values())
        starts = range(0, len(groups), LISTINGS_A_BATCH)
        return [list(chain(*groups[start : start + LISTINGS_A_BATCH])) for start in starts]

    def prepare(self, streams: Sequence[Stream]) -> None:
        """Value in one pass what streams are to be refreshed to.

        Refreshed one by one without this they come to the same.
        """
        behind = [stream for stream in streams if stream.is_behind]
        keys = dict.fromkeys(stream.listing_key for stream in behind)
        if not keys:
            return
        valued = value_listings(self.market, [self.market.universe.listing(*key) for key in keys if key])
        for place, listing in enumerate(valued.selection.listings):
            self._valued_together[listing.key] = (self._version(listing), valued, place)
        self._volatilities.prepare({item.symbol for item in behind if item.kind == StreamKind.DASHBOARD})
        chains = [stream for stream in behind if isinstance(stream, ChainStream)]
        ChainStream.prepare(chains, valued, heads_of(self.market, valued))

    def forget_unlisted(self) -> None:
        """Drop the views of chains that are listed no more."""
        for views in (self._chains, self._boards, self._valued, self._valued_together):
            for key in [key for key in views if self.market.universe.find(key) is None]:
                del views[key]

    def _build(self, listing: Listing) -> Dashboard:
        chain = self.value(listing)
        change = self.market.change_percent(listing.symbol)
        volatility = self._volatilities.of(listing.symbol)
        return build_dashboard(chain, change, volatility, self._iv_history(listing.symbol))
