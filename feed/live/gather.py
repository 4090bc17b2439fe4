"""What arrived since the last cycle, as one update: the latest of each row, whatever the rate of ticks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feed.live.broker import TICK_FIELDS, Ticks
from feed.live.reconcile import TokenTable
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, FloatArray, StaleLimits, Update

NEVER_MS = -1
_COUNTED = ("volume", "open_interest", "previous_open_interest")
_SIZES = ("bid_quantity", "ask_quantity")


class Gather:
    """The latest of each row of a table; bounded by the universe, for nothing is queued."""

    def __init__(self, table: TokenTable) -> None:
        self.table = table
        self.times_ms = np.full(len(table.tokens), NEVER_MS)
        self.dropped = 0  # ticks of what nobody follows
        self.odd_lots = 0  # counts that are no multiple of the lot: a sign of a wrong one
        self.values = {name: np.full(len(table.tokens), np.nan) for name in TICK_FIELDS}
        self._dirty = np.zeros(len(table.tokens), bool)

    def take(self, ticks: Ticks, now_ms: int) -> None:
        """Write what arrived at an instant; what a tick does not tell stays as it was."""
        rows, known = self.table.find(ticks.tokens)
        self.dropped += int(np.count_nonzero(~known))
        rows = rows[known]
        for name, values in ticks.fields.items():
            told = values[known]
            if name in _COUNTED:
                told = told / self.table.units[rows]
                self.odd_lots += int(
                    np.count_nonzero(told != np.rint(told)) - np.count_nonzero(np.isnan(told))
                )
            elif name in _SIZES:
                told = told * self.table.sizes[rows]
            is_told = ~np.isnan(told)
            self.values[name][rows[is_told]] = told[is_told]
        self.times_ms[rows] = now_ms
        self._dirty[rows] = True

    def know_previous_open_interest(self, lots: FloatArray) -> None:
        """Write what others than the broker know: (contracts,) in lots, NaN where nothing is known."""
        first = len(self.table.universe.underlyings)
        known = ~np.isnan(lots)
        values = self.values["previous_open_interest"][first:]
        values[known] = lots[known]

    def carried_to(self, table: TokenTable) -> Gather:
        """The same over another table: what is known of a token goes with it, and all of it is to be told."""
        made = Gather(table)
        rows, known = self.table.find(table.tokens)
        for name, values in self.values.items():
            made.values[name][known] = values[rows[known]]
        made.times_ms[known] = self.times_ms[rows[known]]
        made._dirty = made.times_ms != NEVER_MS
        return made

    def drain(
        self,
        heard_ms: NDArray[np.int64] | None = None,
        limits: StaleLimits | None = None,
        *,
        relist: bool = False,
    ) -> Update | None:
        """One update of the rows that something arrived of since the last; None where nothing did."""
        dirty = np.flatnonzero(self._dirty)
        if not len(dirty) and not relist and limits is None:
            return None
        self._dirty[dirty] = False
        count = len(self.table.universe.underlyings)
        spots, contracts = dirty[dirty < count], dirty[dirty >= count]
        newest_ms = int((self.times_ms[dirty] if len(dirty) else self.times_ms).max(initial=NEVER_MS))
        return Update(
            newest_ms,
            {name: self.values[name][spots] for name in UNDERLYING_FIELDS} if len(spots) else {},
            {name: self.values[name][contracts] for name in CONTRACT_FIELDS} if len(contracts) else {},
            underlying_rows=spots if len(spots) else None,
            contract_rows=contracts - count if len(contracts) else None,
            universe=self.table.universe if relist else None,
            underlying_times_ms=self.times_ms[spots] if len(spots) else None,
            contract_times_ms=self.times_ms[contracts] if len(contracts) else None,
            heard_ms=heard_ms,
            limits=limits,
        )
