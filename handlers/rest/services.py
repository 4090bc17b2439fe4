"""What the handlers work on: parts that were built, each complete, before the first request."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from feed.history.history import History
from feed.history.metric_series import MetricSeries
from feed.history.past_states import PastStates
from feed.market.clock import Clock
from feed.market.faults import Faults
from feed.market.guard import Guard
from feed.market.market import Market
from feed.market.source import Simulated
from feed.market.ticker import Ticker
from feed.reference.calendar import Calendar
from feed.replay.control import ReplayControl
from handlers.monitoring.health import Health
from handlers.monitoring.logs import FailureLog
from handlers.monitoring.loop_lag import LoopLag
from handlers.streams.market_status import MarketStatus
from handlers.streams.views import Views


@dataclass(slots=True)
class Services:
    """Everything a handler may use; ``answering`` are the handlers at work."""

    market: Market
    views: Views
    status: MarketStatus
    calendar: Calendar
    clock: Clock
    ticker: Ticker
    history: History
    past: PastStates
    series: MetricSeries
    version: str
    api_timeout_s: float
    max_body_bytes: int
    loop_lag: LoopLag
    health: Health
    guard: Guard
    failures: FailureLog
    replay: ReplayControl | None
    simulated: Simulated | None
    faults: Faults
    may_control: bool
    socket_statistics: Callable[[], dict[str, Any]]
    notify_feed: Callable[[], Awaitable[None]]
    mock_figures: Callable[[], Mapping[str, int]] | None = None  # of a mock that runs beside
    feed_url: str = ""  # of who answers about the past, where this process has no store
    started_s: float = field(default_factory=time.monotonic)
    answering: WeakSet[Any] = field(default_factory=WeakSet)  # one whose client went is collected
