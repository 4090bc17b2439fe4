"""Fixtures of the edge: python-socketio's own client, with what it received in queues."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import socketio
from tornado.ioloop import IOLoop

TIMEOUT_S = 10.0  # an event that has not arrived by then never will
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": None}


class StreamClient:
    """A connected client; each event it received waits in a queue of its own."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.order: list[tuple[str, Any]] = []
        self.disconnected = asyncio.Event()
        self._arrived = asyncio.Event()
        self._taken = 0  # of ``order``, by next_of
        self._queues: defaultdict[str, asyncio.Queue[Any]] = defaultdict(asyncio.Queue)
        self.socket.on("*", self._receive)
        self.socket.on("connect_error", lambda data: self._receive("connect_error", data))
        self.socket.on("disconnect", lambda reason: self.disconnected.set())

    def _receive(self, event: str, payload: Any = None) -> None:
        self.order.append((event, payload))
        self._arrived.set()
        self._queues[event].put_nowait(payload)

    async def next(self, event: str) -> Any:
        """The next payload of an event."""
        try:
            return await asyncio.wait_for(self._queues[event].get(), TIMEOUT_S)
        except TimeoutError:
            names = [name for name, _ in self.order]
            raise AssertionError(f"no {event} came, only {names}") from None

    async def next_of(self, *events: str) -> tuple[str, Any]:
        """The next of several events, with its name, in the order they came."""
        names = [event for event, _ in self.order]
        place = next((i for i in range(self._taken, len(names)) if names[i] in events), None)
        while place is None:
            start = len(self.order)
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), TIMEOUT_S)
            except TimeoutError:
                raise AssertionError(f"none of {events} came") from None
            added = range(start, len(self.order))
            place = next((i for i in added if self.order[i][0] in events), None)
        self._taken = place + 1
        return self.order[place]

    def waiting(self, event: str) -> list[Any]:
        """The payloads of an event that arrived and nobody took."""
        queue = self._queues[event]
        return [queue.get_nowait() for _ in range(queue.qsize())]

    async def call(self, event: str, payload: Any = None) -> Any:
        """Send an event and return its acknowledgement: the envelope."""
        return await self.socket.call(event, payload, timeout=TIMEOUT_S)

    async def ask(self, event: str, payload: Any = None) -> Any:
        """Send an event and return the data of its acknowledgement, which must be a success."""
        answer = await self.call(event, payload)
        assert answer["success"], answer
        return answer["data"]

    async def settle(self) -> None:
        """Wait until everything the server wrote so far has arrived."""
        await self.ask("ping", {"settle": True})

    @property
    def transport(self) -> str:
        """What the client speaks at the moment."""
        return str(self.socket.transport())


@pytest.fixture
def connect(io_loop: IOLoop) -> Iterator[Callable[..., Any]]:
    """``await connect(sandbox, "polling", auth={…}, headers={…})``; a refused client is returned too."""
    made: list[StreamClient] = []

    async def open_one(sandbox: Any, transport: str = "websocket", **options: Any) -> StreamClient:
        client = StreamClient()
        made.append(client)
        with suppress(socketio.exceptions.ConnectionError):
            await client.socket.connect(
                sandbox.url, transports=TRANSPORTS[transport], wait_timeout=TIMEOUT_S, **options
            )
        return client

    yield open_one

    async def close() -> None:
        for client in made:
            await client.socket.disconnect()

    io_loop.run_sync(close)
