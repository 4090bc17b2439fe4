"""The one front door for files: from a path to what it holds, candles or chains, with a report of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from feed.recordings.bars import (
    NEEDED,
    BarDecoder,
    Progress,
    RecordedBars,
    bar_places,
    named,
    order_of_bars,
    rows_of_json,
    rows_of_table,
)
from feed.recordings.bhavcopy import Bhavcopy, is_of_shares, shape_of
from feed.recordings.csv_chains import (
    BUTTON_TITLE,
    CONTRACT_NEEDS,
    ContractColumns,
    Snapshot,
    StrikeColumns,
    contract_rows,
    strike_rows,
)
from feed.recordings.documents import Document, Table, documents
from feed.recordings.exchange_json import exchange_rows
from feed.recordings.frames import BadRow, FrameBuilder, Recording, RecordingError, Stated
from feed.recordings.json_chains import chain_table
from feed.recordings.listing import Lister
from feed.recordings.report import ImportReport
from feed.recordings.snapshot_time import SnapshotTime, days_of
from feed.recordings.text import (
    ORDERS,
    Order,
    parse_number,
    settle_order,
)
from feed.reference.calendar import Calendar
from feed.reference.identity import (
    Identities,
    UnknownIdentity,
    future_in_file_name,
    option_in_file_name,
)
from feed.reference.instruments import Catalogue

EXPECTED = (
    "expected candles (date, open, high, low, close), a chain with a row per contract (expiry, strike, "
    "option_type) or per strike (expiry, strike, ce_oi, pe_oi), the exchange's option-chain JSON, "
    "its download of a chain or its bhavcopy of derivatives, or a broker's JSON of candles or of a chain; "
    "plain, gzipped or zipped"
)
DEFAULT_SYMBOL = "NIFTY"  # of a chain that nothing tells the symbol of


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller says of a file where it does not say it itself; each overrides the file.

    ``interval`` : the width of candles; ``dates`` : how days of digits are to be read; ``at_ms`` : when a
    snapshot was taken that does not tell it.
    """

    symbol: str | None = None
    spot: float | None = None
    interval: str | None = None
    dates: Order | None = None
    at_ms: int | None = None

    def __post_init__(self) -> None:
        if self.dates is not None and self.dates not in ORDERS:
            raise ValueError(f"dates must be {' or '.join(ORDERS)}, was {self.dates!r}")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: candles or a recording of chains, with the report of reading it."""

    report: ImportReport
    bars: RecordedBars | None = None
    recording: Recording | None = None


@dataclass(slots=True)
class FrontDoor:
    """Reads files. With ``only_known`` rows of symbols that the catalogue lacks are refused."""

    catalogue: Catalogue
    calendar: Calendar
    options: Options = field(default_factory=Options)
    only_known: bool = False

    def read(self, path: Path, progress: Progress = lambda done, total: None) -> Iterator[Contents]:
        """What each file in a file holds, with an ``error`` in its report where it is of no use.

        Raises RecordingError where nothing can be opened.
        """
        found = documents(path)
        for document in found:
            report = ImportReport(str(path) if len(found) == 1 else f"{path}:{document.name}")
            try:
                contents = _Reading(self, document, report).contents(progress)
            except RecordingError as problem:
                contents = _useless(report, problem.problem)
            except ValueError as problem:
                contents = _useless(report, f"{problem}.")
            yield contents

    def recording(self, path: Path) -> Recording:
        """The chains that a file holds, to be replayed. Raises RecordingError."""
        read = list(self.read(path))
        for contents in read:
            if contents.report.error is not None:
                raise RecordingError(path, contents.report.error)
        parts = [contents.recording for contents in read]
        if any(part is None for part in parts):
            raise RecordingError(path, "it holds candles, not option chains.")
        recordings = [part for part in parts if part is not None]
        frames = sorted(
            (frame for part in recordings for frame in part.frames), key=lambda frame: frame.time_ms
        )
        bad_rows = tuple(row for part in recordings for row in part.bad_rows)
        if not frames:
            detail = (
                f"; the first refused was row {bad_rows[0].number}: {bad_rows[0].reason}" if bad_rows else ""
            )
            raise RecordingError(path, f"it holds no usable row{detail or '.'}")
        flaws = tuple(row for part in recordings for row in part.flaws)
        return Recording(tuple(frames), bad_rows, flaws, sum(part.rows for part in recordings))


def _useless(report: ImportReport, problem: str) -> Contents:
    report.error = problem
    return Contents(report)


class _Reading:
    """One document on its way to its contents; ValueErrors are sentences about the whole file."""

    def __init__(self, door: FrontDoor, document: Document, report: ImportReport) -> None:
        self._door = door
        self._options = door.options
        self._document = document
        self._report = report
        known = Identities(underlying.symbol for underlying in door.catalogue.underlyings)
        self._identities = known
        self._lister = Lister(door.catalogue, door.calendar)
        self._time = SnapshotTime(document, self._lister, door.options.at_ms, report.notes.append)
        self._builder = FrameBuilder(self._is_commodity)

    def contents(self, progress: Progress) -> Contents:
        """What the document holds."""
        if self._document.is_json:
            return self._json(self._document.json(), progress)
        return self._table(named(self._document.table()), progress)

    def _table(self, table: Table, progress: Progress) -> Contents:
        header = self._header(table)
        if header == BUTTON_TITLE:
            return self._button(table)
        names = shape_of(header)
        if names is not None and not is_of_shares(table, header):
            return self._bhavcopy(table, names)
        contracts = ContractColumns.of(header)
        if contracts.at.keys() >= CONTRACT_NEEDS:
            return self._contracts(table, contracts)
        strikes = StrikeColumns.of(header)
        if strikes.is_whole and ("expiry" in strikes.at or self._document.is_json):
            return self._strikes(table, strikes)
        return self._bars_of_table(table, header, progress)

    def _header(self, table: Table) -> list[str]:
        try:
            header = table.header()
        except ValueError as problem:
            raise ValueError(f"its first line is no header ({problem}); {EXPECTED}") from problem
        while len(header) > 1 and not header[-1] and header != BUTTON_TITLE:
            header.pop()
        return header

    # Symbols.

    def _symbol(self, stated: str | None = None) -> str:
        """The underlying of the whole file: as it is ordered, as it tells, or as its name does."""
        if self._options.symbol is not None:
            return self._known(self._options.symbol)
        if stated:
            return self._known(stated)
        return self._named()[0]

    def _named(self) -> tuple[str, str]:
        """The underlying that a name tells, and that name: the file's own, else that of its zip."""
        for name in (self._document.name, self._document.path.name):
            found = self._identities.in_file_name(name)
            if found is not None:
                return found, name
        raise ValueError("neither its rows nor its name tell the symbol: name one with --symbol")

    def _symbol_of_candles(self, stated: str | None = None) -> str:
        """The same of candles, which are not the underlying's where the name tells of a contract."""
        if stated or self._options.symbol is not None:
            return self._symbol(stated)
        symbol, name = self._named()
        contract = option_in_file_name(name)
        if contract is None and not self._is_commodity(symbol):  # those are priced by their futures
            contract = future_in_file_name(name)
        if contract is not None:
            raise ValueError(
                f"its name tells of a contract ({contract.strip(' _-')}), "
                f"whose candles are not those of {symbol}: --symbol {symbol} takes them for it"
            )
        return symbol

    def _symbol_of_chain(self, stated: str | None = None) -> str:
        """The same of a chain; one that nothing tells of is the commonest, which is said."""
        try:
            return self._symbol(stated)
        except UnknownIdentity:
            raise
        except ValueError:
            self._report.notes.append(
                f"neither its rows nor its name tell the symbol: taken for {DEFAULT_SYMBOL}"
            )
            return DEFAULT_SYMBOL

    def _known(self, name: str) -> str:
        found = self._identities.find(name)
        if found is not None:
            return found
        if self._door.only_known:
            return self._identities.resolve(name)  # says what is known
        return name.strip().upper()

    def _of_row(self, name: str) -> str:
        """The symbol of a row. Raises UnknownIdentity."""
        try:
            return self._known(name)
        except UnknownIdentity:
            self._report.unknown_symbols[name.strip()] += 1
            raise

    def _resolver(self, stated: set[str], whole: Callable[[], str]) -> Callable[[str], str]:
        """How a row's symbol is found: its own, unless one is ordered or the rows have none."""
        stated = {name.strip() for name in stated if name.strip()}
        if self._options.symbol is not None and len(stated) > 1:
            raise ValueError(
                f"its rows are of {len(stated):,} symbols, so that --symbol cannot name one for all"
            )
        if stated and self._options.symbol is None:
            return self._of_row
        symbol = whole()
        return lambda name: symbol

    def _is_commodity(self, symbol: str) -> bool:
        catalogue = self._door.catalogue
        return symbol in catalogue and catalogue[symbol].kind == "commodity"

    # Candles.

    def _bars_of_table(self, table: Table, header: list[str], progress: Progress) -> Contents:
        at = bar_places(header)
        if not at.keys() >= NEEDED:
            raise ValueError(f"its columns are unknown; {EXPECTED}")
        if "date" not in at:
            raise ValueError(f"a file of candles must tell the date, it lacks a column of it; {EXPECTED}")
        own = set(table.column(at["symbol"])) if "symbol" in at else set()
        order = settle_order(table.column(at["date"]), self._options.dates)
        return self._bars(rows_of_table(table), len(table.lines), order, own, progress)

    def _json(self, document: Any, progress: Progress) -> Contents:
        table = chain_table(document)
        if table is not None:
            return self._table(table, progress)
        rows = rows_of_json(document)
        if rows is None:
            return self._exchange(document)
        stated = {str(row.values.get("symbol", "")) for row in rows if not isinstance(row, BadRow)}
        return self._bars(rows, len(rows), order_of_bars(rows, self._options.dates), stated, progress)

    def _bars(
        self, rows: Any, total: int, order: Order | None, stated: set[str], progress: Progress
    ) -> Contents:
        resolve = self._resolver(stated, self._symbol_of_candles)
        is_each = bool({name for name in stated if name.strip()}) and self._options.symbol is None
        self._report.what = "candles"
        decoder = BarDecoder(
            self._report,
            symbol=None if is_each else resolve(""),
            resolve=resolve,
            may_be_negative=self._is_commodity,  # crude oil's price was below 0 on 2020-04-20
            interval=self._options.interval,
            order=order,
            file_name=self._document.name,
        )
        return Contents(self._report, bars=decoder.decode(rows, total, progress))

    # Chains.

    def _contracts(self, table: Table, columns: ContractColumns) -> Contents:
        snapshot = self._snapshot(table, columns.at, None)
        contract_rows(table, self._builder, columns, snapshot, self._options.dates)
        kind = "minutes" if snapshot.time_ms is None else "snapshot"
        return self._chains(f"{kind} of option chains")

    def _strikes(self, table: Table, columns: StrikeColumns) -> Contents:
        spot = None if self._document.is_json else self._spot_beside(columns)
        snapshot = self._snapshot(table, columns.at, spot)
        strike_rows(table, self._builder, columns, snapshot, self._options.dates)
        return self._chains("snapshot of an option chain")

    def _snapshot(self, table: Table, at: Mapping[str, int], spot: Stated | None) -> Snapshot:
        """What the rows do not tell: the file's name does, or when a broker's answer was saved."""
        symbol_of, first = self._symbols_of_rows(table, at)
        expiry = None if "expiry" in at else self._time.expiry_in_name()
        if "timestamp" in at:
            time_ms = None
        elif self._document.is_json:
            expiries = {expiry} if expiry else days_of(table.column(at["expiry"]), self._options.dates)
            time_ms = self._time.answered(symbol_of(first), expiries)
        else:
            time_ms = self._time.in_name(symbol_of(first))
        return Snapshot(time_ms, symbol_of, expiry, spot)

    def _symbols_of_rows(self, table: Table, at: Mapping[str, int]) -> tuple[Callable[[str], str], str]:
        """How the symbol of a row of a chain is found, and what the first row that tells one says."""
        own = dict.fromkeys(table.column(at["symbol"])) if "symbol" in at else {}
        first = next((name for name in own if name.strip()), "")
        return self._resolver(set(own), self._symbol_of_chain), first

    def _button(self, table: Table) -> Contents:
        symbol = self._symbol()
        columns = StrikeColumns.of_button(table.header(2))
        expiry = self._time.expiry_in_name()
        snapshot = Snapshot(self._time.saved(symbol, expiry), lambda name: symbol, expiry, None)
        strike_rows(table, self._builder, columns, snapshot, None, header_line=2)
        return self._chains("snapshot of an option chain")

    def _exchange(self, document: Any) -> Contents:
        exchange_rows(document, self._builder, self._symbol_of_chain)
        return self._chains("snapshot of option chains")

    def _bhavcopy(self, table: Table, names: Any) -> Contents:
        place = table.header().index(names["symbol"])
        Bhavcopy(
            self._builder,
            names,
            self._resolver(set(table.column(place)), self._symbol_of_chain),
            self._lister.day_end_ms,
            self._lister.lot_size,
            self._options.spot,
        ).read(table)
        return self._chains("end-of-day option chains")

    def _chains(self, what: str) -> Contents:
        """The recording gathered, its spot as it is ordered, told to the report."""
        recording = self._builder.build()
        if self._options.spot is not None:
            recording = _with_spot(recording, self._options.spot)
        report = self._report
        report.what, report.rows = what, recording.rows
        for row in recording.bad_rows:
            report.refuse(row)
        for flaw in recording.flaws:
            report.flaw(flaw)
        report.flawed = len({flaw.number for flaw in recording.flaws})
        report.kept = report.rows - report.refused
        keys = {key for frame in recording.frames for key in frame.chains}
        report.symbols = tuple(sorted({symbol for symbol, _ in keys}))
        self._note_chains(recording, sorted({expiry for _, expiry in keys}))
        return Contents(report, recording=recording)

    def _note_chains(self, recording: Recording, expiries: list[date]) -> None:
        report = self._report
        if not recording.frames:
            return
        report.span_ms = recording.frames[0].time_ms, recording.frames[-1].time_ms
        span = f"{expiries[0]}" if len(expiries) == 1 else f"{expiries[0]} to {expiries[-1]}"
        report.notes.append(f"{len(expiries):,} expiries, {span}; {len(recording.frames):,} instants")
        if not any(frame.spots for frame in recording.frames):
            report.notes.append("it has no spot price: the money is where the forward is; --spot gives one")

    def _spot_beside(self, columns: StrikeColumns) -> tuple[str, object] | None:
        """``underlying_value`` of the JSON file beside a recording."""
        if self._options.spot is not None or "spot" in columns.at:
            return None
        path = self._document.path
        stem = path.name.split(".")[0]
        for beside in (path.with_name(f"{stem}_expected.json"), path.with_name(f"{stem}.json")):
            if beside.is_file():
                return ("underlying_value", _underlying_value(beside))
        return None


def _underlying_value(path: Path) -> float:
    try:
        document: Any = orjson.loads(path.read_bytes())
        value = document.get("underlying_value") if isinstance(document, dict) else None
        return parse_number("underlying_value", value)
    except (OSError, ValueError) as problem:
        raise ValueError(f"the spot beside a recording cannot be read ({problem})") from problem


def _with_spot(recording: Recording, spot: float) -> Recording:
    """The recording with one spot at every instant of every underlying. Raises ValueError for several."""
    symbols = {symbol for frame in recording.frames for symbol, _ in frame.chains}
    if len(symbols) > 1:
        raise ValueError(f"a spot is the price of one underlying, its rows are of {len(symbols):,}")
    spots = dict.fromkeys(symbols, spot) if math.isfinite(spot) else {}
    frames = tuple(frame.with_spots(spots) for frame in recording.frames)
    return Recording(frames, recording.bad_rows, recording.flaws, recording.rows)
