"""A server's life: its port, the start, a reload, the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import TextIO

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from feed.calendar import CalendarError
from feed.clock import Clock, WallClock, to_ms
from feed.history import History, Reach
from feed.market import Market
from feed.progress import ProgressBar
from feed.random_walk import SimulatedSource
from feed.replay_control import OutsideRecording
from feed.source import Source
from feed.ticker import Ticker
from handlers.logs import Log
from handlers.realtime import MarketNamespace
from handlers.service_manager import ServiceManager
from handlers.services import PastVolatility, Services
from schemas.settings import Settings
from schemas.settings_file import SettingsError

DRAIN_S = 5
HISTORY_STOP_S = 15  # what the writer may need to put on the disk what waits
RELOADED = ("server.debug", "server.log_level")  # what SIGHUP takes over; the calendar's files besides
COLLECTOR_THRESHOLDS = (50_000, 20, 50)  # Python's 700, 10, 10 suit a script, not 10,000 open sockets
EVERY_ADDRESS = ("", "*", "0.0.0.0", "::")

logger = logging.getLogger("server")


class StartError(Exception):
    """Why the server cannot start, in a sentence for the operator."""


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

    @property
    def services(self) -> Services:
        """What the handlers work on."""
        return self.namespace.services


async def serve(
    build: Callable[[], Server],
    log: Log,
    manager: ServiceManager,
    reread: Callable[[], Settings],
    out: TextIO,
) -> None:
    """Build a server and run it until SIGTERM or SIGINT. Raises StartError, and what ``build`` raises.

    ``reread`` gives the settings as they are now, for SIGHUP; what a person wants to know goes to ``out``.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, log.toggle_debug)
    server = build()
    services = server.services
    loop.add_signal_handler(signal.SIGHUP, reload, server, log, manager, reread)
    try:
        sockets = open_port(server, [given for _, given in manager.sockets()])
        await server.past_volatility.read(server.clock.now_ms())
        await server.ticker.prime()
        await _go_to_start(server)
        server.http.add_sockets(sockets)  # whoever connected meanwhile has waited, and finds prices
        _quiet_collector()
        server.ticker.start()
        services.loop_lag.start()
        out.write(banner(server) + "\n")
        out.flush()
        if isinstance(server.clock, WallClock):
            fill_past(server.settings, server.source, server.history, eager=True)
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


def open_port(server: Server, given: list[socket.socket]) -> list[socket.socket]:
    """Open the port, unless the service manager gave its sockets. Raises StartError."""
    host, port = server.settings.server.host, server.settings.server.port
    try:
        sockets = given or bind_sockets(port, None if host in ("", "*") else host, backlog=4096)
    except OSError as error:
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from None
    server.port = sockets[0].getsockname()[1]
    shown = "localhost" if host in EVERY_ADDRESS else host
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
            f"Indian options market data {server.services.version}",
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


def reload(server: Server, log: Log, manager: ServiceManager, reread: Callable[[], Settings]) -> None:
    """Take over what can change while the server runs, and say what cannot; a bad file changes nothing."""
    manager.reloading()
    try:
        again = reread()
        server.services.calendar.reload()
    except (SettingsError, CalendarError) as error:
        logger.error("nothing was reloaded: %s", error)
    else:
        log.set_level("debug" if again.server.debug else again.server.log_level)
        logger.info("reloaded the calendar and the log level")
        ignored = [name for name in _changed(server.settings, again) if name not in RELOADED]
        if ignored:
            logger.warning("these settings changed and need a restart: %s", ", ".join(ignored))
    manager.ready(status_line(server.services))


def _changed(before: Settings, after: Settings) -> list[str]:
    """The settings that differ, by name."""
    return [
        f"{section.name}.{item.name}"
        for section in fields(before)
        for item in fields(getattr(before, section.name))
        if getattr(getattr(before, section.name), item.name)
        != getattr(getattr(after, section.name), item.name)
    ]


def fill_past(settings: Settings, source: Source, history: History, *, eager: bool) -> None:
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


def _quiet_collector() -> None:
    """Keep the cyclic collector from walking over the whole market and every client many times a second.

    What exists now lives as long as the process, so it is taken out of the collector's sight; what comes
    later is reference-counted and rarely cyclic, so it may be looked at less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


async def _go_to_start(server: Server) -> None:
    """Begin a replay where ``feed.start`` says. Raises StartError."""
    start, replay = server.settings.feed.start, server.services.replay
    if start is None or replay is None:
        return
    try:
        await replay.seek(to_ms(start))
    except OutsideRecording as error:
        raise StartError(f"feed.start {error}.") from None
