"""When a snapshot was taken and of which expiry, where its rows do not tell: by its file's name or age."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from feed.recordings.documents import Document
from feed.recordings.listing import Lister
from feed.recordings.text import Order, iso, local_day, local_ms, parse_day, settle_order

_DAY_IN_NAME = re.compile(
    r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{8}|\d{1,2}-?[A-Za-z]{3}-?\d{4})(?:[_-](\d{2})(\d{2}))?(?!\d)"
)
_LONGEST_DAYS = 400  # to an expiry; one beyond that was not listed when the file was saved


@dataclass(frozen=True, slots=True)
class SnapshotTime:
    """What a file tells of its snapshot beside its rows; what cannot be told is a ValueError with a sentence.

    ``at_ms`` : the instant as the caller orders it. ``note`` : takes a sentence on what was assumed.
    """

    document: Document
    lister: Lister
    at_ms: int | None
    note: Callable[[str], None]

    def in_name(self, symbol: str) -> int:
        """The date in the name with the time after it, else with the market's close: ms since 1970 UTC."""
        if self.at_ms is not None:
            return self.at_ms
        found = self._day_in_name()
        if found is None:
            raise ValueError(
                "a one-snapshot CSV does not hold its date, so its name must, as in chain_20260807.csv; "
                "--at tells it too"
            )
        try:
            day = parse_day(found[1])
            return local_ms(day, int(found[2]), int(found[3])) if found[2] else self._close_ms(symbol, day)
        except ValueError as problem:
            raise ValueError(f"its name holds no valid date or time ({problem})") from problem

    def expiry_in_name(self) -> date:
        """The expiry of all rows."""
        found = self._day_in_name()
        if found is None:
            raise ValueError("its rows do not tell the expiry, so its name must, as in NIFTY_2026-03-10.json")
        return parse_day(found[1], "day-first")

    def answered(self, symbol: str, expiries: set[date]) -> int:
        """When a broker answered: as the name tells, unless that is an expiry, or when it was saved."""
        found = self._day_in_name()
        if found is not None and (found[2] or parse_day(found[1]) not in expiries):
            return self.in_name(symbol)
        return self.saved(symbol, min(expiries))

    def saved(self, symbol: str, expiry: date) -> int:
        """When a download was made, which only the file's own time tells; always before its chain expired."""
        if self.at_ms is not None:
            return self.at_ms
        saved_ms = int(self.document.path.stat().st_mtime * 1000)
        days = (expiry - local_day(saved_ms)).days
        if saved_ms < self._close_ms(symbol, expiry) and days < _LONGEST_DAYS:
            time_ms = self.lister.within_session(symbol, saved_ms)
            why = "when the file was saved"
        else:
            time_ms = self._close_ms(symbol, self.lister.session_before(symbol, expiry))
            why = "the last close before its chain expired, for the file was saved later"
        self.note(f"it does not tell when it was taken: {iso(time_ms)} is {why}; --at says it")
        return time_ms

    def _day_in_name(self) -> re.Match[str] | None:
        return _DAY_IN_NAME.search(self.document.name)

    def _close_ms(self, symbol: str, day: date) -> int:
        return self.lister.closing_ms(symbol, day)


def days_of(texts: Iterable[str], order: Order | None) -> set[date]:
    """The days among the cells of a column. Raises ValueError where there is none, or none can be read."""
    texts = list(texts)
    order = settle_order(texts, order)
    days, refused = set(), "it has no row"
    for text in texts:
        try:
            days.add(parse_day(text, order))
        except ValueError as problem:
            refused = str(problem)
    if not days:
        raise ValueError(refused)
    return days
