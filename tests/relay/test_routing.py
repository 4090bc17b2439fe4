"""Several edges behind one address: nginx sends a session back to the edge it began at."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

import pytest
from tornado.httpclient import AsyncHTTPClient

from deploy.nginx_edges import configuration
from tests.chaos.followers import Follower
from tests.redis_server import free_port
from tests.relay.cluster import Cluster, serves

SCRIPTS = Path(__file__).parents[1] / "client"
NGINX = shutil.which("nginx", path=os.defpath + ":/usr/sbin:/usr/local/sbin")
NODE = shutil.which("node")
pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian: apt install nginx-light)"),
    pytest.mark.timeout(150),
]
needs_node = pytest.mark.skipif(
    NODE is None or not (SCRIPTS / "node_modules").exists(), reason="there are no JavaScript clients here"
)
TRUSTING = ("--set", "server.trusted_proxies=127.0.0.1")
UNLIMITED = (r"limit_(req|conn)[^;]*;", "")  # one machine stands for forty


@pytest.fixture
def cluster(tmp_path, redis_server):
    made = Cluster(tmp_path, redis_server)
    yield made
    made.end()


@pytest.fixture
def front(tmp_path):
    """Start nginx before edges; gives its address."""
    started = []

    def start(edges, feed, *, by_session=True):
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(
            False
        )  # nginx takes it as it is: of two workers the later one would wait in accept
        text = configuration({name: f"127.0.0.1:{port}" for name, port in edges.items()}, f"127.0.0.1:{feed}")
        text = re.sub(r"listen \[::\]:80 [^;]*;", "", text)
        text = re.sub(r"listen 80 [^;]*;", f"listen 127.0.0.1:{listener.getsockname()[1]};", text)
        text = text.replace("/dev/stdout", f"{tmp_path}/access")
        text = re.sub(*UNLIMITED, text)
        if not by_session:  # what everybody does who does not know
            text = text.replace("http://$market_upstream", "http://market_edges").replace("least_conn;", "")
        (tmp_path / "nginx.conf").write_text(text)
        process = subprocess.Popen(
            [NGINX, "-c", tmp_path / "nginx.conf", "-g", f"daemon off; pid {tmp_path}/nginx.pid;"],
            env={"NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        )
        started.append((process, listener))
        with urlopen(f"http://127.0.0.1:{listener.getsockname()[1]}/health", timeout=20) as answer:
            assert answer.status == 200
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for process, listener in started:
        listener.close()
        process.terminate()
        process.wait(20)


async def many(url, count, transport, patience_ms=25_000):
    """What became of so many JavaScript clients."""
    options = {"url": url, "count": count, "transport": transport, "patience_ms": patience_ms}
    process = await asyncio.create_subprocess_exec(
        NODE, SCRIPTS / "many.mjs", json.dumps(options), cwd=SCRIPTS, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return json.loads(out)


@needs_node
@pytest.mark.gen_test(timeout=140)
async def test_forty_clients_of_every_kind_over_four_edges_all_connect_and_stay(cluster, front):
    feed = await cluster.lead("f1")
    edges = {f"e{number}": cluster.run(f"e{number}", "edge", *TRUSTING) for number in range(1, 5)}
    for edge in edges.values():
        await cluster.until(lambda edge=edge: serves(edge))
    ports = {name: edge.port for name, edge in edges.items()}
    url = front(ports, feed.port)
    for transport in ("polling", "upgrade"):
        fates = await many(url, 40, transport)
        unwell = [fate for fate in fates if fate["lost"] or not fate["connected"] or fate["updates"] < 6]
        assert unwell == []
        assert len(Counter(fate["edge"] for fate in fates)) == 4
    fates = await many(front(ports, feed.port, by_session=False), 40, "polling", 10_000)
    assert sum(fate["connected"] and not fate["lost"] for fate in fates) == 0  # why sessions are routed
    assert cluster.tracebacks() == ""


@pytest.mark.gen_test(timeout=140)
async def test_edges_are_restarted_one_after_the_other_and_nobody_loses_its_place(cluster, front):
    feed = await cluster.lead("f1")
    ports = {"e1": free_port(), "e2": free_port()}
    for name, port in ports.items():
        await cluster.edge(name, *TRUSTING, port=port)
    url = front(ports, feed.port)
    clients = [Follower(url, "NIFTY") for _ in range(8)]
    try:
        for client in clients:
            await client.until(lambda it: len(it.recent) > 1)
        for name, port in ports.items():
            cluster.members[name].signal(signal.SIGTERM)
            assert await asyncio.to_thread(cluster.members[name].popen.wait, 30) == 0
            await cluster.edge(name, *TRUSTING, port=port)
        for client in clients:
            client.recent.clear()
            await client.until(lambda it: len(it.recent) > 3)
            assert client.troubles == []
            assert len(client.epochs) == 1
        # those of the first edge find the chain followed at the second; to an edge that is new it is new too
        assert sum(client.counts["recovered"] for client in clients) >= 4
    finally:
        for client in clients:
            await client.stop()
    # what the feed does is asked of it
    answer = await AsyncHTTPClient().fetch(f"{url}/api/simulation/scenario")
    assert json.loads(answer.body)["data"]["scenario"] == "calm"
    for name in ports:
        refused = await AsyncHTTPClient().fetch(
            f"{cluster.members[name].url}/api/simulation/scenario", raise_error=False
        )
        assert (refused.code, json.loads(refused.body)["error"]["code"]) == (409, "CONFLICT")
    assert cluster.tracebacks() == ""
