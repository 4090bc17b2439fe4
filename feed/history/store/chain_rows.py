"""Rows of chain records as chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Row

from feed.history.store.chains import decode_records
from feed.history.store.stored_chain import StoredChain
from feed.market.candles import IntArray

ChainRow = Row[Any]
ChainKey = tuple[str, date]


def chain_runs(
    key: ChainKey,
    rows: Sequence[ChainRow],
    lists: Mapping[int, ChainRow],
    start_ms: int,
    strikes: Sequence[float] | None = None,
) -> list[StoredChain]:
    """Rows in order of group and minute as chains, one for each run of the same list of strikes."""
    if not rows:
        return []
    edges = [i for i, row in enumerate(rows) if i == 0 or row.listing_id != rows[i - 1].listing_id]
    found = []
    for first, stop in zip(edges, [*edges[1:], len(rows)], strict=True):
        run = _run(key, rows[first:stop], lists[rows[first].listing_id], start_ms, strikes)
        if run is not None:
            found.append(run)
    return found


def _run(
    key: ChainKey,
    rows: Sequence[ChainRow],
    listing: ChainRow,
    start_ms: int,
    strikes: Sequence[float] | None,
) -> StoredChain | None:
    key_ms, minute_ms = _integers(rows, "key_ms"), _integers(rows, "minute_ms")
    # groups that begin before the first row read are not wanted and cannot be decoded
    is_key = key_ms == minute_ms
    whole = np.isin(key_ms, key_ms[is_key])
    if not whole.any() or minute_ms[whole].max() < start_ms:
        return None
    listed = np.frombuffer(listing.strikes, "<f8")
    place = np.arange(len(listed)) if strikes is None else np.flatnonzero(np.isin(listed, strikes))
    columns = np.concatenate((place, place + len(listed)))
    records = [row.record for row, is_whole in zip(rows, whole.tolist(), strict=True) if is_whole]
    inside = np.flatnonzero(minute_ms[whole] >= start_ms)
    order = inside[np.argsort(minute_ms[whole][inside], kind="stable")]
    fields = decode_records(records, is_key[whole].tolist(), 2 * len(listed), columns, order)
    return StoredChain(
        symbol=key[0],
        expiry=key[1],
        kind=listing.kind,
        expires_at_ms=listing.expires_at_ms,
        lot_size=listing.lot_size,
        strikes=listed[place],
        tokens=np.frombuffer(listing.tokens, "<i8")[columns],
        minute_ms=minute_ms[whole][order],
        as_of_ms=_integers(rows, "as_of_ms")[whole][order],
        source=_integers(rows, "source")[whole][order],
        spot=np.array([row.spot for row in rows], np.float64)[whole][order],
        forward=np.array([row.forward for row in rows], np.float64)[whole][order],
        fields=fields,
    )


def _integers(rows: Sequence[ChainRow], name: str) -> IntArray:
    return np.array([getattr(row, name) for row in rows], np.int64)
