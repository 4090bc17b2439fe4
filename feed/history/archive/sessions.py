"""A day of chains in one Parquet file, and their figures in another (docs/archive.md has the schema).

Rows stand by contract, then minute, a row group a chain (of figures, a symbol), numbers as whole hundredths:
neighbours differ by little, which is what the encoding takes away. A day is there once ``days/DAY.json`` is:
that is written last, after all was read back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from domain.instants import IST, to_ms
from feed.history.store.chains import RECORD_FIELDS
from feed.history.store.problems import HistoryError
from feed.history.store.stored_chain import StoredChain
from feed.market.candles import FloatArray, IntArray
from feed.valuation.minute_metrics import METRICS

SCHEMA = 1
PARTS = {"implied_volatility": 10_000}  # of the others a hundredth is the smallest
_HUNDREDTHS = 100
_LISTED = ("symbol", "expiry", "kind", "expires_at", "lot_size")
_CONTRACT = ("strike", "is_call", "token", "minute")
_OF_MINUTE = ("minute", "as_of", "source", "spot", "future")
FOOTERS = 64  # kept: half a megabyte each
COMPRESSION_LEVEL = 3

Metrics = Mapping[str, FloatArray]


@dataclass(frozen=True, slots=True)
class ArchivedChain:
    """What a day's files hold of a chain, and where."""

    symbol: str
    expiry: date
    row_group: int
    metrics_group: int
    first_minute_ms: int
    last_minute_ms: int
    first_as_of_ms: int
    last_as_of_ms: int
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArchivedDay:
    """A day that is archived: rows and bytes of both files, and its chains."""

    day: date
    rows: int
    size_bytes: int
    chains: tuple[ArchivedChain, ...]


@dataclass(frozen=True, slots=True)
class ChainOfDay:
    """What is to be written of a chain: its records in runs of one list of strikes, and its figures."""

    symbol: str
    expiry: date
    runs: Sequence[StoredChain]
    metrics: Metrics


def span_of(day: date) -> tuple[int, int]:
    """First instant and end of a day in India."""
    start_ms = to_ms(datetime.combine(day, time(), IST))
    return start_ms, start_ms + int(timedelta(days=1).total_seconds() * 1000)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise HistoryError(
            "history.archive_folder needs the package pyarrow: install the extra 'archive'."
        ) from error
    return pyarrow, parquet


class SessionFiles:
    """The folder of archived days. Raises HistoryError without pyarrow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._arrow, self._parquet = _pyarrow()
        self._index = lru_cache(1024)(self._read_index)
        self._footer = lru_cache(FOOTERS)(self._read_footer)

    def days(self) -> list[date]:
        """The days that are archived, ascending."""
        names = sorted(path.stem for path in (self.folder / "days").glob("????-??-??.json"))
        return [date.fromisoformat(name) for name in names]

    def between(self, start_ms: int, end_ms: int) -> list[date]:
        """Those of them that have a part in [start, end)."""
        return [day for day in self.days() if span_of(day)[0] < end_ms and span_of(day)[1] > start_ms]

    def index(self, day: date) -> ArchivedDay:
        """What a day holds."""
        return self._index(day, self._day_file(day).stat().st_mtime_ns)

    def chain_of(self, day: date, symbol: str, expiry: date) -> ArchivedChain | None:
        """Where a day has a chain, if it does."""
        chains = self.index(day).chains
        return next((item for item in chains if item.symbol == symbol and item.expiry == expiry), None)

    def write(self, day: date, chains: Iterable[ChainOfDay]) -> ArchivedDay:
        """Write a day, in place of what is there of it; nothing counts before all was read back.

        Raises HistoryError where what was read back is not what was written.
        """
        paths = {kind: self._file(kind, day) for kind in ("chains", "metrics")}
        parts = {kind: path.with_suffix(".part") for kind, path in paths.items()}
        for path in (*paths.values(), self._day_file(day)):
            path.parent.mkdir(parents=True, exist_ok=True)
        entries: list[ArchivedChain] = []
        sums = {kind: _Sums() for kind in parts}
        waiting: list[ChainOfDay] = []
        groups = 0
        with self._writers(parts) as writers:

            def put(kind: str, columns: Mapping[str, Any]) -> None:
                table = self._table(columns)
                writers[kind].write_table(table, row_group_size=max(1, table.num_rows))
                sums[kind].add(columns)

            for chain in chains:
                if not chain.runs:
                    continue
                if waiting and waiting[-1].symbol != chain.symbol:
                    put("metrics", _together([_minutes(item) for item in waiting]))
                    waiting, groups = [], groups + 1
                waiting.append(chain)
                put("chains", _contracts(chain))
                entries.append(_entry(chain, len(entries), groups))
            if waiting:
                put("metrics", _together([_minutes(item) for item in waiting]))
        for kind, part in parts.items():
            self._verify(part, sums[kind])
        for kind, part in parts.items():
            part.replace(paths[kind])
        about = {
            "schema": SCHEMA,
            "day": day.isoformat(),
            "rows": sums["chains"].rows,
            "bytes": sum(path.stat().st_size for path in paths.values()),
            "sha256": {kind: _sha256(path) for kind, path in paths.items()},
            "chains": [{**asdict(item), "expiry": item.expiry.isoformat()} for item in entries],
        }
        part = self._day_file(day).with_suffix(".part")
        part.write_text(json.dumps(about))
        part.replace(self._day_file(day))
        return self.index(day)

    def chain(
        self, day: date, symbol: str, expiry: date, strikes: Sequence[float] | None = None
    ) -> list[StoredChain]:
        """The records of a chain on a day, in runs of one list of strikes; of some strikes only if named."""
        found = self.chain_of(day, symbol, expiry)
        if found is None:
            return []
        rows = self._columns("chains", day, found.row_group, (*_LISTED[2:], *_CONTRACT, *RECORD_FIELDS))
        minutes = self._figures(day, found, _OF_MINUTE)
        return _runs(symbol, expiry, rows, minutes, strikes)

    def metrics(
        self, day: date, symbol: str, expiry: date, of: Sequence[str] = METRICS
    ) -> dict[str, FloatArray]:
        """Some figures of a chain on a day, beside their ``minute_ms``; empty where there are none."""
        found = self.chain_of(day, symbol, expiry)
        if found is None:
            return {name: np.empty(0) for name in ("minute_ms", *of)}
        columns = self._figures(day, found, ("minute", "has_metrics", *of))
        known = columns["has_metrics"].astype(bool)
        series = {name: columns[name][known] for name in of}
        return {"minute_ms": columns["minute"][known].astype(np.float64), **series}

    def spots(self, day: date, symbol: str) -> tuple[IntArray, FloatArray]:
        """Prices of an underlying on a day, as the records of its chains tell them."""
        minutes, prices = [np.empty(0, np.int64)], [np.empty(0)]
        for item in self.index(day).chains:
            if item.symbol == symbol:
                columns = self._figures(day, item, ("minute", "spot"))
                minutes.append(columns["minute"].astype(np.int64))
                prices.append(columns["spot"])
        times, first = np.unique(np.concatenate(minutes), return_index=True)
        return times, np.concatenate(prices)[first]

    def _figures(self, day: date, chain: ArchivedChain, names: Sequence[str]) -> dict[str, Any]:
        """Columns of a chain's minutes, out of the row group that its symbol has."""
        columns = self._columns("metrics", day, chain.metrics_group, ("expiry", *names))
        of_it = columns["expiry"].astype("datetime64[D]") == np.datetime64(chain.expiry)
        return {name: columns[name][of_it] for name in names}

    def _file(self, kind: str, day: date) -> Path:
        return self.folder / kind / f"day={day.isoformat()}" / "part.parquet"

    def _day_file(self, day: date) -> Path:
        return self.folder / "days" / f"{day.isoformat()}.json"

    def _read_index(self, day: date, _changed_ns: int) -> ArchivedDay:
        try:
            tree = json.loads(self._day_file(day).read_text())
            if tree["schema"] != SCHEMA:
                raise HistoryError(
                    f"The archive of {day} has schema {tree['schema']}, this server reads {SCHEMA}."
                )
            chains = tuple(
                ArchivedChain(
                    **{
                        **item,
                        "expiry": date.fromisoformat(item["expiry"]),
                        "sources": tuple(item["sources"]),
                    }
                )
                for item in tree["chains"]
            )
            return ArchivedDay(day, tree["rows"], tree["bytes"], chains)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HistoryError(f"The archive of {day} cannot be read: {error}.", is_lasting=True) from error

    def _read_footer(self, path: Path, _changed_ns: int) -> Any:
        return self._parquet.read_metadata(path)

    def _columns(self, kind: str, day: date, row_group: int, names: Sequence[str]) -> dict[str, Any]:
        """Columns of a row group as arrays: what is not known is NaN."""
        path = self._file(kind, day)
        try:
            footer = self._footer(path, path.stat().st_mtime_ns)
            with self._parquet.ParquetFile(path, metadata=footer) as file:
                table = file.read_row_group(row_group, columns=list(names), use_threads=False)
        except (OSError, ValueError, KeyError) as error:
            raise HistoryError(f"The archive of {day} cannot be read: {error}.", is_lasting=True) from error
        return {name: table.column(name).to_numpy(zero_copy_only=False) for name in names}

    @contextmanager
    def _writers(self, parts: Mapping[str, Path]) -> Iterator[dict[str, Any]]:
        arrow = self._arrow
        listed = [
            ("symbol", arrow.dictionary(arrow.int32(), arrow.string())),
            ("expiry", arrow.date32()),
            ("kind", arrow.dictionary(arrow.int32(), arrow.string())),
            ("expires_at", arrow.int64()),
            ("lot_size", arrow.int64()),
        ]
        contract = [("strike", arrow.int64()), ("is_call", arrow.bool_()), ("token", arrow.int64())]
        whole = [("minute", arrow.int64()), *((name, arrow.int64()) for name in RECORD_FIELDS)]
        of_minute = [("minute", arrow.int64()), ("as_of", arrow.int64()), ("source", arrow.int64())]
        figures = [("spot", arrow.float64()), ("future", arrow.float64()), ("has_metrics", arrow.bool_())]
        figures += [(name, arrow.float64()) for name in METRICS]
        self._schemas = {
            "chains": arrow.schema([*listed, *contract, *whole]),
            "metrics": arrow.schema([*listed[:2], *of_minute, *figures]),
        }
        writers: dict[str, Any] = {}
        try:
            for kind, part in parts.items():
                schema = self._schemas[kind]
                packed = [field.name for field in schema if field.type == arrow.int64()]
                writers[kind] = self._parquet.ParquetWriter(
                    part,
                    schema,
                    compression="zstd",
                    compression_level=COMPRESSION_LEVEL,
                    use_dictionary=["symbol", "kind"],
                    # what queries select by: of all columns they would double what is read of each file first
                    write_statistics=["symbol", "expiry", "strike", "minute"],
                    column_encoding=dict.fromkeys(packed, "DELTA_BINARY_PACKED"),
                )
            yield writers
        finally:
            for writer in writers.values():
                writer.close()

    def _table(self, columns: Mapping[str, Any]) -> Any:
        schema = self._schemas["chains" if "strike" in columns else "metrics"]
        arrays = []
        for field in schema:
            values = columns[field.name]
            if isinstance(values, np.ndarray) and values.dtype == np.float64:
                missing = np.isnan(values)
                values = values if field.type == self._arrow.float64() else np.where(missing, 0, values)
                whole = field.type == self._arrow.int64()
                values = np.rint(values).astype(np.int64) if whole else values
                arrays.append(self._arrow.array(values, field.type, mask=missing))
            else:
                arrays.append(self._arrow.array(values, field.type))
        return self._arrow.Table.from_arrays(arrays, schema=schema)

    def _verify(self, part: Path, written: _Sums) -> None:
        """Read all back and compare. Raises HistoryError."""
        found = _Sums()
        with self._parquet.ParquetFile(part) as file:
            for place in range(file.num_row_groups):
                table = file.read_row_group(place, use_threads=False)
                found.add(
                    {
                        name: table.column(name).to_numpy(zero_copy_only=False)
                        for name in table.column_names
                        if name not in _LISTED
                    }
                )
        if found != written:
            raise HistoryError(f"{part} does not hold what was written to it; nothing was deleted.")


class _Sums:
    """Rows, and for each column the sum and the number of what is known: two files that agree are one."""

    def __init__(self) -> None:
        self.rows = 0
        self.of: dict[str, tuple[float, int]] = {}

    def add(self, columns: Mapping[str, Any]) -> None:
        """Count columns of one length."""
        self.rows += len(columns["minute"])
        for name, values in columns.items():
            if name in _LISTED:
                continue
            numbers = np.asarray(values, np.float64)
            known = numbers[~np.isnan(numbers)]
            total, count = self.of.get(name, (0.0, 0))
            self.of[name] = total + float(known.sum()), count + len(known)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sums) and (self.rows, self.of) == (other.rows, other.of)

    __hash__ = None  # type: ignore[assignment]


def _listed(chain: ChainOfDay, count: int) -> dict[str, Any]:
    """What is the same in all rows of a chain."""
    return {"symbol": [chain.symbol] * count, "expiry": [chain.expiry] * count}


def _contracts(chain: ChainOfDay) -> dict[str, Any]:
    """A row a contract and minute."""
    parts: dict[str, list[Any]] = {name: [] for name in (*_CONTRACT, *RECORD_FIELDS, *_LISTED[2:])}
    for run in chain.runs:
        contracts, minutes = 2 * len(run.strikes), len(run.minute_ms)
        parts["strike"].append(np.repeat(np.rint(np.tile(run.strikes, 2) * _HUNDREDTHS), minutes))
        parts["is_call"].append(np.repeat(np.arange(contracts) < len(run.strikes), minutes))
        parts["token"].append(np.repeat(run.tokens, minutes))
        parts["minute"].append(np.tile(run.minute_ms, contracts))
        for name in RECORD_FIELDS:
            parts[name].append(np.rint(run.fields[name].T.ravel() * PARTS.get(name, _HUNDREDTHS)))
        rows = contracts * minutes
        parts["kind"].append(np.repeat(np.array([str(run.kind)], object), rows))
        parts["expires_at"].append(np.repeat(run.expires_at_ms, rows))
        parts["lot_size"].append(np.repeat(np.nan if run.lot_size is None else float(run.lot_size), rows))
    columns = {name: np.concatenate(values) for name, values in parts.items()}
    order = np.lexsort((columns["minute"], columns["strike"], ~columns["is_call"]))
    columns = {name: values[order] for name, values in columns.items()}
    return {**columns, **_listed(chain, len(order))}


def _minutes(chain: ChainOfDay) -> dict[str, Any]:
    """A row a minute of a chain."""
    names = {
        "minute": "minute_ms",
        "as_of": "as_of_ms",
        "source": "source",
        "spot": "spot",
        "future": "forward",
    }
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(run, of) for run in chain.runs]) for name, of in names.items()
    }
    times = chain.metrics["minute_ms"].astype(np.int64)
    place = np.searchsorted(times, columns["minute"])
    inside = np.minimum(place, max(len(times) - 1, 0))
    has = times[inside] == columns["minute"] if len(times) else np.zeros(len(place), bool)
    for name in METRICS:
        values = chain.metrics[name]
        columns[name] = np.where(has, values[inside], np.nan) if len(times) else np.full(len(place), np.nan)
    return {**columns, "has_metrics": has, **_listed(chain, len(place))}


def _together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Columns one after the other."""
    return {
        name: [item for part in parts for item in part[name]]
        if isinstance(values, list)
        else np.concatenate([part[name] for part in parts])
        for name, values in parts[0].items()
    }


def _entry(chain: ChainOfDay, row_group: int, metrics_group: int) -> ArchivedChain:
    minutes = np.concatenate([run.minute_ms for run in chain.runs])
    as_of = np.concatenate([run.as_of_ms for run in chain.runs])
    sources = np.unique(np.concatenate([run.source for run in chain.runs])).tolist()
    ends = int(minutes.min()), int(minutes.max()), int(as_of.min()), int(as_of.max())
    return ArchivedChain(chain.symbol, chain.expiry, row_group, metrics_group, *ends, tuple(sources))


def _runs(
    symbol: str,
    expiry: date,
    rows: Mapping[str, Any],
    minutes: Mapping[str, Any],
    strikes: Sequence[float] | None,
) -> list[StoredChain]:
    """Rows as chains again: a run for each list of strikes that held for a while."""
    strike, is_call = rows["strike"] / _HUNDREDTHS, rows["is_call"].astype(bool)
    begins = np.flatnonzero(np.append(True, (strike[1:] != strike[:-1]) | (is_call[1:] != is_call[:-1])))
    contract = np.cumsum(np.isin(np.arange(len(strike)), begins)) - 1
    times, line = np.unique(rows["minute"].astype(np.int64), return_inverse=True)
    listed = np.zeros((len(times), len(begins)), bool)
    listed[line, contract] = True
    of_minute = np.searchsorted(minutes["minute"], times)
    changes = np.flatnonzero(np.append(True, (listed[1:] != listed[:-1]).any(axis=1)))
    found = []
    for first, stop in zip(changes, [*changes[1:], len(times)], strict=True):
        shown = listed[first]
        if strikes is not None:
            shown = shown & np.isin(strike[begins], strikes)
        columns = np.flatnonzero(shown)
        fields = {}
        for name in RECORD_FIELDS:
            table = np.full((stop - first, len(begins)), np.nan)
            inside = (line >= first) & (line < stop)
            values = np.asarray(rows[name], np.float64)[inside] / PARTS.get(name, _HUNDREDTHS)
            table[line[inside] - first, contract[inside]] = values
            fields[name] = table[:, columns]
        at = begins[columns]
        of = of_minute[first:stop]
        lot = float(rows["lot_size"][at[0]]) if len(at) else np.nan
        found.append(
            StoredChain(
                symbol=symbol,
                expiry=expiry,
                kind=str(rows["kind"][begins[0]]),
                expires_at_ms=int(rows["expires_at"][begins[0]]),
                lot_size=None if np.isnan(lot) else int(lot),
                strikes=strike[at][: len(at) // 2],
                tokens=rows["token"][at].astype(np.int64),
                minute_ms=times[first:stop],
                as_of_ms=minutes["as_of"][of].astype(np.int64),
                source=minutes["source"][of].astype(np.int64),
                spot=np.asarray(minutes["spot"], np.float64)[of],
                forward=np.asarray(minutes["future"], np.float64)[of],
                fields=fields,
            )
        )
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
