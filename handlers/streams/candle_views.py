"""The forming candle as a stream."""

from __future__ import annotations

from typing import Any

from domain.intervals import Interval
from domain.streams import StreamName
from feed.history.history import History
from feed.market.candles import Candle, ClosedCandle
from feed.market.clock import Clock
from feed.market.market import Market
from handlers.streams.state import WholeStream
from schemas.chains import dump_provenance
from schemas.reference import CandleSchema

_candle = CandleSchema()


class CandleViews:
    """Streams ``candles:NIFTY:1m``, made when somebody asks."""

    def __init__(self, market: Market, history: History, clock: Clock) -> None:
        self._market = market
        self._history = history
        self._clock = clock
        self._streams: dict[tuple[str, Interval], WholeStream] = {}

    def stream(self, symbol: str, interval: Interval) -> WholeStream:
        """The stream of a symbol's forming candle, up to date."""
        stream = self._streams.get((symbol, interval))
        if stream is None:
            stream = self._streams[symbol, interval] = WholeStream(
                StreamName.candles(symbol, interval),
                self._market,
                {"symbol": symbol, "interval": interval},
                lambda: (self._market.epoch, self._market.symbol_seq(symbol)),
                lambda: self._forming(symbol, interval),
            )
        stream.refresh()
        return stream

    async def ready(self, symbol: str) -> None:
        """Wait for the past of a symbol: nobody gets a candle before its history."""
        await self._history.answers.ready(symbol)

    def find(self, symbol: str, interval: Interval) -> WholeStream | None:
        """The stream, if anybody ever asked for it."""
        return self._streams.get((symbol, interval))

    def closed(self, item: ClosedCandle) -> dict[str, Any]:
        """The last update of a candle."""
        return self._payload(item.symbol, item.interval, item.candle, True)

    def _forming(self, symbol: str, interval: Interval) -> dict[str, Any]:
        candle = self._history.answers.forming(symbol, interval, self._clock.now_ms())
        return self._payload(symbol, interval, candle, False)

    def _payload(
        self, symbol: str, interval: Interval, candle: Candle | None, closed: bool
    ) -> dict[str, Any]:
        names = ("date", "open", "high", "low", "close", "volume", "oi")
        values = (
            dict.fromkeys(names)
            if candle is None
            else _candle.dump(
                {
                    "date": candle.time_ms,
                    "open": candle.open,
                    "high": candle.high,
                    "low": candle.low,
                    "close": candle.close,
                    "volume": candle.volume,
                    "oi": candle.open_interest,
                }
            )
        )
        provenance = dump_provenance(self._market.quote(symbol).provenance)
        return {"symbol": symbol, "interval": interval, "closed": closed, **values, **provenance}
