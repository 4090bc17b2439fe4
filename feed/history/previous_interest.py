"""With what open interest contracts ended the trading day before: out of what was recorded then."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np

from domain.instants import day_in_india, to_ms
from feed.history.store.reader import Reader
from feed.history.store.stored_chain import StoredChain
from feed.market.source import FloatArray
from feed.market.universe import Listing, Universe
from feed.reference.calendar import Calendar

MOST_SILENT_MINUTES = 30  # of trading: what was recorded earlier before a close is not how the day ended


class PreviousInterest:
    """Reads one store; it waits for the disk, so a thread beside the loop should call it."""

    def __init__(self, reader: Reader, calendar: Calendar) -> None:
        self._reader = reader
        self._calendar = calendar

    def __call__(self, universe: Universe, at: datetime) -> FloatArray:
        """(contracts,) in lots, NaN where nothing was recorded near the close. Raises HistoryError."""
        found = np.full(universe.contract_count, np.nan)
        for listing in universe.listings:
            exchange = universe.underlyings[listing.underlying_row].derivatives_exchange
            stored = self._at_close(listing, exchange, day_in_india(at))
            if stored is not None:
                found[listing.rows] = _interest(stored, listing)
        return found

    def _at_close(self, listing: Listing, exchange: str, today: date) -> StoredChain | None:
        """How a chain ended the trading day before today, or before the last one if today is none."""
        calendar = self._calendar
        latest = today if calendar.is_session(exchange, today) else calendar.previous_session(exchange, today)
        session = calendar.session(exchange, calendar.previous_session(exchange, latest))
        if session is None:
            return None
        stored = self._reader.chain_at(*listing.key, to_ms(session.close))
        if stored is None:
            return None
        as_of = datetime.fromtimestamp(int(stored.as_of_ms[-1]) / 1000, session.close.tzinfo)
        silent = calendar.trading_minutes(exchange, as_of, session.close)
        return stored if silent <= MOST_SILENT_MINUTES else None


def _interest(stored: StoredChain, listing: Listing) -> FloatArray:
    """(2 strikes,) of a listing, by strike: a list may have changed overnight."""
    values = np.full((2, len(listing.strikes)), np.nan)
    _, source, target = np.intersect1d(
        stored.strikes, listing.strikes, assume_unique=True, return_indices=True
    )
    values[:, target] = stored.legs()["open_interest"][:, source]
    return values.ravel()
