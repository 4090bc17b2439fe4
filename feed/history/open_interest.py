"""Open interest through time, strike by strike, out of recorded chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from feed.history.store.stored_chain import StoredChain
from feed.market.candles import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class OpenInterestSeries:
    """Open interest of some strikes minute by minute: each of ``calls``, ``puts`` and their changes (t, n).

    A change is counted from the close of the previous trading day. NaN where a strike was not listed.
    """

    minute_ms: IntArray
    strikes: FloatArray
    calls: FloatArray
    puts: FloatArray
    call_changes: FloatArray
    put_changes: FloatArray


def open_interest_series(chains: Sequence[StoredChain], strikes: FloatArray) -> OpenInterestSeries:
    """The series of some strikes out of the records of a chain, minute by minute."""
    times = np.concatenate([chain.minute_ms for chain in chains] or [np.empty(0, np.int64)])
    values = np.full((4, len(times), len(strikes)), np.nan)
    first = 0
    for chain in chains:
        rows = slice(first, first + len(chain.minute_ms))
        first = rows.stop
        _, source, target = np.intersect1d(chain.strikes, strikes, assume_unique=True, return_indices=True)
        now, before = chain.fields["open_interest"], chain.fields["previous_open_interest"]
        for side in (0, 1):
            columns = source + side * len(chain.strikes)
            values[side, rows][:, target] = now[:, columns]
            values[2 + side, rows][:, target] = (now - before)[:, columns]
    return OpenInterestSeries(times, strikes, *values)
