from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from tests.fanout.raw import RawClient


class RawClients:
    """Makes raw clients and sees that none is left open."""

    def __init__(self) -> None:
        self.made: list[RawClient] = []

    async def open(self, url: str, **options: Any) -> RawClient:
        self.made.append(await RawClient.open(url, **options))
        return self.made[-1]

    async def connect(self, url: str, **options: Any) -> RawClient:
        client = await self.open(url, **options)
        await client.enter()
        return client

    async def close(self) -> None:
        for client in self.made:
            client.vanish()
            with suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(client.writer.wait_closed(), 2)


@pytest.fixture
def raw(io_loop: IOLoop) -> Iterator[RawClients]:
    clients = RawClients()
    yield clients
    io_loop.run_sync(clients.close)
