"""A client made of bytes: it says exactly what a test wants said, right or wrong."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 30  # a server that starts on a busy machine keeps who connects waiting


@dataclass
class Frame:
    """A server frame as it came."""

    first_byte: int
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.first_byte & 0x0F

    @property
    def text(self) -> str:
        body = self.payload
        if self.first_byte & 0x40:
            body = zlib.decompressobj(-15).decompress(body + b"\x00\x00\xff\xff")
        return body.decode()


@dataclass
class RawClient:
    """A WebSocket, or the wreck of one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    head: str = ""
    closed: bool = False
    events: list[tuple[str, Any]] = field(default_factory=list)

    @classmethod
    async def open(
        cls,
        url: str,
        query: str = "EIO=4&transport=websocket",
        headers: str = "",
        receive_buffer: int = 0,
        source: str = "",
    ) -> RawClient:
        """Ask for an upgrade, from the address ``source`` if one is given, and read the answer's head."""
        parts = urlsplit(url)
        raw = socket.socket()
        try:
            if receive_buffer:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if source:
                raw.bind((source, 0))
            raw.setblocking(False)
            await asyncio.get_running_loop().sock_connect(raw, (parts.hostname, parts.port))
            reader, writer = await asyncio.open_connection(sock=raw, limit=2**24)
        except BaseException:  # a refusal or a cancel: the socket is nobody's yet
            raw.close()
            raise
        client = cls(reader, writer)
        try:
            await client._ask_for_upgrade(parts.netloc, query, headers)
        except BaseException:
            client.vanish()
            raise
        return client

    async def _ask_for_upgrade(self, host: str, query: str, headers: str) -> None:
        request = (
            f"GET /socket.io/?{query} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        )
        self.writer.write(request.encode())
        # not wait_for, which in Python 3.11 may swallow a cancel: a client would then never stop
        async with asyncio.timeout(TIMEOUT_S):
            head = await self.reader.readuntil(b"\r\n\r\n")
        self.head = head.decode()
        self.status = int(self.head.split()[1])

    async def enter(self) -> None:
        """Connect to the default namespace and read the greetings."""
        assert self.status == 101, self.head
        assert (await self.frame()).text.startswith("0{")
        self.send("40")
        assert (await self.frame()).text.startswith("40{")
        await self.until("market_status")

    def send(self, text: str) -> None:
        self.send_frame(text.encode())

    def send_frame(self, payload: bytes, first_byte: int = 0x81, mask: bool = True) -> None:
        """Send a frame; ``mask=False`` is what a client may not do."""
        length, bit = len(payload), 0x80 if mask else 0
        if length < 126:
            head = struct.pack("!BB", first_byte, length | bit)
        elif length < 65536:
            head = struct.pack("!BBH", first_byte, 126 | bit, length)
        else:
            head = struct.pack("!BBQ", first_byte, 127 | bit, length)
        if mask:
            key = os.urandom(4)
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
            head += key
        self.writer.write(head + payload)

    def emit(self, event: str, payload: Any = None, ack: int | str = "") -> None:
        self.send(f"42{ack}{json.dumps([event] if payload is None else [event, payload])}")

    async def frame(self) -> Frame:
        """The next frame; raises IncompleteReadError or ConnectionError at the end."""
        async with asyncio.timeout(TIMEOUT_S):
            first, second = await self.reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Frame(first, await self.reader.readexactly(length))

    async def message(self) -> str:
        """The next text that is no Engine.IO ping."""
        while True:
            frame = await self.frame()
            if frame.opcode == 8:
                raise ConnectionResetError("the server closed the WebSocket")
            if frame.text == "2":
                self.send("3")
            else:
                return frame.text

    async def event(self) -> tuple[str, Any]:
        """The next event, remembered in ``events``; acknowledgements are ("ack", [id, envelope])."""
        text = await self.message()
        if text.startswith("43"):
            digits = text[2 : text.index("[")]
            item: tuple[str, Any] = ("ack", [digits, json.loads(text[text.index("[") :])[0]])
        else:
            assert text.startswith("42"), text[:80]
            name, payload = json.loads(text[2:])
            item = (name, payload)
        self.events.append(item)
        return item

    async def until(self, name: str) -> Any:
        """The payload of the next event of that name."""
        while True:
            event, payload = await self.event()
            if event == name:
                return payload

    async def call(self, event: str, payload: Any = None) -> Any:
        """Emit with an acknowledgement and return its envelope; events that come first are kept."""
        self.emit(event, payload, ack=7)
        return (await self.until("ack"))[1]

    async def ended(self) -> bool:
        """Read to the end; True when the server closed the connection."""
        try:
            while True:
                async with asyncio.timeout(TIMEOUT_S):
                    if not await self.reader.read(65536):
                        return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def close(self) -> None:
        self.writer.close()

    def vanish(self) -> None:
        """Go without a word."""
        self.writer.transport.abort()
