"""The service manager's protocol, with a datagram socket of ours as the manager."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from handlers.operations.service_manager import ServiceManager, ServiceManagerError

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["path", "abstract"])
def manager_socket(request, tmp_path):
    """What systemd listens on, and the environment it would give."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        if request.param == "path":
            name = str(tmp_path / "notify")
            listener.bind(name)
        else:
            listener.bind("\0market-data-test-" + os.urandom(8).hex())
            name = "@" + listener.getsockname()[1:].decode()
        listener.setblocking(False)
        yield listener, {"NOTIFY_SOCKET": name}


@contextlib.contextmanager
def manager_of(environment, **options):
    manager = ServiceManager(environment, **options)
    try:
        yield manager
    finally:
        manager.close()


def test_ready_status_and_stop_reach_the_manager(manager_socket):
    listener, environment = manager_socket
    with manager_of(environment) as manager:
        assert manager.is_present
        assert manager.ready("serving 3 clients")
        assert listener.recv(1024) == b"READY=1\nSTATUS=serving 3 clients"
        assert manager.status("serving")
        assert listener.recv(1024) == b"STATUS=serving"
        assert manager.stopping("draining", within_s=30)
        assert listener.recv(1024) == b"STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=30000000"


def test_reload_carries_the_monotonic_time_in_microseconds(manager_socket):
    listener, environment = manager_socket
    with manager_of(environment, monotonic_ns=lambda: 12_345_678_901) as manager:
        manager.reloading()
    assert listener.recv(1024) == b"RELOADING=1\nMONOTONIC_USEC=12345678"


def test_line_break_in_a_status_is_no_second_assignment(manager_socket):
    listener, environment = manager_socket
    with manager_of(environment) as manager:
        manager.status("one\nREADY=1\r\n two")
    assert listener.recv(1024) == b"STATUS=one READY=1 two"


def test_empty_status_sends_nothing(manager_socket):
    listener, environment = manager_socket
    with manager_of(environment) as manager:
        assert not manager.status("  ")
    with pytest.raises(BlockingIOError):
        listener.recv(1024)


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1234"}])
def test_without_a_manager_nothing_happens(environment):
    async def watch(manager):
        manager.watch(lambda: True)

    with manager_of({**environment, "WATCHDOG_USEC": "1000"}) as manager:
        assert not manager.is_present
        assert not manager.ready()
        assert not manager.stopping("ends", within_s=1)
        assert manager.sockets() == []
        asyncio.run(watch(manager))


def test_manager_that_went_away_is_logged_and_survived(tmp_path, caplog):
    with manager_of({"NOTIFY_SOCKET": str(tmp_path / "nobody")}) as manager:
        assert not manager.ready()
    assert "the service manager was not told READY=1" in caplog.text


@pytest.mark.parametrize(
    ("environment", "period_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "77"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "78"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_watchdog_period_is_the_one_meant_for_this_process(environment, period_s):
    with manager_of(environment, process_id=77) as manager:
        assert manager.watchdog_s == period_s


@pytest.mark.parametrize("name", ["WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"])
@pytest.mark.parametrize("value", ["", "x", "-1", "1.5", "²"])
def test_number_that_is_none_is_refused_with_its_name(name, value):
    with pytest.raises(ServiceManagerError, match=f"{name} must be a whole number"):
        ServiceManager({"WATCHDOG_USEC": "1", "LISTEN_PID": "1", name: value})


def test_watchdog_is_fed_only_while_healthy(manager_socket, caplog):
    listener, environment = manager_socket
    healthy = True

    async def follow():
        nonlocal healthy
        loop = asyncio.get_running_loop()

        async def told():
            return (await loop.sock_recv(listener, 1024)).decode().split("\n")

        manager.watch(lambda: healthy, lambda: f"healthy: {healthy}")
        assert await told() == ["WATCHDOG=1", "STATUS=healthy: True"]
        assert await told() == ["WATCHDOG=1", "STATUS=healthy: True"]
        healthy = False
        assert await told() == ["STATUS=healthy: False"]
        assert await told() == ["STATUS=healthy: False"]
        healthy = True
        assert await told() == ["WATCHDOG=1", "STATUS=healthy: True"]
        manager.stopping()
        assert await told() == ["STOPPING=1"]

    with manager_of({**environment, "WATCHDOG_USEC": "20000"}) as manager:
        asyncio.run(follow())
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_watchdog_goes_on_after_a_check_that_raised(manager_socket):
    listener, environment = manager_socket
    answers = iter([RuntimeError("the check is broken"), True])
    raised = []

    def check():
        answer = next(answers, True)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def follow():
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: raised.append(context["exception"]))
        loop.call_soon(manager.watch, check)
        return await loop.sock_recv(listener, 1024)

    with manager_of({**environment, "WATCHDOG_USEC": "20000"}) as manager:
        assert asyncio.run(follow()) == b"WATCHDOG=1"
    assert [str(error) for error in raised] == ["the check is broken"]


def test_watching_again_replaces_the_former_watch(manager_socket):
    listener, environment = manager_socket

    async def follow():
        loop = asyncio.get_running_loop()
        manager.watch(lambda: True, lambda: "first")
        manager.watch(lambda: True, lambda: "second")
        return [await loop.sock_recv(listener, 1024) for _ in range(4)]

    with manager_of({**environment, "WATCHDOG_USEC": "20000"}) as manager:
        seen = asyncio.run(follow())
    assert seen == [b"WATCHDOG=1\nSTATUS=first"] + [b"WATCHDOG=1\nSTATUS=second"] * 3


ADOPT = """
import os, runpy
# the file alone: importing the package would cost most of a second, three times
module = runpy.run_path("handlers/operations/service_manager.py")
ServiceManagerError = module["ServiceManagerError"]
manager = module["ServiceManager"](os.environ)
try:
    for name, adopted in manager.sockets():
        print(name, adopted.getsockname()[1], adopted.get_inheritable(), adopted.gettimeout())
    print(manager.sockets())
except ServiceManagerError as error:
    print(error)
"""


def adopt(descriptors, listen_pid="$$", names=""):
    """Run a process that is handed descriptors as systemd hands them; what it says of them."""

    def hand_over():
        high = [os.dup2(number, 100 + place) for place, number in enumerate(descriptors)]
        for place, number in enumerate(high):
            os.dup2(number, 3 + place)

    shell = f'LISTEN_FDS={len(descriptors)} LISTEN_PID={listen_pid} LISTEN_FDNAMES={names} exec "$0" -c "$1"'
    done = subprocess.run(
        ["sh", "-c", shell, sys.executable, ADOPT],
        cwd=ROOT,
        preexec_fn=hand_over,
        pass_fds=range(3, 3 + len(descriptors)),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture
def listeners():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        yield one, two


def test_listening_sockets_are_taken_over_once_with_their_names(listeners):
    ports = [listener.getsockname()[1] for listener in listeners]
    lines = adopt([listener.fileno() for listener in listeners], names="http:admin")
    assert lines == [f"http {ports[0]} False 0.0", f"admin {ports[1]} False 0.0", "[]"]


def test_sockets_of_another_process_are_left_alone(listeners):
    assert adopt([listeners[0].fileno()], listen_pid="1") == ["[]"]


def test_descriptor_that_does_not_listen_is_refused(tmp_path):
    with socket.socket() as silent, (tmp_path / "file").open("w") as file:
        assert adopt([silent.fileno()], names="http") == [
            "Descriptor 3 (http) must be a listening stream socket."
        ]
        assert adopt([file.fileno()]) == [
            "Descriptor 3 (without a name) is no socket: Socket operation on non-socket."
        ]
