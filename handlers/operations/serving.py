"""A server's life: its port, the start, a reload, the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Protocol, TextIO

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from domain.instants import to_ms
from domain.market import Role
from domain.refusals import StartError
from feed.history.history import History, HistoryError, Reach
from feed.history.progress import ProgressBar
from feed.history.volatility_history import Volatilities
from feed.market.clock import Clock
from feed.market.market import Market
from feed.market.source import Capabilities, Source
from feed.market.ticker import Ticker
from feed.reference.calendar import CalendarError
from feed.replay.control import OutsideRecording
from handlers.access.rules import AccessRules, is_loopback
from handlers.kite_mock.mock import KiteMock
from handlers.monitoring.logs import Log
from handlers.operations.banner import announce
from handlers.operations.service_manager import ServiceManager
from handlers.rest.services import Services
from handlers.streams.namespace import MarketNamespace
from handlers.transport.descriptors import Descriptors
from handlers.transport.tls import TlsError, make_context
from schemas.configuration.settings import Settings
from schemas.configuration.settings_file import SettingsError

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK_S = 0.02  # how often it is looked whether every request is answered
STORE_PATIENCE_S, STORE_RETRY_S = 45, 3  # below the unit's TimeoutStartSec, and no ten starts in five minutes
HISTORY_STOP_S = 15  # what the writer may need to put on the disk what waits
# what SIGHUP takes over; the calendar's files and those of TLS besides
RELOADED = (
    "server.debug",
    "server.log_level",
    "server.api_keys",
    "server.tls_cert",
    "server.tls_key",
    "limits.max_clients",
    "limits.max_subscriptions",
    "limits.max_events_per_second",
)
SWITCH_INTERVAL_S = 0.0005  # how long a thread that reads or writes history may keep the loop from running
COLLECTOR_THRESHOLDS = (50_000, 20, 50)  # Python's 700, 10, 10 suit a script, not 10,000 open sockets
EVERY_ADDRESS = ("", "*", "0.0.0.0", "::")  # noqa: S104 - only compared with

logger = logging.getLogger("server")


@dataclass(slots=True)
class Server:
    """The parts, built but not started."""

    settings: Settings
    source: Source
    services: Services
    namespace: MarketNamespace
    volatilities: Volatilities
    http: HTTPServer
    access: AccessRules
    descriptors: Descriptors
    mock: KiteMock | None = None
    bound: list[socket.socket] = field(default_factory=list)  # that listened before it was built
    port: int = 0
    url: str = ""
    diverging: asyncio.Future[None] | None = None  # to another epoch, since a file was read again

    @property
    def clock(self) -> Clock:
        """The market's time."""
        return self.services.clock

    @property
    def market(self) -> Market:
        """The market that is served."""
        return self.services.market

    @property
    def history(self) -> History:
        """The past of the market."""
        return self.services.history

    @property
    def ticker(self) -> Ticker:
        """What moves the market."""
        return self.services.ticker


class Beside(Protocol):
    """What a process does beside serving, where it shares a market with others; ``over`` ends the serving."""

    over: asyncio.Event

    async def build(self, manager: ServiceManager, stop: asyncio.Event) -> Server | None:
        """A server, once there is a market for it; None where it is stopped before."""
        ...

    def begin(self, server: Server) -> None:
        """The server is about to take its first step."""
        ...

    async def end(self) -> None:
        """It serves no more."""
        ...


async def serve(
    build: Callable[[], Server],
    log: Log,
    manager: ServiceManager,
    reread: Callable[[], Settings],
    out: TextIO | None,
    join: Callable[[], Beside] | None = None,
) -> bool:
    """Build a server and run it until SIGTERM or SIGINT. Raises StartError, and what ``build`` raises.

    With ``join`` its market is shared with other processes; the answer is whether to begin again, as one that
    leads no more does.
    ``reread`` gives the settings as they are now, for SIGHUP; what a person wants to know goes to ``out``,
    without one in a line to the log.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, _stop_once, loop, stop)
    loop.add_signal_handler(signal.SIGUSR1, log.toggle_debug)
    # a standby is asked to reload like any other process: by default that would end it
    loop.add_signal_handler(signal.SIGHUP, logger.info, "there is nothing to reload before there is a market")
    beside = join() if join is not None else None
    try:
        server = await (_built(build, manager, stop) if beside is None else beside.build(manager, stop))
        if server is not None:
            await _serve(server, log, manager, reread, out, stop, beside)
        return beside is not None and beside.over.is_set() and not stop.is_set()
    finally:
        if beside is not None:
            await beside.end()


async def _serve(  # noqa: PLR0913
    server: Server,
    log: Log,
    manager: ServiceManager,
    reread: Callable[[], Settings],
    out: TextIO | None,
    stop: asyncio.Event,
    beside: Beside | None,
) -> None:
    """Run a server until it is stopped."""
    services = server.services
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload, server, log, manager, reread)
    try:
        passed = [socket for _, socket in manager.sockets()]
        sockets = open_port(server, passed)
        if beside is not None:
            beside.begin(server)
        mock_sockets = open_mock_port(server)
        await server.volatilities.read(server.clock.now_ms())
        await server.ticker.prime()
        await _go_to_start(server)
        server.http.add_sockets(sockets)  # whoever connected meanwhile has waited, and finds prices
        if server.mock is not None:
            server.mock.start(mock_sockets)
        _quiet_collector()
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        server.ticker.start()
        services.loop_lag.start()
        services.health.start()
        server.access.keys.warn_of_plain()
        mock_url = server.mock.url if server.mock is not None else ""
        announce(server.settings, server.market, services.version, server.url, out, mock_url)
        can = Capabilities.of(server.source)
        if server.clock.virtual is None:
            fill_past(server.settings, can, server.history, eager=True)
        manager.ready(services.health.line())
        may_live = services.guard.wraps("watchdog", lambda: services.health.may_live)
        manager.watch(lambda: bool(may_live()), services.health.line)
        await _stopped(stop, beside)
        manager.stopping(
            "asking clients to come back in a moment",
            within_s=server.settings.server.drain_timeout_s + HISTORY_STOP_S,
        )
        await drain_clients(server, keeps_port=bool(passed))
    finally:
        server.ticker.stop()
        services.loop_lag.stop()
        services.health.stop()
        server.http.stop()
        if server.mock is not None:
            await server.mock.stop()
        await server.namespace.shut_down()
        await server.history.stop(HISTORY_STOP_S)
        await server.http.close_all_connections()
        await server.ticker.close()


async def _stopped(stop: asyncio.Event, beside: Beside | None) -> None:
    """Wait for the end."""
    waits = [asyncio.ensure_future(stop.wait())]
    if beside is not None:
        waits.append(asyncio.ensure_future(beside.over.wait()))
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _built(build: Callable[[], Server], manager: ServiceManager, stop: asyncio.Event) -> Server:
    """The server; under a service manager a store that is away for the moment is waited for a while."""
    over_s = time.monotonic() + STORE_PATIENCE_S
    while True:
        try:
            return build()
        except HistoryError as error:
            if not (error.is_passing and manager.is_present and time.monotonic() < over_s):
                raise
            logger.warning("%s It is tried again for up to %d s.", error, STORE_PATIENCE_S)
            manager.status("waiting for the history store")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), STORE_RETRY_S)
            if stop.is_set():
                raise


async def drain_clients(server: Server, *, keeps_port: bool) -> None:
    """Send everybody elsewhere within ``server.drain_timeout_s``: not ready, told, closed, in this order.

    Until all have been told, polls and requests are answered as ever. Where the service manager keeps the
    port (``keeps_port``) nobody new is taken in: who connects now waits for the next process.
    """
    within_s = server.settings.server.drain_timeout_s
    services, drain = server.services, server.namespace.drain
    logger.info("stopping: clients have %g s; another signal ends the process at once", within_s)
    services.health.draining = True
    until_s = time.monotonic() + within_s
    if keeps_port:
        server.http.stop()
    await drain.tell_everybody(until_s - within_s / 2)
    server.http.stop()
    server.ticker.stop()
    await drain.close_everybody(until_s)
    while time.monotonic() < until_s:
        if not services.answering:
            return
        await asyncio.sleep(LOOK_S)


def _stop_once(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Begin to stop. A second signal is not handled: it ends the process, even one that is stuck."""
    stop.set()
    for number in STOP_SIGNALS:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)


def open_port(server: Server, passed: list[socket.socket]) -> list[socket.socket]:
    """Open the port, unless the service manager gave its sockets. Raises StartError."""
    host, port = server.settings.server.host, server.settings.server.port
    sockets = passed or server.bound or bind(host, port)
    server.access.is_local = all(_is_local(item) for item in sockets)
    server.port = sockets[0].getsockname()[1]
    server.url = _url(server, host, sockets)
    return sockets


def open_mock_port(server: Server) -> list[socket.socket]:
    """Open the port of the Kite mock, if there is one. Raises StartError."""
    if server.mock is None:
        return []
    host = server.settings.server.host
    sockets = bind(host, server.settings.kite_mock.port)
    server.mock.url = _url(server, host, sockets)
    return sockets


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen there. Raises StartError."""
    try:
        return bind_sockets(port, None if host in ("", "*") else host, backlog=4096)
    except OSError as error:
        raise StartError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from None


def _url(server: Server, host: str, sockets: list[socket.socket]) -> str:
    shown = "localhost" if host in EVERY_ADDRESS else f"[{host}]" if ":" in host else host
    scheme = "http" if server.http.ssl_options is None else "https"
    return f"{scheme}://{shown}:{sockets[0].getsockname()[1]}"


def _is_local(listening: socket.socket) -> bool:
    """Whether only this machine reaches a socket; one of a path may be a proxy's."""
    return listening.family in (socket.AF_INET, socket.AF_INET6) and is_loopback(listening.getsockname()[0])


def reload(server: Server, log: Log, manager: ServiceManager, reread: Callable[[], Settings]) -> None:
    """Take over what can change while the server runs, and say what cannot; a bad file changes nothing."""
    manager.reloading()
    try:
        again = reread()
        is_another_calendar = server.services.calendar.reload()
    except (SettingsError, CalendarError) as error:
        logger.error("nothing was reloaded: %s", error)
    else:
        log.set_level("debug" if again.server.debug else again.server.log_level)
        limits = server.namespace.limits  # who is connected keeps what it has
        limits.max_clients = server.descriptors.allowed_clients(again.limits.max_clients)
        limits.max_subscriptions = again.limits.max_subscriptions
        limits.max_events_per_second = again.limits.max_events_per_second
        logger.info("reloaded the calendar, the log level and the limits of clients")
        if is_another_calendar and server.settings.server.role != Role.EDGE:
            # from here on the market takes another path than one without this file: another epoch
            server.diverging = asyncio.ensure_future(server.ticker.diverge("calendar"))
        _reload_keys(server, again)
        _reload_tls(server, again)
        ignored = [name for name in _changed(server.settings, again) if name not in RELOADED]
        if ignored:
            logger.warning("these settings changed and need a restart: %s", ", ".join(ignored))
    manager.ready(server.services.health.line())


def _reload_keys(server: Server, again: Settings) -> None:
    """Let in whom the settings name now, and nobody else: who came with a key that is gone is sent away."""
    changed = server.access.keys.replace(again.server.api_keys)
    server.access.keys.warn_of_plain()
    closed = server.namespace.close_revoked()
    logger.info("reloaded the API keys: %s; %d connections closed", changed, closed)


def _reload_tls(server: Server, again: Settings) -> None:
    """Offer new connections the certificate that the files hold now; those that are open keep theirs."""
    try:
        context = make_context(again.server.tls_cert, again.server.tls_key)
    except TlsError as error:
        logger.error("the certificate was not reloaded, the one before stays: %s", error)
        return
    if (context is None) != (server.http.ssl_options is None):
        logger.warning("TLS is turned on or off by a restart only")
    elif context is not None:
        server.http.ssl_options = context
        logger.info("reloaded the certificate")


def _changed(before: Settings, after: Settings) -> list[str]:
    """The settings that differ, by name."""
    return [
        f"{section.name}.{item.name}"
        for section in fields(before)
        for item in fields(getattr(before, section.name))
        if getattr(getattr(before, section.name), item.name)
        != getattr(getattr(after, section.name), item.name)
    ]


def fill_past(settings: Settings, can: Capabilities, history: History, *, eager: bool) -> None:
    """Tell history what was before a simulated market's start."""
    if can.simulated is None:
        return
    policy = settings.history
    history.backfill(
        can.simulated,
        ProgressBar(sys.stderr, "Filling history", "symbols"),
        Reach(policy.backfill_days, policy.backfill_sessions),
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
