"""A simulated market over a store that is kept, under a virtual clock; the server gives such a one none."""

from __future__ import annotations

from datetime import datetime

from domain.instants import to_datetime, to_ms
from feed.history.history import History, Reach
from feed.market.clock import VirtualClock
from feed.market.market import Market
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.simulation.source import SimulatedSource
from feed.valuation.minute_metrics import MinuteMetrics
from handlers.operations.market import MarketParts
from tests.conftest import Parts, settings_of
from tests.processes import FEW_SYMBOLS

CALENDAR = Calendar.load()
CATALOGUE = Catalogue.load(CALENDAR, symbols=FEW_SYMBOLS)


def at(text):
    """An instant in India in milliseconds."""
    return to_ms(datetime.fromisoformat(text + "+05:30"))


def kept_market(url, start_ms, *, hours="always", seed=3, step_ms=20_000, reach=None):
    """The parts of a server that goes on where the store's last one stopped."""
    feed = {"start": to_datetime(start_ms).isoformat(), "hours": hours, "seed": seed}
    history = History(url, calendar=CALENDAR, hours=hours, valuation=MinuteMetrics(0.065))
    source = SimulatedSource(
        CATALOGUE,
        CALENDAR,
        seed=seed,
        start_ms=start_ms,
        hours=hours,
        previous_run=history.previous_run(CATALOGUE.underlyings, start_ms),
    )
    market = Market(
        source.universe, source="simulated", epoch=str(start_ms), interest_rate=0.065, stale_after_s=60
    )
    history.start(market, start_ms, source)
    history.backfill(source, reach=reach or Reach(5, 2), eager=False)
    clock = VirtualClock(start_ms, step_ms, step_ms / 500)
    return Parts(settings_of(feed=feed), MarketParts(CALENDAR, clock, source, market, history))
