"""What travels: a record a step, with what changed in the market; images of all of it; and its past.

``Encoder`` makes them of a market, ``read_image``, ``read_delta`` and ``read_past`` take them apart. The
numbers are the feed's: whoever applies every record since an image holds the same market, to the bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.instants import to_datetime, to_ms
from domain.market import FeedStateName, Problem, ProblemKind
from feed.market.candles import Candles
from feed.market.forming import Bars
from feed.market.market import NEVER_MS, Market, Positions
from feed.market.source import CONTRACT_FIELDS, UNDERLYING_FIELDS, PriceRange, Rows, Update
from feed.market.universe import Universe
from feed.market.watchdog import FeedState
from feed.reference.instruments import Expiry, Underlying
from feed.relay.codec import BoolArray, FloatArray, IntArray, Packer, RecordError, Unpacker

Tables = Mapping[str, FloatArray]
MOST_LISTINGS = 100_000
DAY_FIELDS = ("open", "high", "low", "close", "volume")


class RecordKind(StrEnum):
    """What a record holds."""

    IMAGE = "image"
    DELTA = "delta"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Header:
    """What is true of the market as a whole at the instant of a record.

    ``is_published``: streams got their numbers; otherwise the step goes on with the next record.
    ``stored_ms``: minutes from there on are not in the store yet. ``past`` is the version of what is known of
    the sessions before. ``step_ms``: market time between two records.
    """

    at_ms: int
    newest_ms: int
    epoch: str
    source: str
    state: FeedState
    scenario: str | None = None
    is_published: bool = True
    is_virtual: bool = False
    step_ms: float = 0
    stored_ms: int = 0
    past: str = "0-0"

    def dump(self, kind: RecordKind) -> dict[str, Any]:
        """As JSON says it."""
        state = self.state
        problem = state.problem
        told = (
            None if problem is None else [problem.kind, problem.message, problem.since_ms, problem.until_ms]
        )
        return {
            "k": kind,
            "at": self.at_ms,
            "in": self.newest_ms,
            "e": self.epoch,
            "src": self.source,
            "feed": [state.name, state.reason, state.restarts, state.next_try_ms, told],
            "scenario": self.scenario,
            "pub": self.is_published,
            "virtual": self.is_virtual,
            "step": self.step_ms,
            "stored": self.stored_ms,
            "past": self.past,
        }

    @classmethod
    def load(cls, tree: Mapping[str, Any]) -> Header:
        """Out of what JSON said. Raises RecordError."""
        try:
            name, reason, restarts, next_try_ms, told = tree["feed"]
            problem = None
            if told is not None:
                problem = Problem(ProblemKind(told[0]), str(told[1]), int(told[2]), _whole_or_none(told[3]))
            state = FeedState(
                FeedStateName(name), str(reason), int(restarts), _whole_or_none(next_try_ms), problem
            )
            return cls(
                at_ms=int(tree["at"]),
                newest_ms=int(tree["in"]),
                epoch=str(tree["e"]),
                source=str(tree["src"]),
                state=state,
                scenario=None if tree["scenario"] is None else str(tree["scenario"]),
                is_published=bool(tree["pub"]),
                is_virtual=bool(tree["virtual"]),
                step_ms=float(tree["step"]),
                stored_ms=int(tree["stored"]),
                past=_version(tree["past"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise RecordError(f"The record's header lacks something, or has it wrong: {error!r}.") from None


@dataclass(frozen=True, slots=True)
class Facts:
    """What feed and edges must agree on before the same rows mean the same contracts.

    ``files`` is a digest of the facts that come with the program, ``calendar`` of the operator's override.
    """

    symbols: tuple[str, ...]
    files: str
    calendar: str
    interest_rate: float
    stale_after_ms: float


@dataclass(frozen=True, slots=True)
class MovedPositions:
    """Rows whose stream stands elsewhere, and where."""

    rows: Rows
    seq: IntArray
    as_of_ms: IntArray
    stale: BoolArray


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """Rows of a table, and the values of its fields there."""

    rows: Rows
    values: Tables


@dataclass(frozen=True, slots=True)
class PassedRange:
    """What prices of some rows went through on the way, where that is more than the latest says."""

    rows: Rows
    went_through: PriceRange


@dataclass(frozen=True, slots=True)
class Delta:
    """What a step changed."""

    header: Header
    symbols: MovedPositions
    chains: MovedPositions
    underlyings: ChangedRows
    contracts: ChangedRows
    forwards: ChangedRows
    underlying_range: PassedRange
    contract_range: PassedRange


@dataclass(frozen=True, slots=True)
class MinuteSoFar:
    """The minute being formed: the range and volume of every underlying and contract in it.

    And the running day of every underlying before it: when that began, -1 where it did not, and its
    ``DAY_FIELDS`` so far.
    """

    start_ms: int
    underlyings: Bars
    contracts: Bars
    days_start_ms: IntArray
    days: Tables


@dataclass(frozen=True, slots=True)
class Image:
    """A whole market."""

    header: Header
    facts: Facts
    universe: Universe
    symbols: MovedPositions
    chains: MovedPositions
    underlyings: Tables
    contracts: Tables
    forwards: FloatArray
    minute: MinuteSoFar


@dataclass(frozen=True, slots=True)
class PastOfSymbol:
    """What memory has of an underlying's past.

    ``minutes`` that are closed, of the running day; the ``days`` of its week; and the near month's volatility
    at the end of past sessions, by day: what the source tells of it, and what is stored.
    """

    minutes: Candles
    days: Candles
    told: Mapping[date, float]
    stored: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Past:
    """The past as of the minute that begins at ``minute_ms``: of each underlying, by row."""

    version: str
    minute_ms: int
    of_row: Sequence[PastOfSymbol]

    def without_minutes(self) -> Past:
        """The same for whoever follows, and so has the minutes."""
        return replace(self, of_row=[replace(item, minutes=Candles.empty()) for item in self.of_row])


class Encoder:
    """Makes the records of one market, one after the other."""

    def __init__(self) -> None:
        self._universe: Universe | None = None
        self._symbols = self._chains = Positions.of(0)
        self._underlyings: dict[str, FloatArray] = {}
        self._contracts: dict[str, FloatArray] = {}
        self._forwards = np.empty(0)

    def knows(self, market: Market) -> bool:
        """Whether a difference to the record before can be told: the same contracts are listed."""
        return market.universe is self._universe

    def image(self, market: Market, header: Header, facts: Facts, minute: MinuteSoFar) -> bytes:
        """The whole market."""
        packer, universe = Packer(), market.universe
        packer.column(np.concatenate([listing.strikes for listing in universe.listings] or [np.empty(0)]))
        packer.ascending(universe.token)
        for positions in (market.symbol_positions, market.chain_positions):
            _put_positions(packer, positions, slice(None), header.at_ms)
        for tables in (market.underlyings, market.contracts):
            for values in tables.values():
                packer.column(values)
        packer.column(market.forwards)
        for bars, tables in ((minute.underlyings, market.underlyings), (minute.contracts, market.contracts)):
            _put_bars(packer, bars, tables["last_price"])
        packer.ascending(minute.days_start_ms)
        for name in DAY_FIELDS:
            packer.column(minute.days[name])
        tree = header.dump(RecordKind.IMAGE) | {
            "symbols": facts.symbols,
            "files": facts.files,
            "calendar": facts.calendar,
            "rate": facts.interest_rate,
            "stale": facts.stale_after_ms,
            "minute": minute.start_ms,
            "listings": [
                (
                    listing.underlying_row,
                    listing.expiry.day,
                    listing.expiry.kind,
                    to_ms(listing.expiry.expires_at),
                    listing.expiry.lot_size,
                    len(listing.strikes),
                )
                for listing in universe.listings
            ],
        }
        return packer.record(tree)

    def remember(self, market: Market) -> None:
        """Take the market as what the next record differs from."""
        self._universe = market.universe
        self._symbols, self._chains = _copied(market.symbol_positions), _copied(market.chain_positions)
        self._underlyings = {name: values.copy() for name, values in market.underlyings.items()}
        self._contracts = {name: values.copy() for name, values in market.contracts.items()}
        self._forwards = market.forwards.copy()

    def delta(self, market: Market, header: Header, update: Update | None) -> bytes:
        """What differs from the record before, and what prices of ``update`` went through; remember it."""
        packer = Packer()
        for before, positions in (
            (self._symbols, market.symbol_positions),
            (self._chains, market.chain_positions),
        ):
            moved = (before.seq != positions.seq) | (before.as_of_ms != positions.as_of_ms)
            rows = np.flatnonzero(moved | (before.stale != positions.stale))
            packer.ascending(rows)
            _put_positions(packer, positions, rows, header.at_ms, before.seq[rows])
            before.seq[rows], before.as_of_ms[rows] = positions.seq[rows], positions.as_of_ms[rows]
            before.stale[rows] = positions.stale[rows]
        moved_underlyings = _put_changes(packer, self._underlyings, market.underlyings)
        moved_contracts = _put_changes(packer, self._contracts, market.contracts)
        _put_changes(packer, {"forward": self._forwards}, {"forward": market.forwards})
        update = update or Update(header.newest_ms)
        last_price = market.underlyings["last_price"]
        _put_range(packer, update.underlying_range, update.underlying_rows, last_price, moved_underlyings)
        last_price = market.contracts["last_price"]
        _put_range(packer, update.contract_range, update.contract_rows, last_price, moved_contracts)
        return packer.record(header.dump(RecordKind.DELTA))


def pack_past(past: Past) -> bytes:
    """The past of every underlying."""
    packer = Packer()
    for candles in ([item.minutes for item in past.of_row], [item.days for item in past.of_row]):
        packer.integers(np.array([len(item) for item in candles]))
        packer.ascending(
            np.concatenate([item.time_ms // 1000 for item in candles] or [np.empty(0, np.int64)])
        )
        for name in ("open", "high", "low", "close", "volume", "open_interest"):
            packer.column(np.concatenate([getattr(item, name) for item in candles] or [np.empty(0)]))
        for name in ("source", "width_ms"):
            packer.ascending(
                np.concatenate([getattr(item, name) for item in candles] or [np.empty(0, np.int64)])
            )
    for name in ("told", "stored"):
        series = [getattr(item, name) for item in past.of_row]
        packer.integers(np.array([len(item) for item in series]))
        packer.ascending(np.array([day.toordinal() for item in series for day in item], np.int64))
        packer.column(np.array([value for item in series for value in item.values()], np.float64))
    return packer.record({"k": RecordKind.PAST, "v": past.version, "minute": past.minute_ms})


def kind_of(unpacker: Unpacker) -> RecordKind:
    """What a record holds. Raises RecordError."""
    try:
        return RecordKind(unpacker.header.get("k"))
    except ValueError:
        raise RecordError(f"The record is of no known kind: {unpacker.header.get('k')!r}.") from None


def read_image(unpacker: Unpacker, known: Mapping[str, Underlying]) -> Image:
    """A whole market, of those that the feed serves of the underlyings ``known`` here. Raises RecordError."""
    tree, header = unpacker.header, Header.load(unpacker.header)
    try:
        facts = Facts(
            tuple(map(str, tree["symbols"])),
            str(tree["files"]),
            str(tree["calendar"]),
            float(tree["rate"]),
            float(tree["stale"]),
        )
        listed = [
            (int(row), Expiry(date.fromisoformat(day), str(kind), to_datetime(int(at_ms)), lot), int(strikes))
            for row, day, kind, at_ms, lot, strikes in tree["listings"]
        ]
        minute_ms = int(tree["minute"])
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"The image's header lacks something, or has it wrong: {error!r}.") from None
    if not known.keys() >= set(facts.symbols):
        raise RecordError("The feed has underlyings that this server does not know: run the same release.")
    underlyings = [known[symbol] for symbol in facts.symbols]
    counts = [count for _, _, count in listed]
    if not listed:
        raise RecordError("The image lists no contract.")
    if (
        len(listed) > MOST_LISTINGS
        or min(counts, default=0) < 0
        or any(not 0 <= row < len(underlyings) for row, _, _ in listed)
    ):
        raise RecordError("The image lists contracts that cannot be.")
    ends = np.cumsum(counts)
    strikes = np.split(unpacker.column(sum(counts)), ends[:-1])
    tokens = np.split(unpacker.ascending(2 * sum(counts)), 2 * ends[:-1])
    universe = Universe(
        underlyings,
        [
            (underlyings[row].symbol, expiry, of_strikes, of_tokens)
            for (row, expiry, _), of_strikes, of_tokens in zip(listed, strikes, tokens, strict=True)
        ],
    )
    sizes = len(underlyings), len(listed)
    symbols, chains = (_read_positions(unpacker, np.arange(size), header.at_ms) for size in sizes)
    underlying_tables = {name: unpacker.column(sizes[0]) for name in UNDERLYING_FIELDS}
    contract_tables = {name: unpacker.column(universe.contract_count) for name in CONTRACT_FIELDS}
    forwards = unpacker.column(sizes[1])
    minute = MinuteSoFar(
        minute_ms,
        _read_bars(unpacker, underlying_tables["last_price"]),
        _read_bars(unpacker, contract_tables["last_price"]),
        unpacker.ascending(sizes[0]),
        {name: unpacker.column(sizes[0]) for name in DAY_FIELDS},
    )
    return Image(
        header, facts, universe, symbols, chains, underlying_tables, contract_tables, forwards, minute
    )


def read_delta(unpacker: Unpacker, market: Market) -> Delta:
    """What a step changed of a market that holds the state before it. Raises RecordError."""
    header = Header.load(unpacker.header)
    moved = []
    for positions in (market.symbol_positions, market.chain_positions):
        rows = unpacker.rows(len(positions.seq))
        moved.append(_read_positions(unpacker, rows, header.at_ms, positions.seq[rows]))
    underlyings = _read_changes(unpacker, market.underlyings)
    contracts = _read_changes(unpacker, market.contracts)
    forwards = _read_changes(unpacker, {"forward": market.forwards})
    return Delta(
        header,
        moved[0],
        moved[1],
        underlyings,
        contracts,
        forwards,
        _read_range(unpacker, market.underlyings["last_price"], underlyings),
        _read_range(unpacker, market.contracts["last_price"], contracts),
    )


def read_past(unpacker: Unpacker, count: int) -> Past:
    """The past of that many underlyings. Raises RecordError."""
    try:
        version, minute_ms = _version(unpacker.header["v"]), int(unpacker.header["minute"])
    except (KeyError, TypeError, ValueError):
        raise RecordError("The past's header lacks its version or its minute.") from None
    minutes, days = ([*_read_candles(unpacker, count)] for _ in range(2))
    told, stored = (_read_by_day(unpacker, count) for _ in range(2))
    of_row = [PastOfSymbol(*item) for item in zip(minutes, days, told, stored, strict=True)]
    return Past(version, minute_ms, of_row)


def _copied(positions: Positions) -> Positions:
    copied = Positions.of(len(positions.seq))
    copied.seq[:], copied.as_of_ms[:], copied.stale[:] = positions.seq, positions.as_of_ms, positions.stale
    return copied


def _put_positions(
    packer: Packer,
    positions: Positions,
    rows: slice | Rows,
    at_ms: int,
    before: IntArray | int = 0,
) -> None:
    packer.integers(positions.seq[rows] - before)
    as_of_ms = positions.as_of_ms[rows]
    packer.bits(as_of_ms != NEVER_MS)
    packer.integers(np.where(as_of_ms != NEVER_MS, at_ms - as_of_ms, 0))
    packer.bits(positions.stale[rows])


def _read_positions(unpacker: Unpacker, rows: Rows, at_ms: int, before: IntArray | int = 0) -> MovedPositions:
    count = len(rows)
    seq = unpacker.integers(count) + before
    is_known, age_ms = unpacker.bits(count), unpacker.integers(count)
    as_of_ms = np.where(is_known, at_ms - age_ms, NEVER_MS)
    return MovedPositions(rows, seq, as_of_ms, unpacker.bits(count))


def _put_changes(packer: Packer, before: dict[str, FloatArray], now: Tables) -> BoolArray:
    """Put and take over what differs; returns which rows had a price or a volume that differs."""
    # bit by bit: not known is equal to not known, and minus zero is not zero
    differs = {name: before[name].view(np.int64) != values.view(np.int64) for name, values in now.items()}
    rows = np.flatnonzero(np.logical_or.reduce(list(differs.values())))
    packer.ascending(rows)
    for name, values in now.items():
        changed = differs[name][rows]
        at = rows[changed]
        packer.bits(changed)
        packer.column(values[at], before[name][at])
        before[name][at] = values[at]
    traded = [differs[name] for name in ("last_price", "volume") if name in differs]
    return np.logical_or.reduce(traded) if traded else np.empty(0, bool)


def _read_changes(unpacker: Unpacker, before: Tables) -> ChangedRows:
    rows = unpacker.rows(len(next(iter(before.values()))))
    values = {}
    for name, known in before.items():
        changed = unpacker.bits(len(rows))
        at = rows[changed]
        fresh = known[rows].copy()
        fresh[changed] = unpacker.column(len(at), known[at])
        values[name] = fresh
    return ChangedRows(rows, values)


def _put_range(
    packer: Packer,
    passed: PriceRange | None,
    of_rows: Rows | None,
    last_price: FloatArray,
    has_traded: BoolArray,
) -> None:
    """Put what the latest prices alone do not say of a minute; who traded at one price needs no range."""
    rows = np.empty(0, np.intp)
    columns: list[FloatArray] = [np.empty(0)] * 3
    if passed is not None:
        told = np.arange(len(last_price)) if of_rows is None else of_rows
        at_last = np.logical_and.reduce([column == last_price[told] for column in passed.columns])
        needed = np.flatnonzero((passed.first == passed.first) & ~(at_last & has_traded[told]))
        needed = needed[np.argsort(told[needed], kind="stable")]
        rows, columns = told[needed], [column[needed] for column in passed.columns]
    packer.ascending(rows)
    for column in columns:
        packer.column(column, last_price[rows])


def _read_range(unpacker: Unpacker, before: FloatArray, changed: ChangedRows) -> PassedRange:
    rows = unpacker.rows(len(before))
    last_price = before.copy()
    last_price[changed.rows] = changed.values["last_price"]
    columns = [unpacker.column(len(rows), last_price[rows]) for _ in range(3)]
    return PassedRange(rows, PriceRange(*columns))


def _put_bars(packer: Packer, bars: Bars, last_price: FloatArray) -> None:
    rows = bars.touched
    packer.bits(rows)
    for column in (bars.open, bars.high, bars.low):
        packer.column(column[rows], last_price[rows])
    packer.column(bars.volume[rows])


def _read_bars(unpacker: Unpacker, last_price: FloatArray) -> Bars:
    rows = unpacker.bits(len(last_price))
    count = int(rows.sum())
    columns = [np.full(len(last_price), np.nan) for _ in range(4)]
    for column in columns[:3]:
        column[rows] = unpacker.column(count, last_price[rows])
    columns[3][rows] = unpacker.column(count)
    opens, high, low, volume = columns
    return Bars(opens, high, low, last_price.copy(), volume, rows)


def _read_candles(unpacker: Unpacker, count: int) -> list[Candles]:
    lengths = _lengths(unpacker, count)
    total = int(lengths.sum())
    time_ms = unpacker.ascending(total) * 1000
    prices = [unpacker.column(total) for _ in range(6)]
    source, width_ms = unpacker.ascending(total), unpacker.ascending(total)
    ends = np.cumsum(lengths)
    together = Candles.of(time_ms, prices, source, width_ms)
    return [
        together.take(slice(end - length, end))
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]


def _read_by_day(unpacker: Unpacker, count: int) -> list[dict[date, float]]:
    lengths = _lengths(unpacker, count).tolist()
    ordinals, values = unpacker.ascending(sum(lengths)), unpacker.column(sum(lengths)).tolist()
    if len(ordinals) and not (ordinals.min() > 0 and ordinals.max() <= date.max.toordinal()):
        raise RecordError("The record names days that no calendar has.")
    items = iter(zip(map(date.fromordinal, ordinals.tolist()), values, strict=True))
    return [dict(islice(items, length)) for length in lengths]


def _lengths(unpacker: Unpacker, count: int) -> NDArray[np.int64]:
    lengths = unpacker.integers(count)
    if (lengths < 0).any() or (lengths > 1 << 20).any():
        raise RecordError("The record counts less than nothing.")
    return lengths


def _version(value: Any) -> str:
    """A leadership, and which of its pasts."""
    term, number = str(value).split("-")
    return f"{int(term)}-{int(number)}"


def _whole_or_none(value: Any) -> int | None:
    return None if value is None else int(value)
