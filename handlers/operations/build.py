"""The parts of a server, put together from its settings: a market, and an edge around it."""

from __future__ import annotations

import logging
import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.instants import to_ms
from domain.market import FEED_FAULTS, MOCK_FAULTS, FaultKind, SourceName
from domain.version import VERSION
from feed.history.history import History, Retention
from feed.history.metric_series import MetricSeries
from feed.history.past_states import PastStates
from feed.history.volatility_history import Volatilities, VolatilityHistory
from feed.market.clock import Clock, VirtualClock, WallClock
from feed.market.epoch import contents, data_files, digest
from feed.market.faults import Faults
from feed.market.guard import Guard
from feed.market.market import Market
from feed.market.source import Capabilities, Source
from feed.market.ticker import Ticker
from feed.market.watchdog import FeedWatchdog, Watchdog
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue, UnknownSymbol
from feed.relay.facts import facts_of
from feed.relay.followed_market import FollowedMarket
from feed.relay.follower import Follower, Received
from feed.relay.source import FollowClock, FollowedFeed, FollowedVolatilities, RelaySource, SilenceLimits
from feed.relay.standby import Warm
from feed.replay.control import ReplayControl
from feed.replay.playback import Replay
from feed.replay.source import ReplaySource
from feed.replay.stored_day import StoredDay, StoreReplay
from feed.simulation.source import SimulatedSource
from feed.valuation.minute_metrics import MinuteMetrics
from handlers.access.admission import Admission, ClientLimits
from handlers.access.rules import AccessRules, is_loopback
from handlers.compat.smd import SmdStreams
from handlers.kite_mock.mock import KiteMock
from handlers.monitoring.health import Health
from handlers.monitoring.logs import FailureLog
from handlers.monitoring.loop_lag import LoopLag
from handlers.operations.application import make_application
from handlers.operations.live import LIVE_SOURCES, connect
from handlers.operations.serving import Server, StartError, fill_past
from handlers.rest.services import Services
from handlers.streams.alerts import Alerts
from handlers.streams.broadcaster import Broadcaster
from handlers.streams.candle_views import CandleViews
from handlers.streams.market_status import MarketStatus
from handlers.streams.namespace import MarketNamespace, make_socket_server
from handlers.streams.notifications import Notifier
from handlers.streams.statistics import StreamStatistics
from handlers.streams.views import Views
from handlers.transport.descriptors import Descriptors, open_file_limit
from handlers.transport.listener import CONNECTIONS_A_CLIENT, Listener
from handlers.transport.socket_server import SocketServer
from handlers.transport.tls import make_context
from schemas.configuration.settings import DEFAULT_STORE, Settings

MAX_HEADER_BYTES = 16384  # browsers send one or two kB; cookies of a shared host some more
HARD_LIMIT_FACTOR = 16
MAX_POLL_MS = 25  # how late a published state may be; a poll that finds nothing due costs microseconds

logger = logging.getLogger("server")


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


def build(settings: Settings) -> Server:
    """A server that is not started yet. Raises StartError, HistoryError and the errors of data files."""
    guard = Guard()
    return build_server(settings, build_market(settings, guard), guard)


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
    history = _make_history(settings, calendar, clock, guard, term=term)
    source: Source
    if recording is not None:
        source = recording
    elif feed.source in LIVE_SOURCES:
        source = connect(settings, catalogue, clock, chance_of(settings, clock), history.previous_interest)
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


def build_server(settings: Settings, parts: MarketParts, guard: Guard) -> Server:
    """An edge around a market: streams, doors and routes."""
    feed, limits, server = settings.feed, settings.limits, settings.server
    market, clock, history = parts.market, parts.clock, parts.history
    can = Capabilities.of(parts.source)
    failures, loop_lag, descriptors = FailureLog(), LoopLag(guard), Descriptors(open_file_limit())
    access = AccessRules(
        origins=server.frontend_url,
        api_keys=server.api_keys,
        trusted_proxies=server.trusted_proxies,
        rate_limit_per_minute=limits.rate_limit_per_minute,
        hosts=server.hosts,
        max_clients_per_address=limits.max_clients_per_address,
        is_local=is_loopback(server.host),
    )
    watchdog: Watchdog
    volatilities: Volatilities
    if (relayed := parts.relayed) is not None:
        watchdog, volatilities = relayed.feed, relayed.volatilities
    else:
        watchdog = FeedWatchdog(parts.calendar, hours=feed.hours, chance=chance_of(settings, clock))
        volatilities = VolatilityHistory(history, market, clock, guard)
    views = Views(market, clock, depth=feed.replay_depth, iv_history=volatilities)
    candles = CandleViews(market, history, clock)
    broadcaster = Broadcaster(
        publish_interval_ms=feed.publish_interval_ms,
        heartbeat_s=feed.heartbeat_s,
        slow_client_timeout_s=limits.slow_client_timeout_s,
        guard=guard,
    )
    status = MarketStatus(
        market,
        parts.calendar,
        clock,
        watchdog,
        pacing=broadcaster.pacing,
        hours=feed.hours,
        scenario=lambda: _scenario(can, relayed),
    )
    alerts = Alerts(views, guard)
    notifier = Notifier(views, candles, status, broadcaster, volatilities, alerts, guard)
    mock = _make_mock(settings, parts, guard)
    if mock is not None:
        notifier.observers.append(mock.publish)
    if can.steerable is not None:
        steerable = can.steerable
        notifier.observers.append(lambda _now_ms: steerable.follow(broadcaster.listings()))
        views.on_asked = lambda key: steerable.follow([key])
    faults = _faults(clock, history, broadcaster, mock, is_edge=relayed is not None)
    ticker = Ticker(
        parts.source,
        market,
        clock,
        history,
        watchdog,
        poll_ms=min(MAX_POLL_MS, feed.publish_interval_ms / 10),
        publish=notifier.publish,
        guard=guard,
        faults=faults,
    )
    admission = Admission(access, _client_limits(settings, descriptors))
    namespace = MarketNamespace(
        views,
        candles,
        status,
        broadcaster,
        admission,
        alerts,
        failures=failures,
        version=VERSION,
        companions=(
            SmdStreams(views, history, broadcaster.full_every, server.api_timeout_s)
            if settings.compat.smd
            else None
        ),
    )
    socket_server = make_socket_server(namespace, settings, failures, guard)
    statistics = StreamStatistics(broadcaster, admission, socket_server.eio, loop_lag)
    past = PastStates(history, market, parts.calendar, clock)
    services = Services(
        market=market,
        views=views,
        status=status,
        calendar=parts.calendar,
        clock=clock,
        ticker=ticker,
        history=history,
        past=past,
        series=MetricSeries(history, market, clock, past, views.value),
        version=VERSION,
        api_timeout_s=server.api_timeout_s,
        max_body_bytes=server.max_body_bytes,
        loop_lag=loop_lag,
        health=Health(
            ticker,
            history,
            loop_lag,
            statistics,
            broadcaster.pulse,
            broadcaster.pacing,
            broadcaster.rooms,
            guard,
            max_clients=lambda: admission.limits.max_clients,
            is_short_of_descriptors=lambda: descriptors.is_short,
        ),
        guard=guard,
        failures=failures,
        replay=_replay_control(settings, ticker, can),
        simulated=can.simulated,
        faults=faults,
        may_control=feed.control,
        socket_statistics=statistics,
        notify_feed=notifier.notify_feed,
        feed_url=settings.relay.feed_url if relayed is not None else "",
    )
    return Server(
        settings,
        parts.source,
        services,
        namespace,
        volatilities,
        _make_listener(settings, services, access, socket_server, admission, descriptors),
        access,
        descriptors,
        mock,
    )


def _scenario(can: Capabilities, relayed: Relayed | None) -> str | None:
    """What the market goes through, if it is a simulated one."""
    if relayed is not None:
        return relayed.feed.scenario
    return None if can.simulated is None else can.simulated.scenario


def _faults(
    clock: Clock, history: History, broadcaster: Broadcaster, mock: KiteMock | None, *, is_edge: bool
) -> Faults:
    """What can be brought about on purpose here, and by whom."""
    faults = Faults(clock.now_ms)
    faults.offered = set(FaultKind) - (MOCK_FAULTS if mock is None else set())
    if is_edge:
        faults.offered -= FEED_FAULTS
    faults.actions[FaultKind.DROP_SOCKETS] = broadcaster.drop_sockets
    faults.actions[FaultKind.SEQUENCE_GAP] = broadcaster.lose_next
    history.fail_while(lambda: faults.on(FaultKind.HISTORY_DOWN) is not None)
    if mock is not None:
        mock.suffer(faults)
    return faults


def _make_mock(settings: Settings, parts: MarketParts, guard: Guard) -> KiteMock | None:
    """The same market behind Kite's wire, if a port is set for it."""
    if not settings.kite_mock.port:
        return None
    return KiteMock(
        settings.kite_mock,
        parts.market,
        parts.history,
        parts.clock,
        catalogue_of(settings, parts.calendar),
        guard,
        slow_client_timeout_s=settings.limits.slow_client_timeout_s,
        ssl_options=make_context(settings.server.tls_cert, settings.server.tls_key),
    )


def _client_limits(settings: Settings, descriptors: Descriptors) -> ClientLimits:
    limits = settings.limits
    return ClientLimits(
        max_clients=descriptors.allowed_clients(limits.max_clients),
        max_clients_per_address=limits.max_clients_per_address,
        max_subscriptions=limits.max_subscriptions,
        max_events_per_second=limits.max_events_per_second,
        max_message_bytes=limits.max_message_bytes,
        connect_timeout_s=limits.connect_timeout_s,
        slow_client_timeout_s=limits.slow_client_timeout_s,
        max_write_buffer_bytes=limits.max_write_buffer_bytes,
    )


def _make_listener(
    settings: Settings,
    services: Services,
    access: AccessRules,
    socket_server: SocketServer,
    admission: Admission,
    descriptors: Descriptors,
) -> Listener:
    """The HTTP server's doors over routes and sockets. Raises TlsError."""
    limits, server = settings.limits, settings.server
    return Listener(
        make_application(services, access, socket_server, settings),
        ssl_options=make_context(server.tls_cert, server.tls_key),
        max_header_size=MAX_HEADER_BYTES,
        # Tornado drops what is larger without a word; up to here the handlers say why
        max_body_size=HARD_LIMIT_FACTOR * server.max_body_bytes,
        connect_timeout_s=limits.connect_timeout_s,
        idle_timeout_s=limits.idle_timeout_s,
        max_per_address=CONNECTIONS_A_CLIENT * limits.max_clients_per_address,
        is_proxy=access.is_proxy,
        on_refused=admission.count_crowded,
        descriptors=descriptors,
        websockets=lambda: socket_server.eio.websockets,
    )


def _replay_control(settings: Settings, ticker: Ticker, can: Capabilities) -> ReplayControl | None:
    clock = ticker.clock.virtual
    if can.recorded is None or clock is None:
        return None
    return ReplayControl(
        ticker,
        clock,
        can.recorded,
        publish_interval_ms=settings.feed.publish_interval_ms,
        stale_after_s=settings.feed.stale_after_s,
    )


def chance_of(settings: Settings, clock: Clock) -> random.Random:
    """Spreads what many servers would else do at once; in a sandbox by its seed."""
    return random.Random(None if clock.virtual is None else settings.feed.seed)


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


def _make_history(
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
    history = _make_history(settings, calendar, clock, guard, follows=True)
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


def _calendar(settings: Settings) -> Calendar:
    override = settings.feed.calendar_override
    return Calendar.load(override=Path(override) if override else None)


def catalogue_of(settings: Settings, calendar: Calendar) -> Catalogue:
    """The underlyings that are served. Raises StartError."""
    try:
        return Catalogue.load(calendar, symbols=settings.feed.symbols)
    except UnknownSymbol as error:
        near = f"; near it: {', '.join(error.suggestions)}" if error.suggestions else ""
        raise StartError(
            f"feed.symbols must be symbols of underlyings, was {error.symbol!r}{near}."
        ) from None


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
