"""The peer: python-socketio on Tornado as its documentation shows it, ``emit`` to a room on a timer.

Its Tornado driver agrees to permessage-deflate whenever a client offers it.
"""

from __future__ import annotations

import argparse
import asyncio
import time

import socketio
import tornado.web

EVENT = "symbol_update"


def payload(size_bytes: int) -> dict[str, object]:
    """An event whose text ``42["symbol_update",{…}]`` has that many bytes, with the present time in it."""
    body: dict[str, object] = {"t_ns": time.time_ns(), "x": ""}
    empty = len(f'42["{EVENT}",{{"t_ns":{body["t_ns"]},"x":""}}]')
    return {**body, "x": "x" * (size_bytes - empty)}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("payload_bytes", type=int)
    parser.add_argument("ticks_per_second", type=float)
    arguments = parser.parse_args()
    server = socketio.AsyncServer(async_mode="tornado", cors_allowed_origins="*")

    @server.event  # type: ignore[untyped-decorator]
    async def subscribe_symbol(sid: str, data: dict[str, str]) -> None:
        await server.enter_room(sid, data["symbol"])

    application = tornado.web.Application([(r"/socket.io/", socketio.get_tornado_handler(server))])
    application.listen(arguments.port, "127.0.0.1", backlog=4096)
    print("listening", flush=True)
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + 1 / arguments.ticks_per_second, loop.time())
        await asyncio.sleep(due - loop.time())
        await server.emit(EVENT, payload(arguments.payload_bytes), room="NIFTY")


if __name__ == "__main__":
    asyncio.run(main())
