"""A server, put together from its settings: an edge around a market."""

from __future__ import annotations

from dataclasses import dataclass

from domain.market import FEED_FAULTS, MOCK_FAULTS, FaultKind
from domain.version import VERSION
from feed.history.history import History
from feed.history.metric_series import MetricSeries
from feed.history.past_states import PastStates
from feed.history.volatility_history import Volatilities, VolatilityHistory
from feed.market.clock import Clock
from feed.market.faults import Faults
from feed.market.guard import Guard
from feed.market.source import Capabilities
from feed.market.ticker import Ticker
from feed.market.watchdog import FeedWatchdog, Watchdog
from feed.replay.control import ReplayControl
from handlers.access.admission import Admission, ClientLimits
from handlers.access.rules import AccessRules, is_loopback
from handlers.compat.smd import SmdStreams
from handlers.kite_mock.mock import KiteMock
from handlers.monitoring.health import Health
from handlers.monitoring.logs import FailureLog
from handlers.monitoring.loop_lag import LoopLag
from handlers.operations.application import make_application
from handlers.operations.market import MarketParts, build_market, catalogue_of, chance_of
from handlers.operations.serving import Server
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
from schemas.configuration.settings import Settings

MAX_HEADER_BYTES = 16384  # browsers send one or two kB; cookies of a shared host some more
HARD_LIMIT_FACTOR = 16
MAX_POLL_MS = 25  # how late a published state may be; a poll that finds nothing due costs microseconds


def build(settings: Settings) -> Server:
    """A server that is not started yet. Raises StartError, HistoryError and the errors of data files."""
    guard = Guard()
    return build_server(settings, build_market(settings, guard), guard)


def build_server(settings: Settings, parts: MarketParts, guard: Guard) -> Server:
    """An edge around a market: streams, doors and routes."""
    market, clock, history = parts.market, parts.clock, parts.history
    can = Capabilities.of(parts.source)
    failures, loop_lag, descriptors = FailureLog(), LoopLag(guard), Descriptors(open_file_limit())
    access = _access_rules(settings)
    admission = Admission(access, _client_limits(settings, descriptors))
    watchdog, volatilities = _watched(settings, parts, guard)
    mock = _make_mock(settings, parts, guard)
    streams = _make_streams(settings, parts, watchdog, volatilities, guard)
    _observe(streams, mock, can)
    faults = _faults(clock, history, streams.broadcaster, mock, is_edge=parts.relayed is not None)
    ticker = _make_ticker(settings, parts, watchdog, streams.notifier, guard, faults)
    namespace = _make_namespace(settings, history, streams, admission, failures)
    socket_server = make_socket_server(namespace, settings, failures, guard)
    statistics = StreamStatistics(streams.broadcaster, admission, socket_server.eio, loop_lag)
    past = PastStates(history, market, parts.calendar, clock)
    services = Services(
        market=market,
        views=streams.views,
        status=streams.status,
        calendar=parts.calendar,
        clock=clock,
        ticker=ticker,
        history=history,
        past=past,
        series=MetricSeries(history, market, clock, past, streams.views.value),
        version=VERSION,
        api_timeout_s=settings.server.api_timeout_s,
        max_body_bytes=settings.server.max_body_bytes,
        loop_lag=loop_lag,
        health=Health(
            ticker,
            history,
            loop_lag,
            statistics,
            streams.broadcaster.pulse,
            streams.broadcaster.pacing,
            streams.broadcaster.rooms,
            guard,
            max_clients=lambda: admission.limits.max_clients,
            is_short_of_descriptors=lambda: descriptors.is_short,
        ),
        guard=guard,
        failures=failures,
        replay=_replay_control(settings, ticker, can),
        simulated=can.simulated,
        faults=faults,
        may_control=settings.feed.control,
        socket_statistics=statistics,
        notify_feed=streams.notifier.notify_feed,
        mock_figures=None if mock is None else mock.figures,
        feed_url=settings.relay.feed_url if parts.relayed is not None else "",
    )
    listener = _make_listener(settings, services, access, socket_server, admission, descriptors)
    return Server(
        settings, parts.source, services, namespace, volatilities, listener, access, descriptors, mock
    )


@dataclass(frozen=True, slots=True)
class _Streams:
    """What turns a market's steps into what subscribers are sent."""

    views: Views
    candles: CandleViews
    broadcaster: Broadcaster
    status: MarketStatus
    alerts: Alerts
    notifier: Notifier


def _make_streams(
    settings: Settings, parts: MarketParts, watchdog: Watchdog, volatilities: Volatilities, guard: Guard
) -> _Streams:
    feed, market, clock = settings.feed, parts.market, parts.clock
    views = Views(market, clock, depth=feed.replay_depth, iv_history=volatilities)
    candles = CandleViews(market, parts.history, clock)
    broadcaster = Broadcaster(
        publish_interval_ms=feed.publish_interval_ms,
        heartbeat_s=feed.heartbeat_s,
        slow_client_timeout_s=settings.limits.slow_client_timeout_s,
        guard=guard,
    )
    status = MarketStatus(
        market,
        parts.calendar,
        clock,
        watchdog,
        pacing=broadcaster.pacing,
        hours=feed.hours,
        scenario=lambda: _scenario(parts),
    )
    alerts = Alerts(views, guard)
    notifier = Notifier(views, candles, status, broadcaster, volatilities, alerts, guard)
    return _Streams(views, candles, broadcaster, status, alerts, notifier)


def _observe(streams: _Streams, mock: KiteMock | None, can: Capabilities) -> None:
    """Tell what is published, and what is followed, to those who go by it."""
    if mock is not None:
        streams.notifier.observers.append(mock.publish)
    if can.steerable is not None:
        steerable, broadcaster = can.steerable, streams.broadcaster
        streams.notifier.observers.append(lambda _now_ms: steerable.follow(broadcaster.listings()))
        streams.views.on_asked = lambda key: steerable.follow([key])


def _access_rules(settings: Settings) -> AccessRules:
    server, limits = settings.server, settings.limits
    return AccessRules(
        origins=server.frontend_url,
        api_keys=server.api_keys,
        trusted_proxies=server.trusted_proxies,
        rate_limit_per_minute=limits.rate_limit_per_minute,
        hosts=server.hosts,
        max_clients_per_address=limits.max_clients_per_address,
        is_local=is_loopback(server.host),
    )


def _watched(settings: Settings, parts: MarketParts, guard: Guard) -> tuple[Watchdog, Volatilities]:
    """Who judges the feed, and where volatilities of past days come from: at an edge, the feed's."""
    if parts.relayed is not None:
        return parts.relayed.feed, parts.relayed.volatilities
    return (
        FeedWatchdog(parts.calendar, hours=settings.feed.hours, chance=chance_of(settings, parts.clock)),
        VolatilityHistory(parts.history, parts.market, parts.clock, guard),
    )


def _make_ticker(
    settings: Settings,
    parts: MarketParts,
    watchdog: Watchdog,
    notifier: Notifier,
    guard: Guard,
    faults: Faults,
) -> Ticker:
    return Ticker(
        parts.source,
        parts.market,
        parts.clock,
        parts.history,
        watchdog,
        poll_ms=min(MAX_POLL_MS, settings.feed.publish_interval_ms / 10),
        publish=notifier.publish,
        guard=guard,
        faults=faults,
    )


def _make_namespace(
    settings: Settings, history: History, streams: _Streams, admission: Admission, failures: FailureLog
) -> MarketNamespace:
    smd = None
    if settings.compat.smd:
        full_every, timeout_s = streams.broadcaster.full_every, settings.server.api_timeout_s
        smd = SmdStreams(streams.views, history, full_every, timeout_s)
    return MarketNamespace(
        streams.views,
        streams.candles,
        streams.status,
        streams.broadcaster,
        admission,
        streams.alerts,
        failures=failures,
        version=VERSION,
        companions=smd,
    )


def _scenario(parts: MarketParts) -> str | None:
    """What the market goes through, if it is a simulated one."""
    if parts.relayed is not None:
        return parts.relayed.feed.scenario
    simulated = Capabilities.of(parts.source).simulated
    return None if simulated is None else simulated.scenario


def _faults(
    clock: Clock, history: History, broadcaster: Broadcaster, mock: KiteMock | None, *, is_edge: bool
) -> Faults:
    """What can be brought about on purpose here, and by whom."""
    faults = Faults(clock.now_ms)
    faults.offered = set(FaultKind) - (MOCK_FAULTS if mock is None else set())
    if is_edge:
        faults.offered -= FEED_FAULTS
    faults.actions[FaultKind.DROP_SOCKETS] = lambda _fault: broadcaster.drop_sockets()
    faults.actions[FaultKind.SEQUENCE_GAP] = lambda _fault: broadcaster.lose_next()
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
