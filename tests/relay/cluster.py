"""Feeds and edges as processes of their own, over a real Redis."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from tests.processes import STOP_S, Forked, start
from tests.redis_server import RedisServer, free_port

START_S = 40  # on a machine with other things to do
QUICK = ("--set", "relay.lease_ms=2000", "--set", "relay.image_every=4", "--set", "relay.keep=40")


@dataclass
class Member:
    """One process."""

    name: str
    popen: subprocess.Popen[str] | Forked
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def health(self, query: str = "") -> Any:
        """What /health says, None while nobody answers."""
        try:
            answer = await AsyncHTTPClient().fetch(
                f"{self.url}/health{query}", raise_error=False, request_timeout=5
            )
        except (OSError, HTTPClientError):
            return None
        return json.loads(answer.body)["data"] if answer.body else None

    async def relay(self) -> Any:
        """Its part of the relay."""
        health = await self.health()
        return {} if health is None else health["parts"].get("relay", {})

    async def get(self, path: str) -> Any:
        """The data that a route answers."""
        answer = await AsyncHTTPClient().fetch(self.url + path, raise_error=False, request_timeout=10)
        body = json.loads(answer.body)
        assert body["success"], body
        return body["data"]

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(STOP_S)


@dataclass
class Cluster:
    """Processes that share a bus and a store."""

    folder: Path
    redis: RedisServer
    store: str = ""
    members: dict[str, Member] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = self.store or f"sqlite:///{self.folder}/history.sqlite3"

    def run(self, name: str, role: str, *arguments: str, port: int = 0, url: str = "") -> Member:
        """Start a process."""
        port = port or free_port()
        log = self.folder / f"{name}.log"
        popen = start(
            log,
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--role", role, "--relay", url or self.redis.url, "--database-url", self.store),
            *("--set", f"server.edge_name={name}", "--set", "server.drain_timeout_s=1"),
            *("--set", "limits.rate_limit_per_minute=0", "--set", "limits.max_clients_per_address=1000"),
            *("--set", "history.flush_interval_s=0.5", "--set", "history.backfill_sessions=2"),
            *(*QUICK, *arguments),
        )
        member = self.members[name] = Member(name, popen, port, log)
        return member

    async def until(self, holds: Any, within_s: float = START_S) -> None:
        """Ask again and again until something holds; what the processes logged goes with a failure."""
        try:
            async with asyncio.timeout(within_s):
                while not await holds():  # noqa: ASYNC110 - other processes are looked at
                    await asyncio.sleep(0.05)
        except TimeoutError:
            logs = "\n".join(f"== {it.name}\n{it.log.read_text()[-3000:]}" for it in self.members.values())
            raise AssertionError(logs) from None

    async def lead(self, name: str = "f1", *arguments: str) -> Member:
        """A feed that leads."""
        feed = self.run(name, "feed", *arguments)
        await self.until(lambda: leads(feed))
        return feed

    async def edge(self, name: str, *arguments: str, port: int = 0) -> Member:
        """An edge that serves."""
        edge = self.run(name, "edge", *arguments, port=port)
        await self.until(lambda: serves(edge))
        return edge

    def end(self) -> None:
        """End them all."""
        for member in self.members.values():
            if member.popen.poll() is None:
                member.signal(signal.SIGCONT)
                member.popen.kill()
            member.popen.wait(STOP_S)

    def tracebacks(self) -> str:
        """What went wrong in any of them."""
        return "".join(
            f"{it.name}: {line}\n"
            for it in self.members.values()
            for line in it.log.read_text().splitlines()
            if "Traceback" in line or '"exception"' in line
        )


async def leads(member: Member) -> bool:
    return bool((await member.relay()).get("leads"))


async def serves(member: Member) -> bool:
    health = await member.health("?probe=ready")
    return health is not None and health["status"] == "ok"


async def stands_by(member: Member) -> bool:
    return "standby" in (await member.relay()).get("reason", "")
