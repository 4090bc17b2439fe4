"""The history store of a server or of a command, as the settings want it."""

from __future__ import annotations

import logging
from pathlib import Path

from feed.history.history import History, Retention
from feed.market.clock import Clock
from feed.market.guard import Guard
from feed.reference.calendar import Calendar
from feed.valuation.minute_metrics import MinuteMetrics
from schemas.configuration.settings import DEFAULT_STORE, Settings

logger = logging.getLogger("server")


def make_history(
    settings: Settings,
    calendar: Calendar,
    clock: Clock,
    guard: Guard,
    *,
    term: int | None = None,
    follows: bool = False,
) -> History:
    """The store; a sandbox or a replay has a past of its own, which must not mix with what is kept."""
    kept, feed = settings.history, settings.feed
    if clock.virtual is not None and kept.database_url not in ("", DEFAULT_STORE):
        logger.warning(
            "history.database_url is not used: a market with a virtual clock keeps its own history in memory"
        )
    return History(
        (kept.database_url or None) if clock.virtual is None else None,
        calendar=calendar,
        hours=feed.hours,
        flush_interval_s=kept.flush_interval_s,
        retention=retention_of(settings),
        valuation=guard.wraps("minute_metrics", MinuteMetrics(feed.interest_rate)),
        follows=follows,
        term=term,
        archive_folder=archive_folder(settings) if clock.virtual is None else None,
    )


def archive_folder(settings: Settings) -> Path | None:
    """Where old sessions go, None where they stay."""
    return Path(settings.history.archive_folder) if settings.history.archive_folder else None


def retention_of(settings: Settings) -> Retention:
    """How long a store keeps what; 0 days in the settings is for ever, and so is what is archived first."""
    policy = settings.history
    is_archived = bool(policy.archive_folder)
    return Retention(
        minute_candles_days=policy.minute_candles_days or None,
        daily_candles_days=policy.daily_candles_days or None,
        chains_days=None if is_archived else policy.chains_days or None,
        metrics_days=None if is_archived else policy.metrics_days or None,
    )
