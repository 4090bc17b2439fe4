"""How often the streams of each listing are told, once all of them together take longer than a cycle has.

What many watch is told at every cycle for longest; what few watch is told more rarely, and then all that it
missed in one delta. The clock is not looked at here: how long a cycle took is an argument.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

TOO_LONG = 0.9  # of the interval between two cycles
EASY = 0.4  # so little that twice as much would still be easy enough
WORSE_AFTER = 3  # cycles in a row: one long cycle is a hiccup of the machine
BETTER_AFTER = 20
GROUPS = 4  # of the listings, by how many watch them
MOST_REDUCED = 6
LONGEST_STRIDE = 16


class Pacing:
    """Reduces the rate of the least watched listings while cycles take too long.

    At ``level`` 1 the quarter that fewest watch is told at every second cycle; at each further level every
    quarter so reduced is told half as often, and the next quarter is reduced too.
    """

    def __init__(self, interval_s: float) -> None:
        self.level = 0
        self.reduced = 0  # listings that were told more rarely in the last cycle
        self._watched = 0
        self._interval_s = interval_s
        self._long = self._easy = 0

    def note(self, took_s: float) -> None:
        """Take note of how long a cycle took."""
        share = took_s / self._interval_s
        self._long = self._long + 1 if share > TOO_LONG else 0
        self._easy = self._easy + 1 if share < EASY else 0
        if self._long >= WORSE_AFTER:
            self._change(+1)
        elif self._easy >= BETTER_AFTER:
            self._change(-1)

    def _change(self, by: int) -> None:
        self.level = min(max(self.level + by, 0), MOST_REDUCED)
        self._long = self._easy = 0

    def strides(self, watched: Iterable[tuple[Any, int]]) -> Mapping[Any, int]:
        """Of the listings that are told more rarely: every so many cycles.

        ``watched`` are listings, as often as they have streams, each with how many follow it.
        """
        self.reduced = 0
        if not self.level:
            return {}
        counts: Counter[Any] = Counter()
        for listing, watchers in watched:
            counts[listing] += watchers
        found = {}
        for place, (listing, _) in enumerate(reversed(counts.most_common())):
            power = self.level - place * GROUPS // len(counts)
            if power > 0:
                found[listing] = min(2**power, LONGEST_STRIDE)
        self.reduced, self._watched = len(found), len(counts)
        return found

    @property
    def reason(self) -> str:
        """Why something is told more rarely, and how much of it, in a sentence."""
        return (
            f"Publishing all that is watched takes longer than the {self._interval_s * 1000:.0f} ms there "
            f"are: the least watched chains, {self.reduced} of {self._watched}, are told more rarely."
        )
