"""How the clients of a server that stops are sent off: told when to come back, then closed in slices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from handlers.streams.broadcaster import Broadcaster
from handlers.streams.rooms import Client
from handlers.transport.frames import Packet
from schemas.wire import encode

RECONNECT_MS = 1000  # a restart takes about as long
SPREAD_MS_A_CLIENT = 2  # so that 500 a second come back
MAX_SPREAD_MS = 30_000
SLICE = 50  # sockets closed in one turn of the loop: a few milliseconds
PAUSE_S = SLICE * SPREAD_MS_A_CLIENT / 1000  # many clients come back as soon as they are closed
LOOK_S = 0.02  # how often it is looked whether everybody has been told


class Drain:
    """Sends everybody off. Who connects once it has begun is let in, told the same, and closed in turn."""

    def __init__(self, broadcaster: Broadcaster, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.has_begun = False
        self._broadcaster = broadcaster
        self._monotonic = monotonic
        self._notified = 0

    def tell(self, client: Client) -> None:
        """Say when to come back: another time for each client."""
        after_ms = RECONNECT_MS + self._notified * SPREAD_MS_A_CLIENT % MAX_SPREAD_MS
        self._notified += 1
        client.send(Packet("server_shutdown", encode({"reconnect_after_ms": after_ms})))

    async def tell_everybody(self, until_s: float) -> None:
        """Tell all, then wait for them to have it: for polling clients to poll, for sockets to drain.

        ``until_s`` of the monotonic clock ends the wait: a client that is gone never reads.
        """
        self.has_begun = True
        clients = list(self._broadcaster.clients.values())
        for start in range(0, len(clients), SLICE):
            for client in clients[start : start + SLICE]:
                self.tell(client)
            await asyncio.sleep(0)
        while self._monotonic() < until_s:
            if not any(map(_has_unread, self._broadcaster.clients.values())):
                return
            await asyncio.sleep(LOOK_S)

    async def close_everybody(self, until_s: float) -> None:
        """Close the transports in slices with pauses; after ``until_s`` without a pause."""
        while clients := list(self._broadcaster.clients.values()):
            left_s = max(0.0, until_s - self._monotonic())
            for client in clients[:SLICE]:
                # no closing packet: the JavaScript client drops an event that comes in one payload with it
                await client.socket.close(abort=True)
                self._broadcaster.remove(client.sid)  # also one whose transport is closing already
            await asyncio.sleep(min(PAUSE_S, left_s * SLICE / len(clients)) if len(clients) > SLICE else 0)


def _has_unread(client: Client) -> bool:
    link = client.socket.link
    return link.writing() if link is not None else client.socket.has_unread
