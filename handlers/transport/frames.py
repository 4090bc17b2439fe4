"""Bytes that go over a WebSocket: one encoding, one frame, and one compressed frame for everybody."""

from __future__ import annotations

import struct
import zlib

TEXT = 0x81  # FIN and opcode 1, RFC 6455 section 5.2
TEXT_DEFLATED = 0xC1  # the same with RSV1, RFC 7692 section 6
DEFLATE_FROM_BYTES = 256  # a shorter payload costs more to unpack than its bytes to send
DEFLATE_LEVEL = 6


def text_frame(payload: bytes, first_byte: int = TEXT) -> bytes:
    """An unmasked server frame around a payload."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", first_byte, length) + payload
    if length < 65536:
        return struct.pack("!BBH", first_byte, 126, length) + payload
    return struct.pack("!BBQ", first_byte, 127, length) + payload


def deflated_frame(payload: bytes) -> bytes:
    """The payload compressed on its own, so that the same bytes suit every connection.

    A message made by a fresh compressor refers to nothing before it: any receiver can inflate it, and
    the server keeps no compressor for a client (RFC 7692 section 7.2.1, ``server_no_context_takeover``).
    """
    compressor = zlib.compressobj(DEFLATE_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return text_frame(body.removesuffix(b"\x00\x00\xff\xff"), TEXT_DEFLATED)


class Packet:
    """One Socket.IO event of the default namespace, ready for any number of sockets."""

    __slots__ = ("_deflated", "_frame", "_text", "payload")

    def __init__(self, event: str, body: bytes) -> None:
        """Take the event's name and its one argument as JSON."""
        self.payload = b'42["' + event.encode() + b'",' + body + b"]"
        self._frame: bytes | None = None
        self._deflated: bytes | None = None
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The packet as a poll takes it: one text for everybody."""
        if self._text is None:
            self._text = self.payload.decode()
        return self._text

    @property
    def frame(self) -> bytes:
        """The plain frame."""
        if self._frame is None:
            self._frame = text_frame(self.payload)
        return self._frame

    @property
    def deflated(self) -> bytes:
        """The frame for clients that agreed on permessage-deflate."""
        if self._deflated is None:
            small = len(self.payload) < DEFLATE_FROM_BYTES
            self._deflated = self.frame if small else deflated_frame(self.payload)
        return self._deflated
