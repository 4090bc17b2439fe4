"""Clients whose every event is checked against the documents."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from tests.contract.documents import ASYNCAPI, Validators, payload_of
from tests.fanout.raw import RawClient

VALIDATORS = Validators(ASYNCAPI)


class CheckedClient:
    """A client on a real socket; whatever it receives must be as the documents say."""

    def __init__(self, raw: RawClient) -> None:
        self.raw = raw
        self.seen: Counter[str] = Counter()
        self.received: list[tuple[str, Any]] = []

    async def call(self, event: str, *payload: Any) -> dict[str, Any]:
        """Send an event and return its acknowledgement; check it and everything that came before it."""
        first = len(self.raw.events)
        answer: dict[str, Any] = await self.raw.call(event, *payload)
        self.check(first)
        if f"{event}_answer" in ASYNCAPI["components"]["messages"]:
            assert VALIDATORS.problems(payload_of(f"{event}_answer"), answer) == [], event
        return answer

    async def settle(self) -> None:
        """Take in everything that the server wrote so far."""
        await self.call("ping")

    def check(self, first: int) -> None:
        """Check the events from the ``first`` on."""
        for name, payload in self.raw.events[first:]:
            if name != "ack":
                assert VALIDATORS.problems(payload_of(name), payload) == [], name
                self.seen[name] += 1
                self.received.append((name, payload))

    def last(self, name: str) -> Any:
        """The latest payload of an event."""
        return next(payload for event, payload in reversed(self.received) if event == name)


@pytest.fixture
def checked(io_loop: IOLoop) -> Iterator[Callable[..., Any]]:
    """``await checked(sandbox)``: a connected client, its greetings checked."""
    made: list[RawClient] = []

    async def connect(sandbox: Any) -> CheckedClient:
        raw = await RawClient.open(sandbox.url)
        made.append(raw)
        await raw.enter()
        client = CheckedClient(raw)
        client.check(0)
        return client

    yield connect

    async def close() -> None:
        for raw in made:
            raw.vanish()
            with suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(raw.writer.wait_closed(), 2)

    io_loop.run_sync(close)
