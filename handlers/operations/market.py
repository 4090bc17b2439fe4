"""The market of a server, put together from its settings: what moves it, and what keeps its past."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.instants import to_ms
from domain.market import SourceName
from domain.refusals import StartError
from domain.version import VERSION
from feed.history.history import History
from feed.history.volatility_history import Volatilities
from feed.market.clock import Clock, VirtualClock, WallClock
from feed.market.epoch import contents, data_files, digest
from feed.market.guard import Guard
from feed.market.market import Market
from feed.market.source import Capabilities, Source
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, UnknownSymbol
from feed.relay.facts import facts_of
from feed.relay.followed_market import FollowedMarket
from feed.relay.follower import Follower, Received
from feed.relay.source import FollowClock, FollowedFeed, FollowedVolatilities, RelaySource, SilenceLimits
from feed.relay.standby import Warm
from feed.replay.playback import Replay
from feed.replay.source import ReplaySource
from feed.replay.stored_day import StoredDay, StoreReplay
from feed.simulation.source import SimulatedSource
from handlers.operations.live import LIVE_SOURCES, connect
from handlers.operations.serving import fill_past
from handlers.operations.store import make_history
from schemas.configuration.settings import Settings


@dataclass(frozen=True, slots=True)
class Relayed:
    """What stands for parts of its own where another process makes the market."""

    feed: FollowedFeed
    volatilities: Volatilities


@dataclass(frozen=True, slots=True)
class MarketParts:
    """A market, what moves it and what keeps its past."""

    calendar: Calendar
    clock: Clock
    source: Source
    market: Market
    history: History
    relayed: Relayed | None = None


@dataclass(frozen=True, slots=True)
class Succession:
    """The leadership under which a feed makes its market, and where another one left it."""

    term: int
    warm: Warm | None


def build_market(settings: Settings, guard: Guard, succession: Succession | None = None) -> MarketParts:
    """The market, as it is before its first step; that of a feed goes on where another one left it."""
    feed = settings.feed
    calendar = _calendar(settings)
    catalogue = catalogue_of(settings, calendar)
    recording = _open_recording(settings, calendar, catalogue) if feed.source == SourceName.REPLAY else None
    clock = _make_clock(settings, recording)
    term = succession.term if succession is not None else None
    # a market of a time of its own begins where its settings say, whoever had it before
    warm = succession.warm if succession is not None and clock.virtual is None else None
    history = make_history(settings, calendar, clock, guard, term=term)
    source: Source
    if recording is not None:
        source = recording
    elif feed.source in LIVE_SOURCES:
        source = connect(
            settings,
            catalogue,
            clock,
            chance_of(settings, clock),
            history.previous_interest,
            history.lay_over,
        )
    else:
        source = _simulate(settings, calendar, catalogue, clock.now_ms(), history, warm)
    can = Capabilities.of(source)
    step_ms = max(feed.publish_interval_ms * feed.speed, can.step_ms)
    market = Market(
        source.universe,
        source=source.name,
        epoch=_epoch(settings, clock, recording, term),
        interest_rate=feed.interest_rate,
        stale_after_s=max(feed.stale_after_s, 2 * step_ms / 1000),
    )
    history.start(market, clock.now_ms(), can.simulated, warm.remembered if warm is not None else None)
    if clock.virtual is not None:
        # on demand, whenever that is: what is answered at a virtual instant must not depend on real time
        fill_past(settings, can, history, eager=False)
    return MarketParts(calendar, clock, source, market, history)


def build_followed(
    settings: Settings,
    received: Received,
    follower: Follower,
    guard: Guard,
    clock: FollowClock,
    monotonic: Callable[[], float] = time.monotonic,
) -> tuple[MarketParts, RelaySource]:
    """The market that a feed makes, as of the image that was received first. Raises HistoryError."""
    assert received.image is not None
    relay = settings.relay
    calendar = _calendar(settings)
    market = FollowedMarket(received.image)
    clock.take(received.image.header.at_ms, received.image.header.step_ms, is_virtual=False)
    history = make_history(settings, calendar, clock, guard, follows=True)
    feed = FollowedFeed()
    source = RelaySource(
        market,
        follower,
        clock,
        feed,
        history,
        limits=SilenceLimits(relay.silent_after_s, settings.feed.stale_after_s),
        facts=facts_of(market, settings.feed.calendar_override),
        edge=settings.server.edge_name or uuid.uuid4().hex[:6],
        guard=guard,
        monotonic=monotonic,
    )
    history.follow(market, source.told)
    source.take_first(received)
    relayed = Relayed(feed, FollowedVolatilities(source))
    return MarketParts(calendar, clock, source, market, history, relayed), source


def catalogue_of(settings: Settings, calendar: Calendar) -> Catalogue:
    """The underlyings that are served. Raises StartError."""
    try:
        return Catalogue.load(calendar, symbols=settings.feed.symbols)
    except UnknownSymbol as error:
        near = f"; near it: {', '.join(error.suggestions)}" if error.suggestions else ""
        raise StartError(
            f"feed.symbols must be symbols of underlyings, was {error.symbol!r}{near}."
        ) from None


def chance_of(settings: Settings, clock: Clock) -> random.Random:
    """Spreads what many servers would else do at once; in a sandbox by its seed."""
    return random.Random(None if clock.virtual is None else settings.feed.seed)


def _calendar(settings: Settings) -> Calendar:
    override = settings.feed.calendar_override
    return Calendar.load(override=Path(override) if override else None)


def _make_clock(settings: Settings, recording: Replay | None) -> Clock:
    """The market's time: real, or made where a start, a speed or a recording asks for it."""
    feed = settings.feed
    step_ms = max(1, round(feed.publish_interval_ms * feed.speed))
    if recording is not None:
        return VirtualClock(recording.start_ms, step_ms, feed.speed)
    wall = WallClock(feed.publish_interval_ms)
    if feed.start is None and feed.speed == 1:
        return wall
    return VirtualClock(to_ms(feed.start) if feed.start else wall.now_ms(), step_ms, feed.speed)


def _open_recording(settings: Settings, calendar: Calendar, catalogue: Catalogue) -> Replay:
    """A file, or a day of a store, to be replayed. Raises StartError, RecordingError, HistoryError."""
    replay = settings.replay
    if not replay.file:
        raise StartError("feed.source is replay, so replay.file (or --replay FILE) must name a recording.")
    stored = StoredDay.parse(replay.file)
    if stored is not None:
        hours = settings.feed.hours
        return StoreReplay(stored, catalogue=catalogue, calendar=calendar, hours=hours, loop=replay.loop)
    return ReplaySource.open(
        Path(replay.file),
        catalogue=catalogue,
        calendar=calendar,
        spot=replay.spot or None,
        loop=replay.loop,
    )


def _simulate(
    settings: Settings,
    calendar: Calendar,
    catalogue: Catalogue,
    now_ms: int,
    history: History,
    warm: Warm | None,
) -> SimulatedSource:
    """A simulated market that goes on where the last one stopped: a feed's, or what history says."""
    feed = settings.feed
    return SimulatedSource(
        catalogue,
        calendar,
        seed=feed.seed,
        start_ms=now_ms,
        hours=feed.hours,
        scenario=feed.scenario,
        interest_rate=feed.interest_rate,
        previous_run=(
            warm.previous_run if warm is not None else history.previous_run(catalogue.underlyings, now_ms)
        ),
    )


def _epoch(settings: Settings, clock: Clock, recording: Replay | None, term: int | None) -> str:
    """What prices and their numbers depend on, the pace of publishing included.

    On the wall clock, and of a store that may be recorded into, a start is never like another one; nor are
    those of two feeds, whatever they have in common.
    """
    feed, file = settings.feed, settings.replay.file
    parts: list[object] = [VERSION, feed, settings.replay, clock.now_ms()]
    parts += contents(*data_files(), *([Path(feed.calendar_override)] if feed.calendar_override else []))
    if recording is not None:
        parts += contents(Path(file))
    if clock.virtual is None or StoredDay.parse(file) is not None:
        parts.append(uuid.uuid4())
    kind = "sim" if feed.source == SourceName.SIMULATED else feed.source
    return f"{kind}-{digest(parts)}" if term is None else f"{kind}-{digest(parts)}-t{term}"
