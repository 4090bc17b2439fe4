"""Engine.IO over polling, made of bytes."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

PATH = "/socket.io/"
HANDSHAKE = "EIO=4&transport=polling"
TIMEOUT_S = 10


@dataclass
class Reply:
    """An HTTP answer as it came."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def packets(self) -> list[str]:
        return self.text.split("\x1e")


async def request(url: str, query: str, method: str = "GET", body: str = "", **headers: str) -> Reply:
    """One request over a connection of its own (``Origin=…`` and the like are headers)."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    given = {"Host": parts.netloc, "Connection": "close", "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    writer.write(f"{method} {PATH}?{query} HTTP/1.1\r\n{lines}\r\n{body}".encode())
    try:
        answer = await asyncio.wait_for(reader.read(), TIMEOUT_S)
    finally:
        writer.close()
    head, _, text = answer.decode().partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    found = dict(line.split(": ", 1) for line in fields)
    return Reply(int(status.split()[1]), {name.lower(): value for name, value in found.items()}, text)


@dataclass
class Poller:
    """A session over polling."""

    url: str
    greeting: dict[str, object]

    @classmethod
    async def open(cls, url: str, **headers: str) -> Poller:
        reply = await request(url, HANDSHAKE, **headers)
        assert reply.status == 200, reply
        assert reply.text.startswith("0{")
        return cls(url, json.loads(reply.text[1:]))

    @classmethod
    async def connect(cls, url: str) -> Poller:
        """A session that speaks Socket.IO and has read its greetings."""
        poller = await cls.open(url)
        assert (await poller.post("40")).text == "ok"
        seen = ""
        while "market_status" not in seen:
            seen += (await poller.poll()).text
        return poller

    @property
    def sid(self) -> str:
        return str(self.greeting["sid"])

    @property
    def query(self) -> str:
        return f"{HANDSHAKE}&sid={self.sid}"

    @property
    def upgrade(self) -> str:
        """The query of a WebSocket that the session may go on over."""
        return f"EIO=4&transport=websocket&sid={self.sid}"

    async def poll(self) -> Reply:
        return await request(self.url, self.query)

    async def post(self, body: str) -> Reply:
        return await request(self.url, self.query, "POST", body)
