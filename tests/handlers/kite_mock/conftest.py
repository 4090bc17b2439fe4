"""The Kite mock of a sandbox, asked over real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClientConnection, websocket_connect

from handlers.kite_mock.mock import KiteMock
from tests.conftest import Sandbox

TOKEN = "fixed-token"


@dataclass
class Kite:
    """A mock, and a client of it."""

    sandbox: Sandbox
    mock: KiteMock
    port: int
    sockets: list[WebSocketClientConnection] = field(default_factory=list)

    async def get(
        self, path: str, *, token: str = TOKEN, method: str = "GET", body: str | None = None, **query: Any
    ) -> Any:
        """Status, headers and body of an answer."""
        address = f"http://127.0.0.1:{self.port}{path}"
        if query:
            address += "?" + urlencode(query, doseq=True)
        headers = {"X-Kite-Version": "3", "Authorization": f"token mock:{token}"} if token else {}
        return await AsyncHTTPClient().fetch(
            HTTPRequest(address, method=method, body=body, headers=headers, follow_redirects=False),
            raise_error=False,
        )

    async def data(self, path: str, **query: Any) -> Any:
        """The data of an answer that went well."""
        answer = await self.get(path, **query)
        assert answer.code == 200, answer.body
        told = json.loads(answer.body)
        assert told["status"] == "success"
        return told["data"]

    async def refusal(self, path: str, **query: Any) -> tuple[int, str, str]:
        """Status, type and message of a refusal."""
        answer = await self.get(path, **query)
        told = json.loads(answer.body)
        assert (told["status"], told["data"]) == ("error", None)
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.code, told["error_type"], told["message"]

    async def ticker(
        self, token: str = TOKEN, path: str = "/", key: str = "mock"
    ) -> WebSocketClientConnection:
        """A socket of the ticker."""
        query = urlencode({"api_key": key, "access_token": token})
        address = f"ws://127.0.0.1:{self.port}{path}?{query}"
        socket = await websocket_connect(address, max_message_size=4 << 20)
        self.sockets.append(socket)
        return socket

    async def close(self) -> None:
        """Close what a test left open."""
        for socket in self.sockets:
            socket.close()
        while self.mock.tickers.followers:
            await self.get("/nowhere", token="")
        await self.mock.stop()


@pytest.fixture
def kite(io_loop: Any, make_sandbox: Callable[..., Any]) -> Any:
    """A mock over a market of its own that moves when the test says so."""
    made: list[Kite] = []

    async def start(feed: Any = None, **settings: Any) -> Kite:
        options = {"port": 1, "access_token": TOKEN, "strict_limits": False, **settings}
        sandbox = await make_sandbox(own_market=True, kite_mock=options, feed=feed or {})
        mock = sandbox.server.mock
        listening, port = bind_unused_port()
        mock.url = f"http://127.0.0.1:{port}"
        mock.start([listening])
        made.append(Kite(sandbox, mock, port))
        return made[-1]

    yield start
    for kite in made:
        io_loop.run_sync(kite.close)
