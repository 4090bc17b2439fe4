"""The exchange's daily file of all derivatives: every expiry's chain as the day left it.

The legacy file (until July 2024) and the common format (UDiFF) say the same. Open interest stands there in
units and is kept in lots. A future's closing price is the forward of the chain of its expiry.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.instruments import OptionType
from feed.recordings.documents import Table
from feed.recordings.frames import ChainKey, FrameBuilder, Stated
from feed.recordings.text import parse_day, parse_number, parse_strike

FEWEST_FOR_A_LOT = 8  # contracts whose open interests agree on a lot by more than chance
_SIDES = {item.value: item.is_call for item in OptionType}
_FUTURES = frozenset({"XX", "", "FF", "-"})

# our names -> the file's, without case and blanks
LEGACY = {
    "symbol": "symbol",
    "expiry": "expirydt",
    "strike": "strikepr",
    "option_type": "optiontyp",
    "day": "timestamp",
    "close": "close",
    "open": "open",
    "high": "high",
    "low": "low",
    "settlement": "settlepr",
    "volume": "contracts",
    "open_interest": "openint",
    "open_interest_change": "chginoi",
}
UDIFF = {
    "symbol": "tckrsymb",
    "expiry": "xprydt",
    "strike": "strkpric",
    "option_type": "optntp",
    "day": "traddt",
    "close": "clspric",
    "open": "opnpric",
    "high": "hghpric",
    "low": "lwpric",
    "settlement": "sttlmpric",
    "previous_close": "prvsclsgpric",
    "volume": "ttltradgvol",
    "open_interest": "opnintrst",
    "open_interest_change": "chnginopnintrst",
    "spot": "undrlygpric",
    "lot_size": "newbrdlotqty",
}
SEGMENT = "sgmt"  # of the common format: FO, or CM for shares

Row = Mapping[str, str]


def shape_of(header: Sequence[str]) -> Mapping[str, str] | None:
    """The names of one of both files, None for any other."""
    for names in (LEGACY, UDIFF):
        if set(names.values()) <= set(header):
            return names
    return None


def is_of_shares(table: Table, header: Sequence[str]) -> bool:
    """Whether a file of the common format is the one of shares, whose rows are daily candles."""
    if SEGMENT not in header:
        return False
    first = next(table.column(header.index(SEGMENT)), "")
    return first.strip().upper() not in ("FO", "")


@dataclass(slots=True)
class _Contract:
    number: int
    key: ChainKey
    strike: float
    is_call: bool
    row: Row


@dataclass(slots=True)
class Bhavcopy:
    """Gathers the rows of one file. ``closing_ms`` and ``lot_size`` as the catalogue tells them."""

    builder: FrameBuilder
    names: Mapping[str, str]
    symbol_of: Callable[[str], str]
    closing_ms: Callable[[str, date], int]
    lot_size: Callable[[str, date, date], int | None]
    spot: float | None = None
    days: set[date] = field(default_factory=set)
    _contracts: dict[tuple[ChainKey, date], list[_Contract]] = field(default_factory=dict)
    _futures: dict[tuple[ChainKey, date], tuple[int, Row]] = field(default_factory=dict)

    def read(self, table: Table) -> None:
        """Take every row of the file, then make chains of them."""
        for number, row in self._rows(table):
            try:
                self._take(number, row)
            except ValueError as problem:
                self.builder.refuse(number, str(problem))
        for (key, day), contracts in self._contracts.items():
            self._add_chain(key, day, contracts)
        for (key, day), (number, row) in self._futures.items():
            price = self._price(number, row)
            self.builder.add_forward(self.closing_ms(key[0], day), key, price)

    def _rows(self, table: Table) -> Iterator[tuple[int, Row]]:
        header = table.header()
        width = len(header)
        while width and not header[width - 1]:
            width -= 1  # the legacy file ends each line with a comma
        place = {name: header.index(column) for name, column in self.names.items()}
        for number in table.numbers():
            self.builder.rows += 1
            try:
                cells = table.row(number, width)
            except ValueError as problem:
                self.builder.refuse(number, str(problem))
            else:
                yield number, {name: cells[at].strip() for name, at in place.items()}

    def _take(self, number: int, row: Row) -> None:
        day, expiry = parse_day(row["day"], "day-first"), parse_day(row["expiry"], "day-first")
        key = (self.symbol_of(row["symbol"]), expiry)
        side = row["option_type"].upper()
        self.days.add(day)
        if side in _FUTURES:
            self._futures.setdefault((key, day), (number, row))
            return
        if side not in _SIDES:
            raise ValueError(f"option_type must be CE, PE or that of a future, was {side!r}")
        contract = _Contract(number, key, parse_strike(row["strike"]), _SIDES[side], row)
        self._contracts.setdefault((key, day), []).append(contract)

    def _price(self, number: int, row: Row) -> float:
        """What a future was worth at the end: its close, or the settlement where it did not trade."""
        for name in ("close", "settlement"):
            try:
                price = parse_number(name, row[name])
            except ValueError as problem:
                self.builder.flaw(number, str(problem))
                continue
            if price > 0:
                return price
        return math.nan

    def _add_chain(self, key: ChainKey, day: date, contracts: Sequence[_Contract]) -> None:
        time_ms = self.closing_ms(key[0], day)
        lot_size = self._lot(key, day, contracts)
        if lot_size is not None:
            self.builder.add_lot(key, lot_size)
        for contract in contracts:
            try:
                self._add_leg(time_ms, contract, lot_size)
            except ValueError as problem:
                self.builder.refuse(contract.number, str(problem))

    def _add_leg(self, time_ms: int, contract: _Contract, lot_size: int | None) -> None:
        row, where = contract.row, (time_ms, contract.key, contract.strike, contract.is_call)
        stated: dict[str, Stated] = {
            name: (name, row[name])
            for name in ("open", "high", "low", "previous_close", "volume")
            if name in row
        }
        # what did not trade that day has no price of that day: its close is an older one's or a model's
        has_traded = row["volume"] not in ("0", "0.0", "0.00")
        stated["last_price"] = ("close", row["close"] if has_traded else None)
        for name in ("open_interest", "open_interest_change"):
            stated[name] = (name, _in_lots(row[name], lot_size))
        self.builder.add_leg(contract.number, *where, stated)
        spot = row.get("spot") if self.spot is None else self.spot
        self.builder.add_spot(contract.number, time_ms, contract.key[0], ("spot", spot))

    def _lot(self, key: ChainKey, day: date, contracts: Sequence[_Contract]) -> int | None:
        """The lot that the file tells, else the one in force that its open interests agree with."""
        stated = [_count(contract.row.get("lot_size", "")) for contract in contracts]
        if any(stated):
            return max(stated)
        interests = [
            _count(contract.row[name])
            for contract in contracts
            for name in ("open_interest", "open_interest_change")
        ]
        known = self.lot_size(*key, day)
        common = math.gcd(*interests)
        if known and common % known == 0:
            return known
        enough = sum(count > 0 for count in interests) >= FEWEST_FOR_A_LOT
        return common if enough and common > 1 else known


def _count(text: str) -> int:
    """A whole number of units, 0 where the text is none."""
    try:
        number = parse_number("", text)
    except ValueError:
        return 0
    return abs(int(number)) if math.isfinite(number) else 0


def _in_lots(text: str, lot_size: int | None) -> object:
    """Units as lots; what is no number stays as it is, to be named."""
    if lot_size is None:
        return None
    try:
        units = parse_number("", text)
    except ValueError:
        return text
    return units / lot_size if math.isfinite(units) else None
