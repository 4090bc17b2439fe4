"""Option chains as CSV: a row per contract and instant, a row per strike, or the exchange's own download."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from feed.recordings.columns import CONTRACT_COLUMNS, LEG_COLUMNS, places
from feed.recordings.documents import Table
from feed.recordings.frames import FrameBuilder, Stated
from feed.recordings.text import Order, parse_day, parse_moment, parse_strike, settle_order

CONTRACT_NEEDS = frozenset({"expiry", "strike", "option_type"})
SIDES = {
    "ce": True,
    "pe": False,
    "call": True,
    "put": False,
    "calls": True,
    "puts": False,
    "c": True,
    "p": False,
}
_PREFIXES = ("ce", "pe", "call", "put", "calls", "puts")
BUTTON_TITLE = ["calls", "", "puts"]

Resolve = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class ContractColumns:
    """Where a table of contracts has what: our names, and the fields of the legs."""

    width: int
    at: Mapping[str, int]
    legs: Mapping[str, int]
    header: Sequence[str]

    @classmethod
    def of(cls, header: Sequence[str]) -> ContractColumns:
        """The columns of a header."""
        at = places(header, CONTRACT_COLUMNS)
        if "timestamp" not in at and "time" in at:
            at["timestamp"] = at.pop("time")
        return cls(len(header), at, places(header, LEG_COLUMNS), header)


def contract_rows(
    table: Table, builder: FrameBuilder, columns: ContractColumns, snapshot: Snapshot, order: Order | None
) -> None:
    """Rows of expiry, strike, option_type and what there is of timestamp, spot, ltp, bid, ask, volume, oi."""
    order = _settled(
        table, order, [columns.at[name] for name in ("timestamp", "expiry") if name in columns.at]
    )
    for number in table.numbers():
        builder.rows += 1
        try:
            _contract_row(number, table.row(number, columns.width), builder, columns, snapshot, order)
        except ValueError as problem:
            builder.refuse(number, str(problem))


def _settled(table: Table, order: Order | None, columns: Sequence[int]) -> Order | None:
    return settle_order((cell for column in columns for cell in table.column(column)), order)


def _contract_row(
    number: int,
    cells: Sequence[str],
    builder: FrameBuilder,
    columns: ContractColumns,
    snapshot: Snapshot,
    order: Order | None,
) -> None:
    at = columns.at
    clock = cells[at["time"]] if "time" in at else ""
    time_ms = snapshot.time_ms
    if time_ms is None:
        time_ms = _instant(cells[at["timestamp"]], order, clock)
    expiry = parse_day(cells[at["expiry"]], order)
    is_call = side_of(cells[at["option_type"]])
    strike = parse_strike(cells[at["strike"]])
    key = (snapshot.symbol_of(cells[at["symbol"]] if "symbol" in at else ""), expiry)
    stated = {name: (columns.header[place], cells[place]) for name, place in columns.legs.items()}
    builder.add_leg(number, time_ms, key, strike, is_call, stated)
    if "spot" in at:
        builder.add_spot(number, time_ms, key[0], ("spot", cells[at["spot"]]))


def _instant(text: str, order: Order | None, clock: str) -> int:
    try:
        time_ms = parse_moment(text, order, clock).time_ms
    except ValueError:
        time_ms = None
    if time_ms is None:
        raise ValueError(
            f"a timestamp must look like 202608191127 or 2026-08-19 11:27:00, was {text.strip()!r}"
        )
    return time_ms


def side_of(text: str) -> bool:
    """Whether a side is the call's. Raises ValueError."""
    is_call = SIDES.get(text.strip().lower())
    if is_call is None:
        raise ValueError(f"option_type must be CE or PE, was {text!r}")
    return is_call


@dataclass(frozen=True, slots=True)
class StrikeColumns:
    """Where a table of strikes has what: our names, and the fields of each side's leg."""

    width: int
    at: Mapping[str, int]
    legs: Mapping[bool, Mapping[str, int]]
    header: Sequence[str]

    @classmethod
    def of(cls, header: Sequence[str]) -> StrikeColumns:
        """The columns of a header, sides by ``ce_`` and ``pe_`` or ``call_`` and ``put_``."""
        legs: dict[bool, dict[str, int]] = {True: {}, False: {}}
        for prefix in _PREFIXES:
            own = [name.removeprefix(prefix) if name.startswith(prefix) else "" for name in header]
            legs[SIDES[prefix]] |= places(own, LEG_COLUMNS)
        return cls(len(header), places(header, CONTRACT_COLUMNS), legs, header)

    @classmethod
    def of_button(cls, header: Sequence[str]) -> StrikeColumns:
        """The columns of the exchange's download: calls on the left of STRIKE, puts on its right."""
        middle = header.index("strike")
        left = [name if place < middle else "" for place, name in enumerate(header)]
        right = [name if place > middle else "" for place, name in enumerate(header)]
        legs = {True: places(left, LEG_COLUMNS), False: places(right, LEG_COLUMNS)}
        return cls(len(header), {"strike": middle}, legs, header)

    @property
    def is_whole(self) -> bool:
        """Whether both sides tell their open interest, and the rows their strike."""
        return "strike" in self.at and all("open_interest" in legs for legs in self.legs.values())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a table of a chain need not hold: its instant, expiry and spot; and whose its rows are."""

    time_ms: int | None
    symbol_of: Resolve
    expiry: date | None
    spot: Stated | None


def strike_rows(
    table: Table,
    builder: FrameBuilder,
    columns: StrikeColumns,
    snapshot: Snapshot,
    order: Order | None,
    header_line: int = 1,
) -> None:
    """Rows of a strike each, with both sides."""
    order = _settled(
        table, order, [columns.at[name] for name in ("timestamp", "expiry") if name in columns.at]
    )
    for number in table.numbers(header_line):
        builder.rows += 1
        try:
            cells = table.row(number, columns.width)
            time_ms = snapshot.time_ms
            if time_ms is None:
                time_ms = _instant(cells[columns.at["timestamp"]], order, "")
            expiry = snapshot.expiry or parse_day(cells[columns.at["expiry"]], order)
            symbol = snapshot.symbol_of(cells[columns.at["symbol"]] if "symbol" in columns.at else "")
            strike = parse_strike(cells[columns.at["strike"]])
            _strike_row(number, cells, builder, columns, (time_ms, (symbol, expiry), strike))
            spot = _spot(cells, columns, snapshot)
            if spot is not None:
                builder.add_spot(number, time_ms, symbol, spot)
        except ValueError as problem:
            builder.refuse(number, str(problem))


def _strike_row(
    number: int,
    cells: Sequence[str],
    builder: FrameBuilder,
    columns: StrikeColumns,
    which: tuple[int, tuple[str, date], float],
) -> None:
    for is_call in columns.legs:
        builder.check_leg(*which, is_call)
    for is_call, legs in columns.legs.items():
        stated = {name: (columns.header[place] or name, cells[place]) for name, place in legs.items()}
        builder.add_leg(number, *which, is_call, stated)


def _spot(cells: Sequence[str], columns: StrikeColumns, snapshot: Snapshot) -> Stated | None:
    if snapshot.spot is not None:
        return snapshot.spot
    return ("spot", cells[columns.at["spot"]]) if "spot" in columns.at else None
