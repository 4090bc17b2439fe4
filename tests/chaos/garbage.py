"""What strangers send: nothing of it is a request, a frame or a packet."""

from __future__ import annotations

import random

from tests.fanout.raw import RawClient

HEAD = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
REQUESTS = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a plain port
    b"GET / HTTP/9.9\r\n\r\n",
    b"\r\n\r\n\r\n",
    f"POST /socket.io/?EIO=4&transport=polling&sid=no {HEAD}Content-Length: 1\r\n\r\na".encode(),
    b"POST /api/strategy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    f"GET /api/option_chain?symbol=%FF%FE&expiry=%00 {HEAD}\r\n".encode(),
    b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"X" * 100_000,
    f"GET /socket.io/?EIO=4&transport=websocket {HEAD}Upgrade: websocket\r\n\r\n".encode(),
)
PACKETS = ("", "9", "49", "42", "42{}", "42[]", "42[7]", "451-[]", "2probe", "6", "0{}", "4" * 900)
FRAMES = (
    {"payload": b"\xff\xfe", "first_byte": 0x81},  # no UTF-8
    {"payload": b"binary", "first_byte": 0x82},
    {"payload": b"40", "first_byte": 0x81, "mask": False},
    {"payload": b"x", "first_byte": 0xF1},  # reserved bits
    {"payload": b"x" * 200, "first_byte": 0x89},  # a ping too long
    {"payload": b"x", "first_byte": 0x8B},  # an opcode that there is not
    {"payload": b"x" * 200_000, "first_byte": 0x81},
)


def requests(chance: random.Random, count: int) -> list[bytes]:
    """Requests that are none, every third of random bytes."""
    return [
        chance.randbytes(chance.randrange(1, 3000)) if number % 3 == 0 else chance.choice(REQUESTS)
        for number in range(count)
    ]


def spoil(client: RawClient, chance: random.Random) -> None:
    """Send a frame or a packet over an open socket that breaks the protocol."""
    if chance.random() < 0.5:
        client.send_frame(**chance.choice(FRAMES))
    else:
        client.send(chance.choice(PACKETS))
