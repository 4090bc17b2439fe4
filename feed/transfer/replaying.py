"""A recorded span of our own store as frames, so that it can be replayed like any other recording."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from domain.instants import MINUTE_MS
from feed.history.store.problems import HistoryError
from feed.history.store.reader import Reader
from feed.history.store.stored_chain import StoredChain
from feed.market.source import CONTRACT_FIELDS, FloatArray
from feed.recordings.frames import ChainKey, Frame, RecordedChain, Recording


def recorded_day(reader: Reader, start_ms: int, end_ms: int, symbols: Sequence[str]) -> Recording:
    """One frame for each recorded minute in [start, end), at the time of its newest input.

    ``symbols`` are to be few: a minute of all chains is some megabytes. Raises HistoryError where
    nothing is recorded of them.
    """
    spots: dict[int, dict[str, float]] = {}
    chains: dict[int, dict[ChainKey, RecordedChain]] = {}
    as_of: dict[int, int] = {}
    for symbol in symbols:
        for chain in reader.chains_of(symbol, start_ms, end_ms):
            _add(chain, spots, chains, as_of)
        candles = reader.minutes(symbol, start_ms, end_ms)
        for time_ms, close in zip(candles.time_ms.tolist(), candles.close.tolist(), strict=True):
            spots.setdefault(time_ms, {})[symbol] = close
    if not chains:
        raise HistoryError(f"Nothing is recorded of {', '.join(symbols)} in that span.")
    minutes = sorted(spots.keys() | chains.keys())
    return Recording(
        tuple(
            Frame(as_of.get(minute, minute + MINUTE_MS - 1), spots.get(minute, {}), chains.get(minute, {}))
            for minute in minutes
        )
    )


def _add(
    chain: StoredChain,
    spots: dict[int, dict[str, float]],
    chains: dict[int, dict[ChainKey, RecordedChain]],
    as_of: dict[int, int],
) -> None:
    key: tuple[str, date] = (chain.symbol, chain.expiry)
    for row, minute in enumerate(chain.minute_ms.tolist()):
        legs = chain.legs(row)
        values: FloatArray = np.stack([legs[name] for name in CONTRACT_FIELDS])
        chains.setdefault(minute, {})[key] = RecordedChain(chain.strikes, values, float(chain.forward[row]))
        as_of[minute] = max(as_of.get(minute, 0), int(chain.as_of_ms[row]))
        spot = float(chain.spot[row])
        if spot == spot:
            spots.setdefault(minute, {})[chain.symbol] = spot
