"""Market-data server for Indian options: settings, market, feed, handlers, listen.

The composition root. It alone reads settings and the environment; every part gets what it needs.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import gc
import logging
import os
import signal
import socket
import sys
import tomllib
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from marshmallow import ValidationError
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from feed import commands
from feed.calendar import Calendar, CalendarError
from feed.clock import Clock, VirtualClock, WallClock, to_ms
from feed.history import ClosedCandle, History, HistoryError, Reach, Retention
from feed.instruments import Catalogue
from feed.market import Changes, Market
from feed.minute_metrics import MinuteMetrics
from feed.progress import ProgressBar
from feed.random_walk import SimulatedSource
from feed.recordings.frames import RecordingError
from feed.replay import ReplaySource
from feed.replay_control import OutsideRecording, ReplayControl
from feed.source import Source
from feed.ticker import Ticker
from handlers import TABLE, make_application
from handlers.access import AccessRules
from handlers.broadcast import Broadcaster
from handlers.logs import Log
from handlers.loop import make_loop
from handlers.loop_lag import LoopLag
from handlers.realtime import Limits, MarketNamespace, make_socket_server
from handlers.service_manager import ServiceManager, ServiceManagerError
from handlers.services import PastVolatility, Services, Views
from schemas.settings import ENVIRONMENT_NAMES, Settings, SettingsSchema, sentences

__version__ = "0.1.0"

ROOT = Path(__file__).parent
MAX_HEADER_BYTES = 16384  # browsers send one or two kB; cookies of a shared host some more
BODY_TIMEOUT_S = 10
HARD_LIMIT_FACTOR = 16
IDLE_CONNECTION_S = 75  # above the 60 s for which proxies keep a connection
DRAIN_S = 5
RELOADED = ("server.debug", "server.log_level")  # what SIGHUP takes over; the calendar's files besides
HISTORY_STOP_S = 15  # what the writer may need to put on the disk what waits
COLLECTOR_THRESHOLDS = (50_000, 20, 50)  # Python's 700, 10, 10 suit a script, not 10,000 open sockets
MAX_POLL_MS = 25  # how late a published state may be; a poll that finds nothing due costs microseconds

logger = logging.getLogger("server")


class StartError(Exception):
    """Why the server cannot start, in a sentence for the operator."""


def shared_options() -> argparse.ArgumentParser:
    """Options that the server and every command take."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--settings", type=Path, default=ROOT / "settings.toml", metavar="FILE")
    parser.add_argument(
        "--database-url",
        dest="history.database_url",
        metavar="DATABASE_URL",
        help="where history is kept; empty keeps it in memory",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="any other setting"
    )
    return parser


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """The command line; every option but ``--settings`` overrides a setting."""
    parser = argparse.ArgumentParser(
        prog="server.py",
        description="Realtime market data for Indian options over REST and Socket.IO.",
        epilog="Settings: settings.toml, then .env, then the environment, then this command line. "
        "Commands on the history store: server.py import, export and history; each has --help.",
        parents=[shared_options()],
    )
    parser.add_argument("--version", action="version", version=__version__)
    options: tuple[tuple[str, str, str], ...] = (
        ("--host", "server.host", "address to listen on"),
        ("--port", "server.port", "port to listen on; 0 takes a free one"),
        ("--log-level", "server.log_level", "debug, info, warning or error"),
        ("--seed", "feed.seed", "seed of the simulated market"),
        ("--hours", "feed.hours", "always, or exchange for the calendar's sessions"),
        ("--scenario", "feed.scenario", "mood of the simulated market"),
        ("--start", "feed.start", "market time to start at, such as 2026-11-23T15:00+05:30"),
        ("--speed", "feed.speed", "market seconds for a real second"),
        ("--publish-interval-ms", "feed.publish_interval_ms", "milliseconds between two published states"),
        ("--replay", "replay.file", "serve a recorded chain, or a day of a store (STORE#DAY)"),
        ("--spot", "replay.spot", "spot price for a recording that lacks one"),
    )
    for option, key, help_text in options:
        parser.add_argument(option, dest=key, metavar=key.rpartition(".")[2].upper(), help=help_text)
    parser.add_argument("--debug", dest="server.debug", action="store_true", default=None)
    return parser.parse_args(arguments)


def load_settings(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Settings of file, ``.env``, environment and command line, validated. Raises StartError."""
    tree = _read_toml(arguments.settings)
    dotenv = {name: value for name, value in dotenv_values(ROOT / ".env").items() if value is not None}
    for name, value in {**dotenv, **environment}.items():
        section, separator, key = name.lower().partition("__")
        if name in ENVIRONMENT_NAMES:
            _put(tree, ENVIRONMENT_NAMES[name], value)
        elif separator and section in SettingsSchema().fields:
            _put(tree, f"{section}.{key}", value)
    given = {name: value for name, value in vars(arguments).items() if "." in name and value is not None}
    for text in arguments.set:
        name, separator, value = text.partition("=")
        if not separator or "." not in name:
            raise StartError(f"--set takes SECTION.KEY=VALUE, was {text!r}.")
        given[name] = value
    for name, value in given.items():
        _put(tree, name, value)
    if "replay.file" in given:
        _put(tree, "feed.source", "replay")
    try:
        settings: Settings = SettingsSchema().load(tree)
    except ValidationError as error:
        raise StartError("; ".join(sentences(error.normalized_messages()))) from None
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartError(f"The settings file {path} is no valid TOML: {error}.") from None


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    section, _, key = name.partition(".")
    tree.setdefault(section, {})[key] = value


@dataclass(slots=True)
class Server:
    """The parts, built but not started."""

    settings: Settings
    clock: Clock
    source: Source
    market: Market
    history: History
    ticker: Ticker
    namespace: MarketNamespace
    past_volatility: PastVolatility
    http: HTTPServer
    port: int = 0
    url: str = ""


def build(settings: Settings) -> Server:
    """Put the parts together. Raises StartError and the errors of data files."""
    override = settings.feed.calendar_override
    calendar = Calendar.load(override=Path(override) if override else None)
    catalogue = Catalogue.load(calendar)
    feed = settings.feed
    clock, replay = _make_clock(settings, calendar, catalogue)
    # a sandbox or a replay has a past of its own, which must not mix with the one that is kept
    history = History(
        settings.history.database_url or None if isinstance(clock, WallClock) else None,
        calendar=calendar,
        hours=feed.hours,
        flush_interval_s=settings.history.flush_interval_s,
        retention=_retention(settings),
    )
    source = replay or _simulate(settings, calendar, catalogue, clock.now_ms(), history)
    market = Market(
        source.universe,
        source=source.name,
        epoch=f"sim-{feed.seed:x}-{clock.now_ms():x}" if replay is None else f"replay-{replay.start_ms:x}",
        interest_rate=feed.interest_rate,
        stale_after_s=max(feed.stale_after_s, 2 * _step_ms(settings, source) / 1000),
    )
    history.start(market, clock.now_ms())
    if isinstance(clock, VirtualClock):
        # on demand, whenever that is: what is answered at a virtual instant must not depend on real time
        _fill_past(settings, source, history, eager=False)
    return _build_edge(settings, calendar, clock, source, market, history)


def _retention(settings: Settings) -> Retention:
    kept = settings.history
    return Retention(
        minute_candles_days=kept.minute_candles_days or None,
        daily_candles_days=kept.daily_candles_days or None,
        chains_days=kept.chains_days or None,
        metrics_days=kept.metrics_days or None,
    )


def _fill_past(settings: Settings, source: Source, history: History, *, eager: bool) -> None:
    """Tell history what was before a simulated market's start."""
    if not isinstance(source, SimulatedSource):
        return
    kept = settings.history
    history.backfill(
        source,
        ProgressBar(sys.stderr, "Filling history", "symbols"),
        Reach(kept.backfill_days, kept.backfill_sessions),
        eager=eager,
    )


def _build_edge(
    settings: Settings,
    calendar: Calendar,
    clock: Clock,
    source: Source,
    market: Market,
    history: History,
) -> Server:
    feed, limits = settings.feed, settings.limits
    past_volatility = PastVolatility(history, market)
    views = Views(market, depth=feed.replay_depth, iv_history=past_volatility)
    broadcaster = Broadcaster(
        publish_interval_ms=feed.publish_interval_ms,
        heartbeat_s=feed.heartbeat_s,
        slow_client_timeout_s=limits.slow_client_timeout_s,
    )
    access = AccessRules(
        origins=settings.server.frontend_url,
        api_keys=settings.server.api_keys,
        trusted_proxies=settings.server.trusted_proxies,
        rate_limit_per_minute=limits.rate_limit_per_minute,
    )

    async def publish(changes: Changes, closed: list[ClosedCandle]) -> None:
        await past_volatility.follow(closed, changes.at_ms, wait=isinstance(clock, VirtualClock))
        await namespace.publish(changes, closed)

    ticker = Ticker(
        source,
        market,
        clock,
        history,
        calendar,
        hours=feed.hours,
        poll_ms=min(MAX_POLL_MS, feed.publish_interval_ms / 10),
        publish=publish,
        valuation=MinuteMetrics(feed.interest_rate),
    )
    services = Services(
        market=market,
        views=views,
        calendar=calendar,
        clock=clock,
        ticker=ticker,
        history=history,
        hours=feed.hours,
        version=__version__,
        api_timeout_s=settings.server.api_timeout_s,
        max_body_bytes=settings.server.max_body_bytes,
        loop_lag=LoopLag(),
        routes=TABLE,
        replay=_make_replay_control(settings, ticker),
        simulation=source if isinstance(source, SimulatedSource) else None,
        may_control=feed.control,
    )
    namespace = MarketNamespace(
        services,
        broadcaster,
        access,
        Limits(
            max_clients=limits.max_clients,
            max_clients_per_address=limits.max_clients_per_address,
            max_subscriptions=limits.max_subscriptions,
            max_events_per_second=limits.max_events_per_second,
            max_message_bytes=limits.max_message_bytes,
            connect_timeout_s=limits.connect_timeout_s,
            slow_client_timeout_s=limits.slow_client_timeout_s,
        ),
    )
    services.socket_statistics = namespace.statistics
    services.announce_feed = namespace.tell_feed
    socket_server = make_socket_server(
        namespace,
        ping_interval_s=settings.websocket.ping_interval_s,
        timeout_s=settings.websocket.timeout_s,
        max_message_bytes=limits.max_message_bytes,
    )
    application = make_application(
        services,
        access,
        socket_server,
        compression=settings.websocket.compression,
        max_message_bytes=limits.max_message_bytes,
        max_write_buffer_bytes=limits.max_write_buffer_bytes,
        access_log=settings.server.access_log,
    )
    http = HTTPServer(
        application,
        max_header_size=MAX_HEADER_BYTES,
        # Tornado drops what is larger without a word; up to here the handlers say why
        max_body_size=HARD_LIMIT_FACTOR * settings.server.max_body_bytes,
        body_timeout=BODY_TIMEOUT_S,
        idle_connection_timeout=IDLE_CONNECTION_S,
    )
    return Server(settings, clock, source, market, history, ticker, namespace, past_volatility, http)


def _make_replay_control(settings: Settings, ticker: Ticker) -> ReplayControl | None:
    if not (isinstance(ticker.source, ReplaySource) and isinstance(ticker.clock, VirtualClock)):
        return None
    return ReplayControl(
        ticker,
        ticker.clock,
        ticker.source,
        publish_interval_ms=settings.feed.publish_interval_ms,
        stale_after_s=settings.feed.stale_after_s,
    )


def _make_clock(
    settings: Settings, calendar: Calendar, catalogue: Catalogue
) -> tuple[Clock, ReplaySource | None]:
    """The market's clock, and the recording where that sets it."""
    feed = settings.feed
    step_ms = max(1, round(feed.publish_interval_ms * feed.speed))
    if feed.source == "replay":
        replay = _open_recording(settings, calendar, catalogue)
        return VirtualClock(replay.start_ms, step_ms, feed.speed), replay
    if feed.start is None and feed.speed == 1:
        return WallClock(feed.publish_interval_ms), None
    start_ms = to_ms(feed.start) if feed.start else WallClock(feed.publish_interval_ms).now_ms()
    return VirtualClock(start_ms, step_ms, feed.speed), None


def _open_recording(settings: Settings, calendar: Calendar, catalogue: Catalogue) -> ReplaySource:
    if not settings.replay.file:
        raise StartError("feed.source is replay, so replay.file (or --replay FILE) must name a recording.")
    return ReplaySource.open(
        Path(settings.replay.file),
        catalogue=catalogue,
        calendar=calendar,
        spot=settings.replay.spot or None,
        loop=settings.replay.loop,
    )


def _simulate(
    settings: Settings, calendar: Calendar, catalogue: Catalogue, now_ms: int, history: History
) -> SimulatedSource:
    """A simulated market that goes on where history says the last one stopped."""
    feed = settings.feed
    return SimulatedSource(
        catalogue,
        calendar,
        seed=feed.seed,
        start_ms=now_ms,
        hours=feed.hours,
        scenario=feed.scenario,
        interest_rate=feed.interest_rate,
        carried=history.left_off(catalogue.underlyings, now_ms),
    )


def _step_ms(settings: Settings, source: Source) -> float:
    """Market time between two inputs."""
    step_ms = settings.feed.publish_interval_ms * settings.feed.speed
    return max(step_ms, float(getattr(source, "step_ms", 0)))


def open_port(server: Server, given: list[socket.socket]) -> list[socket.socket]:
    """Open the port, unless the service manager gave its sockets. Raises StartError."""
    host, port = server.settings.server.host, server.settings.server.port
    try:
        sockets = given or bind_sockets(port, None if host in ("", "*") else host, backlog=4096)
    except OSError as error:
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from None
    server.port = sockets[0].getsockname()[1]
    shown = "localhost" if host in ("", "*", "0.0.0.0", "::") else host
    server.url = f"http://{shown}:{server.port}"
    return sockets


def banner(server: Server) -> str:
    """What a person who just started the server wants to know."""
    feed, url = server.settings.feed, server.url
    detail = (
        f"seed {feed.seed}, hours {feed.hours}"
        if server.source.name == "simulated"
        else server.settings.replay.file
    )
    universe = server.market.universe
    return "\n".join(
        (
            f"Indian options market data {__version__}",
            f"  server     {url}/",
            f"  API        {url}/api",
            f"  WebSocket  {url}/socket.io/  (Socket.IO 4 clients)",
            f"  health     {url}/health",
            f"  docs       {url}/api/docs",
            f"  feed       {server.source.name} ({detail})",
            f"  market     {len(universe.underlyings)} underlyings, {universe.contract_count:,} contracts",
        )
    )


def status_line(services: Services) -> str:
    """The state in a line, for the service manager."""
    clients = services.socket_statistics()["connections"]["now"]
    return f"{services.ticker.state.name}: {services.ticker.state.reason} {clients} clients."


def is_healthy(services: Services) -> bool:
    """Whether the watchdog may be fed: the feed advances; that the loop runs is shown by the asking."""
    return services.ticker.state.name != "stalled"


def reload(settings: Settings, services: Services, log: Log, manager: ServiceManager) -> None:
    """Take over what can change while the server runs, and say what cannot; a bad file changes nothing."""
    manager.reloading()
    try:
        services.calendar.reload()
        again = load_settings(parse_arguments(sys.argv[1:]), os.environ)
    except (StartError, CalendarError) as error:
        logger.error("nothing was reloaded: %s", error)
    else:
        log.set_level("debug" if again.server.debug else again.server.log_level)
        changed = [
            f"{section.name}.{item.name}"
            for section in fields(settings)
            for item in fields(getattr(settings, section.name))
            if getattr(getattr(settings, section.name), item.name)
            != getattr(getattr(again, section.name), item.name)
        ]
        ignored = ", ".join(name for name in changed if name not in RELOADED)
        logger.info("reloaded the calendar and the log level")
        if ignored:
            logger.warning("these settings changed and need a restart: %s", ignored)
    manager.ready(status_line(services))


def quiet_collector() -> None:
    """Keep the cyclic collector from walking over the whole market and every client many times a second.

    What exists now lives as long as the process, so it is taken out of the collector's sight; what comes
    later is reference-counted and rarely cyclic, so it may be looked at less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


async def go_to_start(server: Server) -> None:
    """Begin a replay where ``feed.start`` says. Raises StartError."""
    start, replay = server.settings.feed.start, server.namespace.services.replay
    if start is None or replay is None:
        return
    try:
        await replay.seek(to_ms(start))
    except OutsideRecording as error:
        raise StartError(f"feed.start {error}.") from None


async def serve(settings: Settings, log: Log, manager: ServiceManager) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, log.toggle_debug)
    server = build(settings)
    services = server.namespace.services
    loop.add_signal_handler(signal.SIGHUP, reload, settings, services, log, manager)
    try:
        sockets = open_port(server, [given for _, given in manager.sockets()])
        await server.past_volatility.read(server.clock.now_ms())
        await server.ticker.prime()
        await go_to_start(server)
        server.http.add_sockets(sockets)  # whoever connected meanwhile has waited, and finds prices
        quiet_collector()
        server.ticker.start()
        services.loop_lag.start()
        sys.stdout.write(banner(server) + "\n")
        sys.stdout.flush()
        if isinstance(server.clock, WallClock):
            _fill_past(settings, server.source, server.history, eager=True)
        manager.ready(status_line(services))
        manager.watch(lambda: is_healthy(services), lambda: status_line(services))
        await stop.wait()
        logger.info("stopping")
        manager.stopping("closing the clients' connections", within_s=DRAIN_S + HISTORY_STOP_S)
    finally:
        server.ticker.stop()
        services.loop_lag.stop()
        server.http.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(server.namespace.shut_down(), DRAIN_S)
        await server.history.stop()
        await server.http.close_all_connections()


def run_command(arguments: list[str]) -> int:
    """Do something with the store instead of serving; returns the exit code."""
    wanted = commands.make_parser(shared_options()).parse_args(arguments)
    settings = load_settings(wanted, os.environ)
    context = commands.Context(
        url=settings.history.database_url,
        hours=settings.feed.hours,
        retention=_retention(settings),
        interest_rate=settings.feed.interest_rate,
        now_ms=WallClock(settings.feed.publish_interval_ms).now_ms(),
        out=sys.stdout,
        err=sys.stderr,
    )
    return commands.run(wanted, context)


def main(arguments: list[str] | None = None) -> int:
    """Start from the command line; 0 after a clean stop, 2 when it cannot start."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given and given[0] in commands.COMMANDS:
            return run_command(given)
        settings = load_settings(parse_arguments(given), os.environ)
        level = "debug" if settings.server.debug else settings.server.log_level
        faulthandler.enable()  # when the watchdog ends a stuck process, the log says where it was stuck
        log = Log.on(sys.stderr, level, journal_stream=os.environ.get("JOURNAL_STREAM", ""))
        log.start()
        with (
            closing(ServiceManager(os.environ)) as manager,
            asyncio.Runner(loop_factory=make_loop) as runner,
        ):
            runner.run(serve(settings, log, manager))
    except (StartError, CalendarError, HistoryError, RecordingError, ServiceManagerError) as error:
        sys.stderr.write(f"server.py: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
