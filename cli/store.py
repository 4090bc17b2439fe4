"""What the commands of a history store share: their context, and how arguments are read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from cli.options import PROGRAM, load_settings
from feed.history.history import HistoryError, Retention
from feed.market.clock import WallClock
from feed.recordings.text import local_ms, parse_moment
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue
from feed.transfer.archive import Archive
from feed.valuation.minute_metrics import MinuteMetrics
from handlers.operations.store import archive_folder, retention_of

INTERRUPTED = 130  # as a shell says it of SIGINT
REFUSED = 2


@dataclass(frozen=True, slots=True)
class Context:
    """What a command works with: the store, how the market runs, and where to write to."""

    url: str | None  # None keeps it in memory
    hours: str
    retention: Retention
    interest_rate: float
    now_ms: int
    out: TextIO
    err: TextIO
    calendar_override: Path | None = None
    archive_folder: Path | None = None
    archive_after_days: int = 20

    def open(self, *, writable: bool = False) -> Archive:
        """The store. Raises HistoryError."""
        calendar = Calendar.load(override=self.calendar_override)
        return Archive(
            self.url,
            calendar=calendar,
            catalogue=Catalogue.load(calendar),
            hours=self.hours,
            writable=writable,
            valuation=MinuteMetrics(self.interest_rate),
            archive_folder=self.archive_folder,
        )


Action = Callable[[argparse.Namespace, Context], int]


def run_on_store(
    action: Action, options: argparse.Namespace, environment: Mapping[str, str], *, needs_store: bool = True
) -> int:
    """Do something with the store that the settings name; 2 where it is refused, with a sentence."""
    settings = load_settings(options, environment)
    override = settings.feed.calendar_override
    context = Context(
        url=settings.history.database_url,
        hours=settings.feed.hours,
        retention=retention_of(settings),
        interest_rate=settings.feed.interest_rate,
        now_ms=WallClock(settings.feed.publish_interval_ms).now_ms(),
        out=sys.stdout,
        err=sys.stderr,
        calendar_override=Path(override) if override else None,
        archive_folder=archive_folder(settings),
        archive_after_days=settings.history.archive_after_days,
    )
    return guarded(action, options, context, needs_store=needs_store)


def guarded(
    action: Action, options: argparse.Namespace, context: Context, *, needs_store: bool = True
) -> int:
    """Do it; a refusal is a sentence, and an interrupt says that the command goes on where it was."""
    try:
        if needs_store and not context.url:
            raise HistoryError("history.database_url is empty, so there is no store: name one.")
        return action(options, context)
    except HistoryError as error:
        context.err.write(f"{PROGRAM}: {error}\n")
        return REFUSED
    except KeyboardInterrupt:
        context.err.write(f"\n{PROGRAM}: stopped; the same command goes on from here.\n")
        return INTERRUPTED


def instant(text: str) -> int:
    """A day or an instant of the command line; one without an offset is India's."""
    try:
        moment = parse_moment(text)
    except ValueError:
        message = f"must be a date such as 2026-11-23 or an instant, was {text!r}"
        raise argparse.ArgumentTypeError(message) from None
    return local_ms(moment.day) if moment.time_ms is None else moment.time_ms
