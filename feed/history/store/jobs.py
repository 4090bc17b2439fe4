"""What the writer writes: closed minutes, and the part of the running one."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from feed.history.memory.days import DayRows
from feed.history.store.candle_rows import known, write_minutes, write_running_days
from feed.history.store.chains import ChainEncoder
from feed.history.store.codec import FloatArray
from feed.history.store.database import write_rows
from feed.history.store.registry import Registry
from feed.history.store.tables import chain_metrics, chain_minutes
from feed.market.candles import Candles
from feed.market.forming import Bars, ClosedMinute
from feed.valuation.minute_metrics import METRICS, ChainMetrics, Valuation

logger = logging.getLogger(__name__)


class MinuteJob:
    """A closed minute of the market: candles and days of underlyings, and every chain's record."""

    urgent = False

    def __init__(
        self,
        registry: Registry,
        encoder: ChainEncoder,
        minute: ClosedMinute,
        days: DayRows | None,
        valuation: ChainMetrics | Valuation | None = None,
    ) -> None:
        self.minute = minute
        self._registry = registry
        self._encoder = encoder
        self._days = days
        self._valuation = valuation

    def write(self, connection: Connection) -> None:
        """Write the minute; see ``feed.history.store.writer.Job``."""
        minute = self.minute
        if callable(self._valuation):
            self._valuation = _valued(self._valuation, minute)
        names = [underlying.symbol for underlying in minute.universe.underlyings]
        ids = self._registry.symbol_ids(connection, names)
        if self._days is not None:
            self._write_underlyings(connection, [ids[name] for name in names], self._days)
        write_chains(connection, self._registry, self._encoder, minute, self._valuation)

    def undo(self) -> None:
        """Forget numbers and states that the failed transaction was to keep."""
        self._registry.clear()
        self._encoder.reset()

    def _write_underlyings(self, connection: Connection, symbol_ids: list[int], days: DayRows) -> None:
        minute = self.minute
        write_minutes(
            connection, _minute_candles(minute.underlyings, minute.start_ms, minute.source, symbol_ids)
        )
        write_running_days(connection, days, minute.source, symbol_ids, self._session_atm_iv())

    def _session_atm_iv(self) -> FloatArray | None:
        return self._valuation.session_atm_iv if isinstance(self._valuation, ChainMetrics) else None


def _valued(valuation: Valuation, minute: ClosedMinute) -> ChainMetrics | None:
    """The figures of a minute; without them its prices are still worth keeping."""
    try:
        return valuation(minute)
    except (ValueError, ArithmeticError, LookupError):
        logger.exception("the chains of a minute could not be valued")
        return None


class PartJob:
    """The minute that is being formed as it stands, underlyings only: it outlives a kill of the server."""

    urgent = False

    def __init__(
        self,
        registry: Registry,
        names: Sequence[str],
        bars: Bars,
        days: DayRows,
        start_ms: int,
        source: int,
    ) -> None:
        self._registry = registry
        self._names = names
        self._bars = bars
        self._days = days
        self._start_ms = start_ms
        self._source = source

    def write(self, connection: Connection) -> None:
        """Write the part; see ``feed.history.store.writer.Job``."""
        ids = self._registry.symbol_ids(connection, self._names)
        symbol_ids = [ids[name] for name in self._names]
        write_minutes(connection, _minute_candles(self._bars, self._start_ms, self._source, symbol_ids))
        write_running_days(connection, self._days, self._source, symbol_ids, None)

    def undo(self) -> None:
        """Forget numbers that the failed transaction was to keep."""
        self._registry.clear()


class MinutesJob:
    """Minutes of an underlying that were missed, in place of what was recorded of them."""

    urgent = False

    def __init__(self, registry: Registry, symbol: str, minutes: Candles) -> None:
        self._registry = registry
        self._symbol = symbol
        self._minutes = minutes

    def write(self, connection: Connection) -> None:
        """Write them; see ``feed.history.store.writer.Job``."""
        ids = self._registry.symbol_ids(connection, [self._symbol])
        write_minutes(connection, {ids[self._symbol]: self._minutes})

    def undo(self) -> None:
        """Forget numbers that the failed transaction was to keep."""
        self._registry.clear()


def _minute_candles(bars: Bars, start_ms: int, source: int, symbol_ids: Sequence[int]) -> dict[int, Candles]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    time_ms = np.array([start_ms])
    return {
        symbol_ids[row]: Candles.of(time_ms, [column[row : row + 1] for column in columns], source)
        for row in np.flatnonzero(bars.touched).tolist()
    }


def write_chains(
    connection: Connection,
    registry: Registry,
    encoder: ChainEncoder,
    minute: ClosedMinute,
    metrics: ChainMetrics | Valuation | None,
) -> None:
    """Write the record and the metrics of every listing that changed in a minute."""
    values = metrics if isinstance(metrics, ChainMetrics) else None
    spot = minute.underlyings.close
    records, series = [], []
    volatility = values.implied_volatility if values else None
    recorded = registry.recorded(connection, minute)
    encoded = list(encoder.encode(minute, volatility, recorded))
    told = [minute.universe.listings[row] for row, _, _ in encoded]
    ids = registry.chain_ids(connection, (listing.key for listing in told))
    listing_ids = registry.listing_ids(connection, told)
    for (row, key_ms, record), listing, listing_id in zip(encoded, told, listing_ids, strict=True):
        chain_id = ids[listing.key]
        records.append(
            {
                "chain_id": chain_id,
                "minute_ms": minute.start_ms,
                "key_ms": key_ms,
                "as_of_ms": minute.as_of_ms,
                "listing_id": listing_id,
                "source": minute.source,
                "spot": known(float(spot[listing.underlying_row])),
                "forward": known(minute.forward(row)),
                "record": record,
            }
        )
        if values:
            series.append(
                {"chain_id": chain_id, "minute_ms": minute.start_ms}
                | {
                    name: known(float(values.values[name][row])) if name in values.values else None
                    for name in METRICS
                }
            )
    write_rows(connection, chain_minutes, records)
    write_rows(connection, chain_metrics, series)
