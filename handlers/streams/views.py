"""The published states, made once per change and shared by REST and streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from analytics.volatility_rank import PastLevels
from domain.streams import StreamName
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.source import FloatArray
from feed.market.universe import Listing
from feed.valuation.chain import Chain, ChainHeads, ValuedChains, ValuedStates, chain_of, value_states
from feed.valuation.dashboard import (
    IvHistory,
    UnderlyingFigures,
    UnderlyingVolatilities,
    UnderlyingVolatility,
    build_dashboards,
)
from handlers.streams.state import ChainStream, Stream, SymbolStream, WholeStream
from schemas.dashboard import dump_dashboards

LISTINGS_A_BATCH = 64  # a few milliseconds


class Views:
    """The published states, made once per change and shared by REST and streams."""

    def __init__(self, market: Market, clock: Clock, *, depth: int, iv_history: IvHistory) -> None:
        self.market = market
        self.clock = clock
        self.on_asked: Callable[[tuple[str, date]], None] = lambda _key: None  # told of each chain looked at
        self._depth = depth
        self.iv_history = iv_history
        self._levels: dict[str, tuple[FloatArray, PastLevels]] = {}  # of each symbol's history as it was last
        self._volatilities = UnderlyingVolatilities(market)
        self.symbols: dict[str, SymbolStream] = {}
        self.chains: dict[tuple[str, date], ChainStream] = {}
        self.boards: dict[tuple[str, date], WholeStream] = {}
        self.valued: dict[tuple[str, date], tuple[tuple[str, int], ValuedStates]] = {}

    def symbol(self, symbol: str) -> SymbolStream:
        """The stream of a symbol, up to date. Raises UnknownSymbol, FeedUnavailable."""
        self.market.quote(symbol)
        stream = self.symbols.get(symbol)
        if stream is None:
            stream = self.symbols[symbol] = SymbolStream(symbol, self.market, self._depth)
        stream.refresh()
        return stream

    def chain(self, listing: Listing) -> ChainStream:
        """The stream of a chain, up to date. Raises FeedUnavailable."""
        self.on_asked(listing.key)
        self.market.chain_provenance(listing)
        stream = self.chains.get(listing.key)
        if stream is None:
            stream = ChainStream(listing, self.market, self._value_alone, self._depth)
            self.chains[listing.key] = stream
        stream.refresh()
        return stream

    def dashboard(self, listing: Listing) -> WholeStream:
        """The stream of an expiry's dashboard, up to date. Raises FeedUnavailable."""
        self.on_asked(listing.key)
        self.market.chain_provenance(listing)
        stream = self._board(listing)
        stream.refresh()
        return stream

    def value_dashboards(self, listings: Iterable[Listing]) -> None:
        """Value in passes what the dashboards of listings are about to be asked for."""
        for batch in self.batches(self._board(listing) for listing in listings):
            self.prepare(batch)

    def _board(self, listing: Listing) -> WholeStream:
        stream = self.boards.get(listing.key)
        if stream is None:
            symbol, day = listing.key
            stream = self.boards[listing.key] = WholeStream(
                StreamName.dashboard(symbol, day),
                self.market,
                {"symbol": symbol, "expiry": day},
                lambda: (self.market.epoch, self.market.chain_seq(self.market.universe.listing(symbol, day))),
                lambda: self._dashboards(*self._value_alone(self.market.universe.listing(symbol, day)))[0],
                listing.key,
            )
        return stream

    def value(self, listing: Listing) -> Chain:
        """A listing as a valued chain."""
        valued, _ = self._value_alone(listing)
        return chain_of(self.market, valued, 0)

    def _value_alone(self, listing: Listing) -> ValuedStates:
        """One listing, valued once per change."""
        version = self.market.epoch, self.market.chain_seq(listing)
        known = self.valued.get(listing.key)
        if known is None or known[0] != version:
            known = self.valued[listing.key] = version, value_states(self.market, [listing])
        return known[1]

    def batches(self, streams: Iterable[Stream]) -> list[list[Stream]]:
        """Streams that tell of listings, in batches; those of one underlying are together."""
        of_symbol: dict[str, list[Stream]] = {}
        for stream in dict.fromkeys(streams):
            if stream.listing_key is not None and self.market.universe.find(stream.listing_key) is not None:
                of_symbol.setdefault(stream.symbol, []).append(stream)
        batches: list[list[Stream]] = []
        room = 0
        for group in of_symbol.values():
            listings = len({stream.listing_key for stream in group})
            if listings > room:
                batches.append([])
                room = LISTINGS_A_BATCH
            batches[-1] += group
            room -= listings
        return batches

    def prepare(self, streams: Sequence[Stream]) -> None:
        """Value in one pass what streams are to be refreshed to.

        Refreshed one by one without this they come to the same.
        """
        behind = [stream for stream in streams if stream.is_behind]
        keys = dict.fromkeys(stream.listing_key for stream in behind)
        if not keys:
            return
        valued, heads = value_states(self.market, [self.market.universe.listing(*key) for key in keys if key])
        ChainStream.prepare([stream for stream in behind if isinstance(stream, ChainStream)], valued, heads)
        boards = {stream.listing_key: stream for stream in behind if isinstance(stream, WholeStream)}
        if boards:
            told = self._dashboards(valued, heads)
            for listing, values in zip(valued.selection.listings, told, strict=True):
                if listing.key in boards:
                    boards[listing.key].prepare(values)

    def forget_unlisted(self) -> None:
        """Drop the views of chains that are listed no more."""
        for views in (self.chains, self.boards, self.valued):
            for key in [key for key in views if self.market.universe.find(key) is None]:
                del views[key]

    def _dashboards(self, valued: ValuedChains, heads: ChainHeads) -> list[dict[str, Any]]:
        """The dashboard of each listing of a pass."""
        volatilities = self._volatilities.of_all(list(dict.fromkeys(heads.symbol)), valued)
        figures = {symbol: self._figures(symbol, told) for symbol, told in volatilities.items()}
        return dump_dashboards(build_dashboards(valued, heads, [figures[symbol] for symbol in heads.symbol]))

    def _figures(self, symbol: str, volatility: UnderlyingVolatility) -> UnderlyingFigures:
        return UnderlyingFigures(
            self.market.change_percent(symbol),
            volatility,
            self._past_levels(symbol).rank(volatility.near_month),
        )

    def _past_levels(self, symbol: str) -> PastLevels:
        history = self.iv_history(symbol)
        known = self._levels.get(symbol)
        if known is None or known[0] is not history:
            known = self._levels[symbol] = history, PastLevels(history)
        return known[1]
