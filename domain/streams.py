"""The names of streams, such as ``chain:NIFTY:2026-12-01``: made, printed and parsed here alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.intervals import INTERVAL_ALIASES, Interval


class StreamKind(StrEnum):
    """What a stream tells of."""

    SYMBOL = "symbol"
    CHAIN = "chain"
    DASHBOARD = "dashboard"
    CANDLES = "candles"
    DAYS = "ohlc"  # for the SMD front end alone: see handlers.compat.smd


# what a client may name, and what figures are kept of
STREAM_KINDS = (StreamKind.SYMBOL, StreamKind.CHAIN, StreamKind.DASHBOARD, StreamKind.CANDLES)


@dataclass(frozen=True, slots=True)
class StreamName:
    """A kind and a symbol; of a chain or a dashboard the expiry, of candles the interval."""

    kind: StreamKind
    symbol: str
    expiry: date | None = None
    interval: Interval | None = None

    def __str__(self) -> str:
        detail = self.expiry or self.interval
        return f"{self.kind}:{self.symbol}" if detail is None else f"{self.kind}:{self.symbol}:{detail}"

    @classmethod
    def quote(cls, symbol: str) -> StreamName:
        """The quotes of a symbol."""
        return cls(StreamKind.SYMBOL, symbol)

    @classmethod
    def chain(cls, symbol: str, expiry: date) -> StreamName:
        """The option chain of an expiry."""
        return cls(StreamKind.CHAIN, symbol, expiry)

    @classmethod
    def dashboard(cls, symbol: str, expiry: date) -> StreamName:
        """The figures of an expiry."""
        return cls(StreamKind.DASHBOARD, symbol, expiry)

    @classmethod
    def candles(cls, symbol: str, interval: Interval) -> StreamName:
        """The forming candle of a symbol."""
        return cls(StreamKind.CANDLES, symbol, interval=interval)

    @classmethod
    def parse(cls, text: str) -> StreamName:
        """The name that a text is. Raises ValueError with the rule and the text."""
        kind, _, rest = text.partition(":")
        symbol, has_detail, detail = rest.partition(":")
        try:
            if not symbol or bool(has_detail) == (kind in (StreamKind.SYMBOL, StreamKind.DAYS)):
                raise ValueError
            match StreamKind(kind):
                case StreamKind.SYMBOL | StreamKind.DAYS as of_a_symbol:
                    return cls(of_a_symbol, symbol)
                case StreamKind.CANDLES:
                    return cls.candles(symbol, Interval(INTERVAL_ALIASES.get(detail, detail)))
                case of_an_expiry:
                    return cls(of_an_expiry, symbol, date.fromisoformat(detail))
        except ValueError:
            raise ValueError(f"must be a stream such as symbol:NIFTY, was {text[:60]!r}") from None

    def at(self, expiry: date) -> StreamName:
        """The stream of the same kind and symbol at another expiry."""
        return StreamName(self.kind, self.symbol, expiry)
