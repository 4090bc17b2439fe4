"""What a recording lists: its underlyings, its expiries and their strikes, as a universe."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from domain.instants import to_datetime, to_ms
from domain.instruments import Kind, OptionType
from feed.market.source import FloatArray
from feed.market.universe import Universe
from feed.recordings.frames import ChainKey, Frame
from feed.recordings.text import local_day
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, Expiry, Underlying, UnknownContract

DEFAULT_EXCHANGE = "NFO"  # of an underlying that the catalogue does not know
DEFAULT_TICK_SIZE = 0.05
# before it the catalogue answers with its oldest lot, which need not have been that day's
LOTS_KNOWN_FROM = date(2024, 4, 26)
MONTH_END_DAYS = 7  # the last expiry of a month lies in its last week, holidays moved it forward by a day

Chain = tuple[str, Expiry, FloatArray, NDArray[np.int64]]


class Lister:
    """Names underlyings and contracts by the catalogue, and what it does not know by the recording."""

    def __init__(self, catalogue: Catalogue, calendar: Calendar) -> None:
        self._catalogue = catalogue
        self._calendar = calendar

    def session_before(self, symbol: str, day: date) -> date:
        """The last session of a symbol's options before a day."""
        return self._calendar.previous_session(self._exchange(symbol), day)

    def day_end_ms(self, symbol: str, day: date) -> int:
        """The close of a day that the exchange has a file of, be it a session the calendar knows or not."""
        session = self._calendar.session(self._exchange(symbol), day)
        return to_ms(
            self._calendar.expiry_instant(self._exchange(symbol), day) if session is None else session.close
        )

    def within_session(self, symbol: str, at_ms: int) -> int:
        """An instant, or the close of the last session where it lies after it."""
        day = local_day(at_ms)
        session = self._calendar.session(self._exchange(symbol), day)
        if session is not None and at_ms < to_ms(session.open):
            day = self.session_before(symbol, day)
        return min(at_ms, self.closing_ms(symbol, day))

    def closing_ms(self, symbol: str, day: date) -> int:
        """The close of the last session of a symbol's options on or before a day."""
        exchange = self._exchange(symbol)
        session = self._calendar.session(exchange, day)
        if session is None:
            previous = self._calendar.previous_session(exchange, day)
            session = self._calendar.session(exchange, previous)
        if session is None:
            raise ValueError(f"a snapshot must have a session on or before it, {day} has none")
        return to_ms(session.close)

    def universe(self, symbols: Iterable[str], frames: Sequence[Frame]) -> Universe:
        """Those underlyings, with every expiry and strike that the frames of one day speak of."""
        strikes = _recorded_strikes(frames)
        return Universe(
            [self._underlying(symbol, strikes) for symbol in symbols],
            self._chains(strikes, frames),
        )

    def _chains(self, strikes: Mapping[ChainKey, FloatArray], frames: Sequence[Frame]) -> Iterator[Chain]:
        at_ms = frames[0].time_ms
        lots = {
            key: chain.lot_size for frame in frames for key, chain in frame.chains.items() if chain.lot_size
        }
        for symbol in sorted({symbol for symbol, _ in strikes}):
            days = sorted(day for other, day in strikes if other == symbol)
            kinds = self._kinds(symbol, days, at_ms)
            for day in days:
                expires_at = self._calendar.expiry_instant(self._exchange(symbol), day)
                lot_size = lots.get((symbol, day)) or self.lot_size(symbol, day, local_day(at_ms))
                expiry = Expiry(day, kinds[day], expires_at, lot_size)
                yield symbol, expiry, strikes[symbol, day], self._tokens(symbol, day, strikes[symbol, day])

    def _exchange(self, symbol: str) -> str:
        if symbol in self._catalogue:
            return self._catalogue[symbol].derivatives_exchange
        return DEFAULT_EXCHANGE

    def _underlying(self, symbol: str, strikes: Mapping[ChainKey, FloatArray]) -> Underlying:
        """The catalogue's entry, or one that says what can be known: that it trades, and its strikes."""
        if symbol in self._catalogue:
            return self._catalogue[symbol]
        gaps = [np.diff(own) for (other, _), own in strikes.items() if other == symbol]
        gap = np.concatenate(gaps).min(initial=np.inf) if gaps else np.inf
        return Underlying(
            symbol=symbol,
            name=symbol,
            kind=Kind.STOCK,
            exchange="NSE",
            derivatives_exchange=DEFAULT_EXCHANGE,
            sector="",
            spot_tick_size=DEFAULT_TICK_SIZE,
            tick_size=DEFAULT_TICK_SIZE,
            strike_step=float(gap) if np.isfinite(gap) else DEFAULT_TICK_SIZE,
            reference_price=np.nan,
            annual_volatility=np.nan,
            token=_token_of_name(symbol),
        )

    def lot_size(self, symbol: str, expiry: date, on: date) -> int | None:
        """The lot in force, None where the recording is older than what the catalogue knows."""
        if symbol not in self._catalogue or on < LOTS_KNOWN_FROM:
            return None
        return self._catalogue.lot_size(symbol, expiry, on)

    def _kinds(self, symbol: str, days: Collection[date], at_ms: int) -> dict[date, str]:
        """The kind of each recorded expiry by the catalogue's ladder of that instant.

        A day that the ladder lacks (its rules or holidays are not known so far back) is a month's
        contract where it is the last of its month, else a weekly.
        """
        known = symbol in self._catalogue
        ladder = self._catalogue.expiries(symbol, to_datetime(at_ms)) if known else ()
        kinds = {expiry.day: expiry.kind for expiry in ladder}
        of_month = {(day.year, day.month): kind for day, kind in kinds.items() if kind != "weekly"}
        return {
            day: kinds.get(day)
            or (of_month.get((day.year, day.month), "monthly") if _ends_month(day, days) else "weekly")
            for day in days
        }

    def _tokens(self, symbol: str, day: date, strikes: FloatArray) -> NDArray[np.int64]:
        """Tokens of the calls, then of the puts: (2 n,)."""
        if symbol in self._catalogue:
            is_call = np.repeat([True, False], len(strikes))
            try:
                return self._catalogue.contract_tokens(symbol, day, np.tile(strikes, 2), is_call)
            except UnknownContract:
                pass  # an old strike between two steps of today's grid, which has no token there
        names = (f"{symbol} {day} {strike} {side}" for side in OptionType for strike in strikes.tolist())
        return np.array([_token_of_name(name) for name in names], np.int64)


def _recorded_strikes(frames: Iterable[Frame]) -> dict[ChainKey, FloatArray]:
    gathered: dict[ChainKey, set[float]] = {}
    for frame in frames:
        for key, chain in frame.chains.items():
            gathered.setdefault(key, set()).update(chain.strikes.tolist())
    return {key: np.array(sorted(strikes)) for key, strikes in gathered.items()}


def _ends_month(day: date, days: Collection[date]) -> bool:
    _, length = monthrange(day.year, day.month)
    later = any((other.year, other.month) == (day.year, day.month) and other > day for other in days)
    return not later and length - day.day <= MONTH_END_DAYS


def _token_of_name(name: str) -> int:
    """A token that no catalogue gives (its segment, the low byte, is 0), the same in every run.

    40 bits of a hash: JavaScript still counts them exactly, and 12,000 contracts meet with 1 in 10,000.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=5).digest(), "big") * 256
