"""Market-data server for Indian options: settings, market, feed, handlers, listen.

The composition root. It alone reads settings and the environment; every part gets what it needs.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import os
import random
import sys
import uuid
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from cli.packages import needed_packages

with needed_packages():
    from cli import commands
    from domain.instants import to_ms
    from feed.history.history import ClosedCandle, History, HistoryError, Retention
    from feed.market.clock import Clock, VirtualClock, WallClock
    from feed.market.epoch import contents, data_files, digest
    from feed.market.guard import Guard
    from feed.market.market import Market
    from feed.market.source import Source
    from feed.market.ticker import Ticker
    from feed.market.watchdog import FeedWatchdog
    from feed.recordings.frames import RecordingError
    from feed.reference.calendar import Calendar, CalendarError
    from feed.reference.instruments import Catalogue
    from feed.replay.control import ReplayControl
    from feed.replay.playback import Replay
    from feed.replay.source import ReplaySource
    from feed.replay.stored_day import StoredDay, StoreReplay
    from feed.simulation.source import SimulatedSource
    from feed.valuation.minute_metrics import MinuteMetrics
    from handlers.access import keys
    from handlers.access.admission import ClientLimits
    from handlers.access.rules import AccessRules, is_loopback
    from handlers.compat.smd import SmdStreams
    from handlers.monitoring.logs import Log, is_journal
    from handlers.monitoring.loop_lag import LoopLag
    from handlers.operations.application import TABLE, make_application
    from handlers.operations.health import Health
    from handlers.operations.service_manager import ServiceManager, ServiceManagerError
    from handlers.operations.serving import Server, StartError, fill_past, serve
    from handlers.rest.services import PastVolatility, Services, Views
    from handlers.streams.broadcaster import Broadcaster
    from handlers.streams.namespace import MarketNamespace, make_socket_server
    from handlers.transport.descriptors import Descriptors, open_file_limit, raise_limit
    from handlers.transport.listener import CONNECTIONS_A_CLIENT, Listener
    from handlers.transport.loop import make_loop
    from handlers.transport.tls import TlsError, make_context
    from schemas.configuration.settings import DEFAULT_STORE, Settings
    from schemas.configuration.settings_file import (
        SettingsError,
        assignments,
        read_settings,
        warn_of_open_secrets,
    )

__version__ = "0.1.0"

logger = logging.getLogger("server")

ROOT = Path(__file__).parent
# where settings.toml and .env are: beside server.py, or where an installed server is started
HOME = ROOT if (ROOT / "settings.toml").exists() else Path()
MAX_HEADER_BYTES = 16384  # browsers send one or two kB; cookies of a shared host some more
HARD_LIMIT_FACTOR = 16
CANNOT_START, TRY_AGAIN = 2, 75  # the second is EX_TEMPFAIL of sysexits.h: a database that is away
MAX_POLL_MS = 25  # how late a published state may be; a poll that finds nothing due costs microseconds
EPILOG = """commands, each with --help:
  server.py                      serve (serve may be written too)
  server.py import FILE...       files of candles and option chains into the history store
  server.py export SYMBOL        candles out of it, as CSV or parquet
  server.py history info|check|prune
                                 what the store holds, whether it is sound, and deleting what is old
  server.py key NAME             make an API key

Settings: settings.toml, then .env, then the environment, then this command line."""
# what an operator can mend: told in a sentence, without a traceback
REFUSALS = (
    SettingsError,
    StartError,
    CalendarError,
    HistoryError,
    RecordingError,
    ServiceManagerError,
    TlsError,
)


def shared_options() -> argparse.ArgumentParser:
    """Options that the server and every command take."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="another settings.toml (default: the one beside server.py; without one all is as by default)",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="settings and secrets as NAME=value (default: .env beside server.py, if there is one)",
    )
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
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared_options()],
    )
    parser.add_argument("--version", action="version", version=__version__)
    options: tuple[tuple[str, str, str], ...] = (
        ("--host", "server.host", "address to listen on"),
        ("--port", "server.port", "port to listen on; 0 takes a free one"),
        ("--log-level", "server.log_level", "debug, info, warning or error"),
        ("--seed", "feed.seed", "seed of the simulated market"),
        ("--hours", "feed.hours", "always, or exchange for the calendar's sessions"),
        ("--scenario", "feed.scenario", "what the simulated market goes through"),
        ("--start", "feed.start", "market time to start at, such as 2026-11-23T15:00+05:30"),
        ("--speed", "feed.speed", "market seconds for a real second"),
        ("--publish-interval-ms", "feed.publish_interval_ms", "milliseconds between two published states"),
        ("--replay", "replay.file", "serve a recorded chain, or a day of a store (STORE#DAY)"),
        ("--spot", "replay.spot", "spot price for a recording that lacks one"),
    )
    for option, key, help_text in options:
        parser.add_argument(option, dest=key, metavar=key.rpartition(".")[2].upper(), help=help_text)
    parser.add_argument(
        "--debug",
        dest="server.debug",
        action="store_true",
        default=None,
        help="log at DEBUG level, and which file a request touched",
    )
    return parser.parse_args(arguments)


def load_settings(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Settings of file, ``.env``, environment and command line, validated. Raises SettingsError."""
    given = {name: value for name, value in vars(arguments).items() if "." in name and value is not None}
    return read_settings(
        _settings_file(arguments), env_file(arguments), environment, {**given, **assignments(arguments.set)}
    )


def _settings_file(arguments: argparse.Namespace) -> Path | None:
    """The settings file that was named, else the one there is at home; None is every default."""
    named: Path | None = arguments.settings
    return named or (HOME / "settings.toml" if (HOME / "settings.toml").exists() else None)


def env_file(arguments: argparse.Namespace) -> Path:
    """The file of secrets: the one that was named, which then must exist. Raises SettingsError."""
    named: Path | None = arguments.env_file
    if named is not None and not named.exists():
        raise SettingsError(f"--env-file names {named}, which does not exist.")
    return named or HOME / ".env"


def build(settings: Settings) -> Server:
    """Put the parts together. Raises StartError and the errors of data files."""
    override = settings.feed.calendar_override
    calendar = Calendar.load(override=Path(override) if override else None)
    catalogue = Catalogue.load(calendar)
    feed = settings.feed
    clock, replay = _make_clock(settings, calendar, catalogue)
    if isinstance(clock, VirtualClock) and settings.history.database_url not in ("", DEFAULT_STORE):
        logger.warning(
            "history.database_url is not used: a market with a virtual clock keeps its own history in memory"
        )
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
        epoch=_epoch(settings, clock, replay),
        interest_rate=feed.interest_rate,
        stale_after_s=max(feed.stale_after_s, 2 * _step_ms(settings, source) / 1000),
    )
    history.start(market, clock.now_ms(), source if isinstance(source, SimulatedSource) else None)
    if isinstance(clock, VirtualClock):
        # on demand, whenever that is: what is answered at a virtual instant must not depend on real time
        fill_past(settings, source, history, eager=False)
    return build_edge(settings, calendar, clock, source, market, history)


def _epoch(settings: Settings, clock: Clock, replay: Replay | None) -> str:
    """What prices and their numbers depend on, the pace of publishing included.

    On the wall clock, and of a store that may be recorded into, a start is never like another one.
    """
    feed, file = settings.feed, settings.replay.file
    parts: list[object] = [__version__, feed, settings.replay, clock.now_ms()]
    parts += contents(*data_files(), *([Path(feed.calendar_override)] if feed.calendar_override else []))
    if replay is not None:
        parts += contents(Path(file))
    if isinstance(clock, WallClock) or isinstance(replay, StoreReplay):
        parts.append(uuid.uuid4())
    return f"{'sim' if replay is None else 'replay'}-{digest(parts)}"


def _retention(settings: Settings) -> Retention:
    kept = settings.history
    return Retention(
        minute_candles_days=kept.minute_candles_days or None,
        daily_candles_days=kept.daily_candles_days or None,
        chains_days=kept.chains_days or None,
        metrics_days=kept.metrics_days or None,
    )


def build_edge(
    settings: Settings,
    calendar: Calendar,
    clock: Clock,
    source: Source,
    market: Market,
    history: History,
) -> Server:
    """Put an edge around a market: streams, doors and routes."""
    feed, limits = settings.feed, settings.limits
    guard = Guard()
    descriptors = Descriptors(open_file_limit())
    past_volatility = PastVolatility(history, market, guard)
    views = Views(market, depth=feed.replay_depth, iv_history=past_volatility)
    broadcaster = Broadcaster(
        publish_interval_ms=feed.publish_interval_ms,
        heartbeat_s=feed.heartbeat_s,
        slow_client_timeout_s=limits.slow_client_timeout_s,
        guard=guard,
    )
    access = AccessRules(
        origins=settings.server.frontend_url,
        api_keys=settings.server.api_keys,
        trusted_proxies=settings.server.trusted_proxies,
        rate_limit_per_minute=limits.rate_limit_per_minute,
        hosts=settings.server.hosts,
        max_clients_per_address=limits.max_clients_per_address,
        is_local=is_loopback(settings.server.host),
    )

    async def publish(now_ms: int, closed: deque[ClosedCandle]) -> None:
        with guard.part("past_volatility"):
            await past_volatility.follow(closed, now_ms, wait=isinstance(clock, VirtualClock))
        await namespace.notifier.publish(closed)

    ticker = Ticker(
        source,
        market,
        clock,
        history,
        FeedWatchdog(calendar, hours=feed.hours, chance=_chance(settings, clock)),
        poll_ms=min(MAX_POLL_MS, feed.publish_interval_ms / 10),
        publish=publish,
        valuation=MinuteMetrics(feed.interest_rate),
        guard=guard,
    )
    loop_lag = LoopLag(guard)
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
        loop_lag=loop_lag,
        health=Health(
            ticker,
            history,
            loop_lag,
            lambda: namespace.statistics(),  # noqa: PLW0108 - made further down
            broadcaster,
            guard,
            max_clients=lambda: namespace.limits.max_clients,
            is_short_of_descriptors=lambda: descriptors.is_short,
        ),
        guard=guard,
        routes=TABLE,
        replay=_make_replay_control(settings, ticker),
        simulation=source if isinstance(source, SimulatedSource) else None,
        may_control=feed.control,
    )
    namespace = MarketNamespace(
        services,
        broadcaster,
        access,
        ClientLimits(
            max_clients=descriptors.allowed_clients(limits.max_clients),
            max_clients_per_address=limits.max_clients_per_address,
            max_subscriptions=limits.max_subscriptions,
            max_events_per_second=limits.max_events_per_second,
            max_message_bytes=limits.max_message_bytes,
            connect_timeout_s=limits.connect_timeout_s,
            slow_client_timeout_s=limits.slow_client_timeout_s,
            max_write_buffer_bytes=limits.max_write_buffer_bytes,
        ),
        guard,
        smd=SmdStreams(services, broadcaster.full_every) if settings.compat.smd else None,
    )
    services.socket_statistics = namespace.statistics
    services.notify_feed = namespace.notifier.notify_feed
    socket_server = make_socket_server(
        namespace,
        ping_interval_s=settings.websocket.ping_interval_s,
        timeout_s=settings.websocket.timeout_s,
        max_message_bytes=limits.max_message_bytes,
        max_buffered_bytes=limits.max_buffered_bytes,
    )
    application = make_application(
        services,
        access,
        socket_server,
        compression=settings.websocket.compression,
        max_message_bytes=limits.max_message_bytes,
        access_log=settings.server.access_log,
        smd=settings.compat.smd,
    )
    http = Listener(
        application,
        ssl_options=make_context(settings.server.tls_cert, settings.server.tls_key),
        max_header_size=MAX_HEADER_BYTES,
        # Tornado drops what is larger without a word; up to here the handlers say why
        max_body_size=HARD_LIMIT_FACTOR * settings.server.max_body_bytes,
        connect_timeout_s=limits.connect_timeout_s,
        idle_timeout_s=limits.idle_timeout_s,
        max_per_address=CONNECTIONS_A_CLIENT * limits.max_clients_per_address,
        is_proxy=access.is_proxy,
        on_refused=namespace.admission.count_crowded,
        descriptors=descriptors,
        websockets=lambda: socket_server.eio.websockets,
    )
    return Server(
        settings,
        clock,
        source,
        market,
        history,
        ticker,
        namespace,
        past_volatility,
        http,
        access,
        descriptors,
    )


def _chance(settings: Settings, clock: Clock) -> random.Random:
    """Spreads what many servers would else do at once; in a sandbox by its seed."""
    return random.Random(settings.feed.seed if isinstance(clock, VirtualClock) else None)


def _make_replay_control(settings: Settings, ticker: Ticker) -> ReplayControl | None:
    if not (isinstance(ticker.source, Replay) and isinstance(ticker.clock, VirtualClock)):
        return None
    return ReplayControl(
        ticker,
        ticker.clock,
        ticker.source,
        publish_interval_ms=settings.feed.publish_interval_ms,
        stale_after_s=settings.feed.stale_after_s,
    )


def _make_clock(settings: Settings, calendar: Calendar, catalogue: Catalogue) -> tuple[Clock, Replay | None]:
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


def _open_recording(settings: Settings, calendar: Calendar, catalogue: Catalogue) -> Replay:
    if not settings.replay.file:
        raise StartError("feed.source is replay, so replay.file (or --replay FILE) must name a recording.")
    stored = StoredDay.parse(settings.replay.file)
    if stored is not None:
        return StoreReplay(
            stored,
            catalogue=catalogue,
            calendar=calendar,
            hours=settings.feed.hours,
            loop=settings.replay.loop,
        )
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
        previous_run=history.previous_run(catalogue.underlyings, now_ms),
    )


def _step_ms(settings: Settings, source: Source) -> float:
    """Market time between two inputs."""
    step_ms = settings.feed.publish_interval_ms * settings.feed.speed
    return max(step_ms, float(getattr(source, "step_ms", 0)))


async def _serve(
    settings: Settings, log: Log, manager: ServiceManager, arguments: argparse.Namespace
) -> None:
    def reread() -> Settings:
        again = load_settings(arguments, os.environ)
        if "API_KEYS" in os.environ:
            logger.warning("API_KEYS stands in the environment, which stays as it is: revoke keys in .env")
        return again

    is_logged = is_journal(sys.stdout, os.environ.get("JOURNAL_STREAM", ""))
    await serve(lambda: build(settings), log, manager, reread, None if is_logged else sys.stdout)


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
        calendar_override=Path(override) if (override := settings.feed.calendar_override) else None,
    )
    return commands.run(wanted, context)


def main(arguments: list[str] | None = None) -> int:
    """Start from the command line; 0 after a clean stop, 2 when it cannot start, 75 when it may later."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if given and given[0] == keys.COMMAND:
            return keys.run_command(given[1:], sys.stdout)
        if given and given[0] in commands.COMMANDS:
            return run_command(given)
        wanted = parse_arguments(given[1:] if given[:1] == ["serve"] else given)
        settings = load_settings(wanted, os.environ)
        level = "debug" if settings.server.debug else settings.server.log_level
        faulthandler.enable()  # when the watchdog ends a stuck process, the log says where it was stuck
        log = Log.on(sys.stderr, level, journal_stream=os.environ.get("JOURNAL_STREAM", ""))
        log.start()
        warn_of_open_secrets(env_file(wanted))
        raise_limit()
        with (
            closing(ServiceManager(os.environ)) as manager,
            asyncio.Runner(loop_factory=make_loop) as runner,
        ):
            runner.run(_serve(settings, log, manager, wanted))
    except REFUSALS as error:
        sys.stderr.write(f"server.py: {error}\n")
        return TRY_AGAIN if isinstance(error, HistoryError) and error.is_passing else CANNOT_START
    return 0


if __name__ == "__main__":
    sys.exit(main())
