"""The nginx example, by nginx itself where it is installed."""

import asyncio
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from tornado.httpclient import HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import websocket_connect

from schemas.configuration.settings import SettingsSchema

CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"
TEXT = CONF.read_text()
NGINX = shutil.which("nginx", path=os.defpath + ":/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def directive(name):
    """The one value of a directive, in seconds where it is a time."""
    (value,) = re.findall(rf"^\s*{name} ([^;]+);", TEXT, re.M)
    return int(value.removesuffix("s")) if re.fullmatch(r"\d+s", value) else value


@needs_nginx
def test_configuration_is_accepted(tmp_path):
    command = [NGINX, "-t", "-q", "-c", CONF, "-p", tmp_path, "-g", f"pid {tmp_path}/nginx.pid;"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_times_agree_with_those_of_the_server():
    settings = SettingsSchema().load({})
    api, sockets = (int(text) for text in re.findall(r"proxy_read_timeout (\d+)s;", TEXT))
    assert api > settings.server.api_timeout_s
    assert sockets > settings.websocket.ping_interval_s + settings.websocket.timeout_s
    # the server must not close a connection that nginx is about to use
    upstream = re.search(r"upstream market_data \{.*?keepalive_timeout (\d+)s;", TEXT, re.S)
    assert int(upstream[1]) < settings.limits.idle_timeout_s


def test_limits_let_through_what_the_server_allows():
    limits = SettingsSchema().load({}).limits
    per_second = int(re.search(r"rate=(\d+)r/s", TEXT)[1])
    assert per_second * 60 >= limits.rate_limit_per_minute
    assert int(re.search(r"limit_conn connections (\d+);", TEXT)[1]) >= limits.max_clients_per_address
    assert int(directive("worker_rlimit_nofile")) >= 2 * int(directive("worker_connections"))


def test_headers_are_set_in_one_place():
    """A location that sets one inherits none: the client's own X-Forwarded-For would come through."""
    places = [match.start() for match in re.finditer("proxy_set_header", TEXT)]
    assert max(places) < re.search(r"^\s*location ", TEXT, re.M).start()


class Echo(RequestHandler):
    def get(self):
        port = self.request.connection.context.address[1]  # type: ignore[union-attr, attr-defined]
        self.finish({"headers": dict(self.request.headers), "connection": port})

    post = get


@pytest.fixture
def proxied(io_loop, tmp_path):
    """Start nginx before a server on a port; gives the address of nginx."""
    started = []

    def start(port):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(
            False
        )  # nginx takes it as it is: of two workers the later one would wait in accept
        address = listener.getsockname()
        conf = re.sub(r"listen \[::\]:80 [^;]*;", "", TEXT)
        conf = re.sub(r"listen 80 [^;]*;", f"listen 127.0.0.1:{address[1]};", conf)
        conf = conf.replace("127.0.0.1:5000", f"127.0.0.1:{port}").replace(
            "/dev/stdout", f"{tmp_path}/access"
        )
        (tmp_path / "nginx.conf").write_text(conf)
        # nginx takes the socket over as after an upgrade of its binary: who connects meanwhile just waits
        process = subprocess.Popen(
            [NGINX, "-c", tmp_path / "nginx.conf", "-g", f"daemon off; pid {tmp_path}/nginx.pid;"],
            env={"NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
            stderr=subprocess.PIPE,
        )
        started.append((process, listener))
        return address

    yield start
    for process, listener in started:
        listener.close()
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def echo(io_loop, proxied):
    """A server that tells what reached it, behind nginx."""
    listener, port = bind_unused_port()
    server = HTTPServer(Application([(".*", Echo)]))
    server.add_sockets([listener])
    yield proxied(port)
    server.stop()
    io_loop.run_sync(server.close_all_connections)


async def ask(address, *requests, source="127.0.0.1", method="GET", body=None):
    """Make requests over one connection; status and body of each."""

    def make():
        connection = http.client.HTTPConnection(
            address[0], address[1], timeout=20, source_address=(source, 0)
        )
        answers = []
        for path, headers in requests:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            answers.append((answer.status, answer.read()))
        connection.close()
        return answers

    return await asyncio.to_thread(make)


@needs_nginx
@pytest.mark.gen_test
async def test_what_a_client_claims_of_itself_does_not_reach_the_server(echo):
    claims = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"), "6.6.6.6")
    for path in ("/api/symbols", "/socket.io/?EIO=4&transport=polling", "/metrics"):
        ((_, body),) = await ask(echo, (path, {**claims, "X-Forwarded-Proto": "https"}))
        headers = json.loads(body)["headers"]
        assert "6.6.6.6" not in headers.values()
        assert headers["X-Forwarded-For"] == "127.0.0.1"
        assert headers["X-Forwarded-Proto"] == "http"


@needs_nginx
@pytest.mark.gen_test
async def test_request_id_of_a_client_is_passed_on_and_a_bad_one_replaced(echo):
    answers = await ask(
        echo, ("/", {"X-Request-ID": "my-id"}), ("/", {"X-Request-ID": "two words"}), ("/", {})
    )
    ids = [json.loads(body)["headers"]["X-Request-Id"] for _, body in answers]
    assert ids[0] == "my-id"
    assert all(re.fullmatch(r"[0-9a-f]{32}", given) for given in ids[1:])
    assert ids[1] != ids[2]


@needs_nginx
@pytest.mark.gen_test
async def test_connections_to_the_server_are_kept(echo):
    answers = await ask(echo, ("/", {}), ("/", {}), ("/", {}))
    assert len({json.loads(body)["connection"] for _, body in answers}) == 1


@needs_nginx
@pytest.mark.gen_test
async def test_metrics_are_for_this_machine_only(echo):
    assert [status for status, _ in await ask(echo, ("/metrics", {}))] == [200]
    strange = await ask(echo, ("/metrics", {}), ("/health", {}), source="127.0.0.2")
    assert [status for status, _ in strange] == [403, 200]


@needs_nginx
@pytest.mark.gen_test
async def test_body_over_the_limit_is_refused(echo):
    ((status, _),) = await ask(echo, ("/", {}), method="POST", body=b"x" * 70_000)
    assert status == 413


@needs_nginx
@pytest.mark.gen_test
async def test_socket_io_comes_through_as_websocket(make_sandbox, proxied):
    sandbox = await make_sandbox(server={"trusted_proxies": ["127.0.0.1"]})
    host, port = proxied(int(sandbox.url.rpartition(":")[2]))
    url = f"ws://{host}:{port}/socket.io/?EIO=4&transport=websocket"
    client = await websocket_connect(HTTPRequest(url, headers={"X-Forwarded-For": "6.6.6.6"}))
    assert (await client.read_message()).startswith('0{"sid":')
    await client.write_message("40")
    assert (await client.read_message()).startswith("40{")
    assert '"connection_status"' in await client.read_message()
    (seen,) = sandbox.server.namespace.broadcaster.clients.values()
    assert seen.address == "127.0.0.1"
    client.close()
