"""One record a minute of a listed chain: what is in it, and how little room it takes.

A record is a table of whole numbers, one column a contract. Its first rows tell of the minute itself (whether
anything was published, and the minute's prices as distances from the last one, mostly 0); the others are the
state at its end as the difference to the record before. The first of a group of records, at most ``GROUP_MS``
apart, tells the whole state; ``key_ms`` of each record is the minute of that first one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from feed.history.store.codec import UNKNOWN, Damaged, FloatArray, IntArray, decode, encode, pack, unpack
from feed.market.forming import ClosedMinute
from feed.market.universe import Universe

GROUP_MS = 16 * 60_000  # a past chain is at most this many records to read

_TOUCHED, _OPEN, _HIGH, _LOW, _CLOSE, _GROWTH = range(6)
_WITHIN = {"open": _OPEN, "high": _HIGH, "low": _LOW, "close": _CLOSE}
_STATE_SCALES = {
    "last_price": 100,
    "bid": 100,
    "ask": 100,  # stored as the distance from the bid
    "day_volume": 100,  # stored without what the minute added
    "open_interest": 100,  # half a lot is real: contracts listed under an older lot size
    "implied_volatility": 10_000,
    "day_open": 100,
    "day_high": 100,
    "day_low": 100,
    "previous_close": 100,
    "previous_open_interest": 100,
}
_FIRST_STATE = 6
_ROWS = {name: _FIRST_STATE + row for row, name in enumerate(_STATE_SCALES)}
_COUNT = _FIRST_STATE + len(_STATE_SCALES)
_LAST, _BID, _ASK, _VOLUME = (_ROWS[name] for name in ("last_price", "bid", "ask", "day_volume"))
_STATE = slice(_FIRST_STATE, _COUNT)

RECORD_FIELDS = (*_WITHIN, "volume", *_STATE_SCALES)


class ChainEncoder:
    """Records of the chains of a universe, minute after minute; it remembers the state before."""

    def __init__(self) -> None:
        self._universe: Universe | None = None
        self._before: IntArray = np.empty((len(_STATE_SCALES), 0), np.int64)
        self._key_ms: IntArray = np.empty(0, np.int64)

    def reset(self) -> None:
        """Begin new groups, because what was encoded last was not kept."""
        self._universe = None

    def encode(
        self,
        minute: ClosedMinute,
        implied_volatility: FloatArray | None,
        recorded: Collection[int] = (),
    ) -> Iterator[tuple[int, int, bytes]]:
        """For each listing in which anything changed: its row, ``key_ms`` and record.

        ``recorded`` : rows of listings that have a record of this minute already.
        """
        universe = minute.universe
        if universe is not self._universe:
            self._relist(universe)
        codes = _codes(minute, implied_volatility)
        # earlier than the group begins: the clock was set back
        is_new = (minute.start_ms - self._key_ms >= GROUP_MS) | (minute.start_ms < self._key_ms)
        before = np.where(is_new[universe.listing_row], 0, self._before)
        changed = np.any(codes[_STATE] != self._before, axis=0) | (codes[_TOUCHED] != 0)
        active = np.logical_or.reduceat(changed, universe.listing_starts)
        if minute.listing_rows is not None:
            chosen = np.zeros(len(active), bool)
            chosen[minute.listing_rows] = True
            active &= chosen
        active[list(recorded)] = False
        columns = active[universe.listing_row]
        self._key_ms[active & is_new] = minute.start_ms
        table = codes.copy()
        table[_STATE] -= before
        table[_VOLUME] -= codes[_GROWTH]
        self._before = np.where(columns, codes[_STATE], self._before)
        for row in np.flatnonzero(active).tolist():
            yield row, int(self._key_ms[row]), pack(table[:, universe.listings[row].rows])

    def _relist(self, universe: Universe) -> None:
        old = self._universe
        before = np.full((len(_STATE_SCALES), universe.contract_count), UNKNOWN, np.int64)
        before[_ASK - _FIRST_STATE] = 0
        key_ms = np.full(len(universe.listings), -GROUP_MS, np.int64)
        for listing in universe.listings:
            known = old.find(listing.key) if old else None
            if known is not None and np.array_equal(known.strikes, listing.strikes):
                before[:, listing.rows] = self._before[:, known.rows]
                key_ms[listing.row] = self._key_ms[known.row]
        self._universe, self._before, self._key_ms = universe, before, key_ms


def _codes(minute: ClosedMinute, implied_volatility: FloatArray | None) -> IntArray:
    """A minute as whole numbers: (rows of a record, contracts)."""
    bars, count = minute.contracts, minute.universe.contract_count
    codes = np.zeros((_COUNT, count), np.int64)
    values = {
        "day_volume": minute.day_volume,
        "implied_volatility": np.full(count, np.nan) if implied_volatility is None else implied_volatility,
        "day_open": minute.state["open"],
        "day_high": minute.state["high"],
        "day_low": minute.state["low"],
    }
    for name, scale in _STATE_SCALES.items():
        codes[_ROWS[name]] = encode(values[name] if name in values else minute.state[name], scale)
    touched = bars.touched
    last = codes[_LAST]
    for name, row in _WITHIN.items():
        codes[row] = np.where(touched, encode(getattr(bars, name), 100) - last, 0)
    codes[_TOUCHED] = touched
    codes[_GROWTH] = np.where(np.isnan(bars.volume), 0, encode(bars.volume, 100))
    codes[_ASK] -= codes[_BID]
    return codes


def decode_records(
    records: Sequence[bytes],
    is_key: Sequence[bool],
    contract_count: int,
    columns: NDArray[np.intp] | None = None,
    wanted: NDArray[np.intp] | slice = slice(None),
) -> dict[str, FloatArray]:
    """Consecutive records of one listing as ``RECORD_FIELDS``, each (records, contracts or ``columns``).

    ``wanted`` are the places of the records that are told, all without it; they rest on those before them.
    The first record must be the first of its group. Prices of the minute are NaN where nothing was
    published in it. Raises Damaged.
    """
    table = np.stack([unpack(record, (_COUNT, contract_count), columns) for record in records])
    if not is_key[0]:
        raise Damaged("a group of chain records has lost its first")
    table[:, _VOLUME] += table[:, _GROWTH]
    keys = np.flatnonzero(is_key)
    for first, stop in zip(keys, np.append(keys[1:], len(records)), strict=True):
        np.cumsum(table[first:stop, _STATE], axis=0, out=table[first:stop, _STATE])
    table = table[wanted]
    table[:, _ASK] += table[:, _BID]
    fields = {name: decode(table[:, _ROWS[name]], scale) for name, scale in _STATE_SCALES.items()}
    touched = table[:, _TOUCHED] != 0
    for name, row in _WITHIN.items():
        fields[name] = np.where(touched, (table[:, _LAST] + table[:, row]) / 100, np.nan)
    unknown = table[:, _VOLUME] == UNKNOWN
    fields["volume"] = np.where(unknown, np.nan, table[:, _GROWTH] / 100)
    return fields
