"""Short turns: a selector that tells of few sockets at a time, and one timer for many."""

import asyncio
import socket

import pytest
from tornado.ioloop import IOLoop

from handlers.transport.loop import EVENTS_A_TURN, TimerWheel, make_loop


@pytest.fixture
def loop():
    made = make_loop()
    yield made
    made.close()


def test_sockets_that_are_all_ready_are_served_over_several_turns(loop):
    pairs = [socket.socketpair() for _ in range(EVENTS_A_TURN + 44)]
    turns, served = [], set()

    def read(pair):
        pair[0].recv(1)
        served.add(pair)
        turns[-1] += 1

    async def main():
        for pair in pairs:
            loop.add_reader(pair[0], read, pair)
            pair[1].send(b"x")
        while len(served) < len(pairs):
            turns.append(0)
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert max(turns) <= EVENTS_A_TURN
    assert sum(turns) == len(pairs)
    for pair in pairs:
        for end in pair:
            end.close()


def test_closed_peer_is_seen_by_a_reader_and_a_full_socket_by_a_writer(loop):
    reader, peer = socket.socketpair()
    seen = []
    loop.add_reader(reader, lambda: (seen.append("read"), loop.remove_reader(reader)))
    loop.add_writer(reader, lambda: (seen.append("write"), loop.remove_writer(reader)))
    peer.close()

    async def main():
        while len(seen) < 2:  # noqa: ASYNC110 (turns of the loop are what is tested)
            await asyncio.sleep(0)

    loop.run_until_complete(main())
    assert sorted(seen) == ["read", "write"]
    reader.close()


def test_server_answers_on_the_sliced_loop(loop):
    asyncio.set_event_loop(loop)

    async def main():
        async def answer(reader, writer):
            writer.write((await reader.readline()).upper())
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"price\n")
        assert await reader.readline() == b"PRICE\n"
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())
    asyncio.set_event_loop(None)


@pytest.mark.gen_test
async def test_wheel_calls_what_is_due_in_order_and_nothing_that_was_cancelled(io_loop: IOLoop):
    wheel, called = TimerWheel(0.01), []
    done = asyncio.get_running_loop().create_future()
    wheel.later(0.03, lambda: called.append("second"))
    wheel.later(0.01, lambda: called.append("first"))
    wheel.cancel(wheel.later(0.02, lambda: called.append("never")))
    wheel.later(0.05, lambda: done.set_result(None))
    await done
    assert called == ["first", "second"]


@pytest.mark.gen_test
async def test_wheel_holds_nothing_for_what_was_cancelled(io_loop: IOLoop):
    wheel = TimerWheel()
    for _ in range(100):
        wheel.cancel(wheel.later(60, lambda: None))
    assert sum(map(len, wheel.slots.values())) == 0


@pytest.mark.gen_test
async def test_cancelling_what_went_off_is_harmless(io_loop: IOLoop):
    wheel = TimerWheel(0.01)
    done = asyncio.get_running_loop().create_future()
    alarm = wheel.later(0.01, lambda: done.set_result(None))
    await done
    wheel.cancel(alarm)
