"""systemd's side of the process: readiness, status, the watchdog, and sockets it opened for us.

The protocol is that of ``sd_notify(3)`` and ``sd_listen_fds(3)``: datagrams with ``NAME=value`` lines, and
descriptors from 3 on. Without a service manager every call does nothing.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping

from domain.refusals import OperatorError

logger = logging.getLogger(__name__)

FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START
SEND_TIMEOUT_S = 0.5  # a manager that reads nothing for so long must not hold up the loop any longer
HEALTH_CHECKS_A_PERIOD = 2  # what sd_watchdog_enabled(3) recommends


class ServiceManagerError(OperatorError):
    """What the service manager handed over cannot be used; a sentence for the operator."""


class ServiceManager:
    """The process as its service manager sees it.

    ``environment`` is what the process was started with. Where it names no manager, or one that speaks to
    another process, this object is inert. A message that cannot be sent is logged and forgotten: serving
    comes first.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        process_id: int | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._process_id = os.getpid() if process_id is None else process_id
        self._monotonic_ns = monotonic_ns
        self._socket: socket.socket | None = None
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        if self._address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.settimeout(SEND_TIMEOUT_S)
        self.watchdog_s = self._watchdog_period(environment)
        self._listen = self._listen_names(environment)
        self._timer: asyncio.TimerHandle | None = None
        self._was_healthy = True

    @property
    def is_present(self) -> bool:
        """Whether a service manager listens."""
        return self._socket is not None

    def sockets(self) -> list[tuple[str, socket.socket]]:
        """The listening sockets handed over, each with its name; to be called once.

        They are non-blocking and closed on exec, as Tornado's ``add_sockets`` wants them. Raises
        ServiceManagerError for one that is no listening stream socket.
        """
        names, self._listen = self._listen, []
        return [(name, _adopt(FIRST_DESCRIPTOR + place, name)) for place, name in enumerate(names)]

    def ready(self, status: str = "") -> bool:
        """Say that the service is up, or up again after a reload."""
        return self._notify("READY=1", *_status(status))

    def status(self, status: str) -> bool:
        """Say in a line how the service is."""
        return self._notify(*_status(status))

    def reloading(self) -> bool:
        """Say that settings are read again; ``ready`` says that it is done."""
        return self._notify("RELOADING=1", f"MONOTONIC_USEC={self._monotonic_ns() // 1000}")

    def stopping(self, status: str = "", within_s: float | None = None) -> bool:
        """Say that the service is ending, and ask to be left ``within_s`` for it."""
        self._stop_watching()
        extension = () if within_s is None else (_extension(within_s),)
        return self._notify("STOPPING=1", *_status(status), *extension)

    def watch(self, is_healthy: Callable[[], bool], describe: Callable[[], str] = str) -> None:
        """Feed the watchdog from the running loop, but only while ``is_healthy()``.

        Once it is not, the manager kills and restarts the service when the period ends; so does a loop that
        is stuck. ``describe`` gives the status line that goes along.
        """
        self._stop_watching()
        if self.watchdog_s is not None and self.is_present:
            self._feed(asyncio.get_running_loop(), is_healthy, describe)

    def close(self) -> None:
        """Say nothing from now on."""
        self._stop_watching()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _feed(
        self, loop: asyncio.AbstractEventLoop, is_healthy: Callable[[], bool], describe: Callable[[], str]
    ) -> None:
        assert self.watchdog_s is not None
        # first: whatever a check raises, the next one is due
        pause_s = self.watchdog_s / HEALTH_CHECKS_A_PERIOD
        self._timer = loop.call_later(pause_s, self._feed, loop, is_healthy, describe)
        healthy = is_healthy()
        if healthy:
            self._notify("WATCHDOG=1", *_status(describe()))
        else:
            self._notify(*_status(describe()))
        if healthy != self._was_healthy:
            self._was_healthy = healthy
            if healthy:
                logger.warning("healthy again: the watchdog is fed")
            else:
                logger.error("not healthy: the watchdog will end this process in %g s", self.watchdog_s)

    def _stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _notify(self, *assignments: str) -> bool:
        """Send one datagram; whether the manager has it."""
        if self._socket is None or not assignments:
            return False
        assert self._address is not None
        try:
            self._socket.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            logger.warning("the service manager was not told %s: %s", assignments[0], error)
            return False
        return True

    def _watchdog_period(self, environment: Mapping[str, str]) -> float | None:
        """Seconds within which a sign of life is expected; None where none is."""
        microseconds = _number(environment, "WATCHDOG_USEC")
        meant_for = _number(environment, "WATCHDOG_PID")
        if not microseconds or meant_for not in (None, self._process_id):
            return None
        return microseconds / 1_000_000

    def _listen_names(self, environment: Mapping[str, str]) -> list[str]:
        """A name for each descriptor handed over to this very process."""
        count = _number(environment, "LISTEN_FDS") or 0
        if _number(environment, "LISTEN_PID") != self._process_id:
            return []
        names = environment.get("LISTEN_FDNAMES", "").split(":")
        return [names[place] if place < len(names) else "" for place in range(count)]


def _address(path: str) -> str | bytes | None:
    """The address of the notification socket; an ``@`` stands for the abstract namespace's null byte."""
    if path.startswith("@"):
        return b"\0" + os.fsencode(path[1:])
    if path.startswith("/"):
        return path
    if path:
        logger.warning("NOTIFY_SOCKET must be a path or begin with @, was %r; nobody is notified", path)
    return None


def _number(environment: Mapping[str, str], name: str) -> int | None:
    text = environment.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdecimal():
        raise ServiceManagerError(f"{name} must be a whole number, was {text!r}.")
    return int(text)


def _status(status: str) -> tuple[str, ...]:
    """The assignment of a status line: a line break in it would begin another assignment."""
    line = " ".join(status.split())
    return (f"STATUS={line}",) if line else ()


def _extension(within_s: float) -> str:
    return f"EXTEND_TIMEOUT_USEC={round(within_s * 1_000_000)}"


def _adopt(descriptor: int, name: str) -> socket.socket:
    """The listening socket behind a descriptor. Raises ServiceManagerError."""
    try:
        adopted = socket.socket(fileno=descriptor)
    except OSError as error:
        raise ServiceManagerError(
            f"Descriptor {descriptor} ({name or 'without a name'}) is no socket: {error.strerror}."
        ) from None
    if adopted.type != socket.SOCK_STREAM or not adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        adopted.detach()
        raise ServiceManagerError(
            f"Descriptor {descriptor} ({name or 'without a name'}) must be a listening stream socket."
        )
    adopted.set_inheritable(False)
    adopted.setblocking(False)
    return adopted
