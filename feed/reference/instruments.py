"""Underlyings and their contracts: what is listed at an instant, under which name, token and lot.

Nothing here reads a clock: the instant is always an argument.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from domain.instants import IST, day_in_india
from domain.instruments import ExpiryKind, Kind, OptionType
from feed.reference.calendar import Calendar
from feed.reference.contracts import Month
from feed.reference.corporate_actions import corporate_actions
from feed.reference.data.contract_rules import ContractsError as ContractsError
from feed.reference.data.contract_rules import read_contract_rules
from feed.reference.data.underlyings import SEGMENTS, UnderlyingRow, read_underlyings
from feed.reference.data.underlyings import Underlying as Underlying
from feed.reference.identity import known_as

UNDERLYINGS_PATH = Path(__file__).parent / "data" / "underlyings.csv"
CONTRACTS_PATH = Path(__file__).parent / "data" / "contracts.toml"

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_MONTH_CODES = "123456789OND"
_NAME_TAIL = re.compile(
    rf"([0-9][0-9])(?:({'|'.join(_MONTH_NAMES)})|([{_MONTH_CODES}])([0-9][0-9]))"
    r"([1-9][0-9]*(?:\.[0-9]*[1-9])?|0\.[0-9]*[1-9])(CE|PE)"
)
_CENTURY = 2000
_LISTED_FOR = timedelta(days=100)  # a share's contracts are listed three months ahead


class UnknownSymbol(KeyError):
    """A symbol that is not listed; `suggestions` has those that look like it."""

    def __init__(self, symbol: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(symbol)
        self.symbol = symbol
        self.suggestions = suggestions

    def __str__(self) -> str:
        return f"symbol must be a listed one, was {self.symbol!r}"


class UnknownExpiry(LookupError):
    """A date on which no listed contract of the symbol expires; `listed` has those on which one does."""

    def __init__(self, symbol: str, expiry: date | None, listed: tuple[date, ...]) -> None:
        super().__init__(f"expiry of {symbol} must be a listed one, was {expiry}")
        self.symbol = symbol
        self.expiry = expiry
        self.listed = listed


class UnknownContract(LookupError):
    """A strike that is not listed for the expiry; `near` has the listed strikes next to it."""

    def __init__(self, symbol: str, expiry: date, strike: float, near: tuple[float, ...] = ()) -> None:
        super().__init__(f"strike of {symbol} {expiry} must be a listed one, was {plain_strike(strike)}")
        self.symbol = symbol
        self.expiry = expiry
        self.strike = strike
        self.near = near


class BadTradingSymbol(ValueError):
    """A text that is not the name of a contract."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"a trading symbol must be like NIFTY26NOV22500CE or NIFTY26D0122500CE, was {text!r}"
        )
        self.text = text


@dataclass(frozen=True, slots=True)
class Expiry:
    """A listed expiry; the lot is in units of the underlying, for a commodity the multiplier of its price."""

    day: date
    kind: str
    expires_at: datetime
    lot_size: int | None


def _read(path: Path, contracts_path: Path) -> dict[str, UnderlyingRow]:
    return read_underlyings(path, read_contract_rules(contracts_path))


@cache
def _built_in() -> dict[str, UnderlyingRow]:
    """What comes with the program, read once."""
    return _read(UNDERLYINGS_PATH, CONTRACTS_PATH)


class Catalogue:
    """All underlyings, or some, and the contracts that exist on them at an instant.

    A contract's token is the same whichever underlyings are chosen. Raises UnknownSymbol for a choice that
    is not in the file.
    """

    def __init__(
        self,
        calendar: Calendar,
        path: Path = UNDERLYINGS_PATH,
        contracts_path: Path = CONTRACTS_PATH,
        *,
        symbols: Iterable[str] = (),
    ) -> None:
        self.calendar = calendar
        self.actions = corporate_actions()
        is_built_in = path is UNDERLYINGS_PATH and contracts_path is CONTRACTS_PATH
        self._rows = _built_in() if is_built_in else _read(path, contracts_path)
        self._first_tokens = _first_tokens(self._rows.values())
        if chosen := {self._chosen(symbol) for symbol in symbols}:
            self._rows = {symbol: row for symbol, row in self._rows.items() if symbol in chosen}
        self.underlyings = tuple(row.underlying for row in self._rows.values())
        self._longest_first = sorted(self._rows, key=len, reverse=True)
        self._ladders: dict[tuple[str, datetime], tuple[Expiry, ...]] = {}
        self._calendar_version = calendar.version

    @classmethod
    def load(
        cls,
        calendar: Calendar,
        path: Path = UNDERLYINGS_PATH,
        contracts_path: Path = CONTRACTS_PATH,
        *,
        symbols: Iterable[str] = (),
    ) -> "Catalogue":
        """The catalogue of these files; raises `ContractsError` where one of them breaks a rule."""
        return cls(calendar, path, contracts_path, symbols=symbols)

    def __getitem__(self, symbol: str) -> Underlying:
        return self._row(symbol).underlying

    def __contains__(self, symbol: object) -> bool:
        return isinstance(symbol, str) and symbol.upper() in self._rows

    def __iter__(self) -> Iterator[Underlying]:
        return iter(self.underlyings)

    def __len__(self) -> int:
        return len(self._rows)

    def expiries(self, symbol: str, at: datetime) -> tuple[Expiry, ...]:
        """The expiries listed at an instant, nearest first: each until the instant it expires."""
        row = self._row(symbol)
        ladder = self._ladder(row, datetime.combine(day_in_india(at), time(), IST))
        if ladder[0].expires_at <= at:
            ladder = self._ladder(row, ladder[0].expires_at)
        return ladder

    def expiry(self, symbol: str, day: date, at: datetime) -> Expiry:
        """The listed expiry of a day; raises `UnknownExpiry`."""
        listed = self.expiries(symbol, at)
        for expiry in listed:
            if expiry.day == day:
                return expiry
        raise UnknownExpiry(self[symbol].symbol, day, tuple(expiry.day for expiry in listed))

    def month_expiries(self, symbol: str, start: datetime, end: datetime) -> list[datetime]:
        """When contracts named for a month expire: each after ``start``, up to the first after ``end``."""
        row = self._row(symbol)
        found: list[datetime] = []
        if row.expiry_rule.kinds <= {"weekly"}:
            return found
        month = Month.of(day_in_india(start))
        while not found or found[-1] <= end:
            day = row.expiry_rule.month_day(self.calendar, month)
            instant = self.calendar.expiry_instant(row.underlying.derivatives_exchange, day)
            if instant > start:
                found.append(instant)
            month = month.plus(1)
        return found

    def lot_size(self, symbol: str, expiry: date, on: date) -> int:
        """The lot of the contracts of an expiry, as it is on a day."""
        row = self._row(symbol)
        if not row.lot_changes:
            return round(row.lot_size / self.actions.factor(row.underlying.symbol, on)) or 1
        is_weekly = expiry != row.expiry_rule.month_day(self.calendar, Month.of(expiry))
        reached = (change.lot for change in row.lot_changes if change.holds(expiry, is_weekly, on))
        return next(reached, row.lot_changes[-1].lot)

    def strikes(self, symbol: str, expiry: Expiry, spot: float, at: datetime) -> NDArray[np.float64]:
        """Ascending strikes listed for an expiry while the underlying is at that price."""
        row = self._row(symbol)
        listed = self.expiries(symbol, at)
        nearer = sum(other.kind == expiry.kind and other.day < expiry.day for other in listed)
        for grid in row.strike_grids:
            if grid.fits(expiry.kind, nearer):
                return grid.strikes(spot, self._strike_step(row.underlying, day_in_india(at)))
        kinds = ", ".join(sorted(row.expiry_rule.kinds))
        raise ValueError(f"kind of an expiry of {symbol} must be one of {kinds}, was {expiry.kind!r}")

    def _strike_step(self, underlying: Underlying, on: date) -> float:
        """The step on a day: before a split it is as much wider as the price is higher."""
        return underlying.strike_step * int(self.actions.factor(underlying.symbol, on))

    def underlying_future(self, symbol: str, expiry: date) -> date | None:
        """The expiry of the future that a commodity's options are on; None where they are on the spot."""
        return self._row(symbol).expiry_rule.underlying_future(self.calendar, expiry)

    def trading_symbol(self, symbol: str, expiry: Expiry, strike: float, is_call: bool) -> str:
        """The exchange's name of a contract: NIFTY26NOV22500CE, or NIFTY26D0122500CE for a weekly."""
        stem = trading_symbol_stem(self[symbol].symbol, expiry)
        return f"{stem}{plain_strike(strike)}{OptionType.of(is_call)}"

    def parse_trading_symbol(self, text: str) -> tuple[str, date, float, bool]:
        """Symbol, expiry, strike and whether it is a call; raises `BadTradingSymbol`."""
        name = text.upper()
        for symbol in self._longest_first:
            match = _NAME_TAIL.fullmatch(name, len(symbol)) if name.startswith(symbol) else None
            if match is not None:
                day = self._named_day(symbol, match)
                if day is not None:
                    return symbol, day, float(match[5]), match[6] == OptionType.CALL
        raise BadTradingSymbol(text)

    def contract_tokens(
        self, symbol: str, expiry: date, strike: ArrayLike, is_call: ArrayLike
    ) -> NDArray[np.int64]:
        """The tokens of contracts of one expiry; strike and is_call are broadcast."""
        row = self._row(symbol)
        underlying = row.underlying
        step = underlying.strike_step
        steps = np.asarray(strike, dtype=np.float64) / step
        whole = np.rint(steps)
        is_off = np.abs(steps - whole) > _STEP_TOLERANCE
        off_grid = steps[is_off]
        if off_grid.size and not self._was_split(underlying.symbol, expiry):
            below = float(np.floor(off_grid[0]))
            near = (below * step, (below + 1) * step)
            raise UnknownContract(underlying.symbol, expiry, float(off_grid[0]) * step, near)
        strike_slots = _strike_slots(underlying.kind)
        number = whole.astype(np.int64) % strike_slots
        if off_grid.size:  # what a split made of a strike: a step apart at least by half
            number = np.where(is_off, strike_slots // 2 + np.floor(2 * steps) % (strike_slots // 2), number)
            number = number.astype(np.int64)
        slot = _expiry_slot(expiry, row.expiry_rule.kinds)
        exchange_token = (
            self._first_tokens[underlying.symbol]
            + (slot * strike_slots + number) * 2
            + np.asarray(is_call, dtype=np.int64)
        )
        tokens: NDArray[np.int64] = exchange_token * 256 + SEGMENTS[underlying.derivatives_exchange]
        return tokens

    def _was_split(self, symbol: str, expiry: date) -> bool:
        """Whether strikes of an expiry can be what a split made of them: listed before it, due after it."""
        return self.actions.factor(symbol, expiry - _LISTED_FOR, expiry) != 1.0

    def _chosen(self, name: str) -> str:
        return self._row(known_as(name) or name).underlying.symbol

    def _row(self, symbol: str) -> UnderlyingRow:
        name = symbol.upper()
        try:
            return self._rows[name]
        except KeyError:
            close = get_close_matches(name, self._rows, n=5, cutoff=0.5)
            raise UnknownSymbol(name, tuple(close)) from None

    def _ladder(self, row: UnderlyingRow, since: datetime) -> tuple[Expiry, ...]:
        if self._calendar_version != self.calendar.version or len(self._ladders) > 4 * len(self._rows):
            self._ladders = {}  # another calendar, or another day
            self._calendar_version = self.calendar.version
        key = (row.underlying.symbol, since)
        if key not in self._ladders:
            self._ladders[key] = self._list_expiries(row, since)
        return self._ladders[key]

    def _list_expiries(self, row: UnderlyingRow, since: datetime) -> tuple[Expiry, ...]:
        symbol, exchange = row.underlying.symbol, row.underlying.derivatives_exchange
        today = day_in_india(since)
        ladder = row.expiry_rule.ladder(self.calendar, since)
        return tuple(
            Expiry(day, kind, self.calendar.expiry_instant(exchange, day), self.lot_size(symbol, day, today))
            for day, kind in ladder.items()
        )

    def _named_day(self, symbol: str, match: re.Match[str]) -> date | None:
        year = _CENTURY + int(match[1])
        if match[2]:
            month = Month(year, _MONTH_NAMES.index(match[2]) + 1)
            return self._row(symbol).expiry_rule.month_day(self.calendar, month)
        try:
            return date(year, _MONTH_CODES.index(match[3]) + 1, int(match[4]))
        except ValueError:
            return None


# A token's place in the block of its underlying: expiry, strike, side. The slots wrap around, and are so many
# that what is listed at one time does not meet itself: a ladder spans less than 16 months, with half-yearlies
# less than 2048 days, of which two have a slot, and the strikes of an expiry less than 1024 steps, on a share
# less than 512. So all tokens are below 2**31, as those of exchanges are.
_STRIKE_SLOTS, _STRIKE_SLOTS_OF_SHARE = 1024, 512
_MONTH_SLOTS = 16
_DAYS_OF_A_SLOT = 2
_WEEKLY_SLOTS = 256
_HALF_YEARLY_SLOTS = 1024
_FIRST_OPTION_TOKEN = 65_536  # below are the tokens of commodities
_STEP_TOLERANCE = 1e-6  # of a strike step


def _first_tokens(rows: Iterable[UnderlyingRow]) -> dict[str, int]:
    """Where the block of each underlying begins, one after the other in the segment of its options."""
    free = dict.fromkeys(SEGMENTS, _FIRST_OPTION_TOKEN)
    first_tokens = {}
    for row in rows:
        exchange = row.underlying.derivatives_exchange
        first_tokens[row.underlying.symbol] = free[exchange]
        slots = _expiry_slots(row.expiry_rule.kinds) * _strike_slots(row.underlying.kind)
        free[exchange] += 2 * slots
    return first_tokens


def _strike_slots(kind: Kind) -> int:
    return _STRIKE_SLOTS_OF_SHARE if kind == Kind.STOCK else _STRIKE_SLOTS


def _expiry_slots(kinds: frozenset[str]) -> int:
    if "weekly" not in kinds:
        return _MONTH_SLOTS
    return _HALF_YEARLY_SLOTS if ExpiryKind.HALF_YEARLY in kinds else _WEEKLY_SLOTS


def _expiry_slot(day: date, kinds: frozenset[str]) -> int:
    number = day.toordinal() // _DAYS_OF_A_SLOT if "weekly" in kinds else day.year * 12 + day.month
    return number % _expiry_slots(kinds)


def trading_symbol_stem(symbol: str, expiry: Expiry) -> str:
    """What the names of all contracts of an expiry begin with."""
    day = expiry.day
    if expiry.kind == "weekly":
        return f"{symbol}{day:%y}{_MONTH_CODES[day.month - 1]}{day:%d}"
    return f"{symbol}{day:%y}{_MONTH_NAMES[day.month - 1]}"


def plain_strike(number: float) -> str:
    """A strike as names have it: without a fraction where there is none."""
    return str(int(number)) if number == int(number) else str(number)
