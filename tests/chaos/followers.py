"""Clients that follow a chain for as long as a test lasts, whatever the server does meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from contextlib import suppress
from typing import Any

import orjson

from tests.fanout.raw import RawClient
from tests.fanout.states import ChainState

STRIKES = 5
REMEMBERED = 16
ENDS = (ConnectionError, asyncio.IncompleteReadError)
PAUSE_S = 0.05  # after a try in vain: a client that knocks without a pause is a load test
MOST_TRIES = 400  # in vain, one after the other: a server that is away for twenty seconds does not come back


class Follower:
    """Follows a chain by snapshot and deltas, comes back when it is cut off, and resumes where it was.

    It notes what it was refused, where a delta did not fit, and how long it was away.
    """

    def __init__(self, url: str, symbol: str) -> None:
        self.symbol = symbol
        self.state = ChainState()
        self.recent: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []
        self.away_s: list[float] = []
        self.told_to_return_ms: list[int] = []
        self.feed_states: list[str] = []
        self.epochs: list[str] = []
        self.url = url
        self._client: RawClient | None = None
        self._lost_s: float | None = None
        self._is_over = False
        self._tries = 0
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: self._news.set())

    async def until(self, reached: Any, timeout_s: float = 60) -> None:
        """Wait until something is true of this client."""
        async with asyncio.timeout(timeout_s):
            while not reached(self):
                if self._task.done():
                    self._task.result()
                self._news.clear()
                await self._news.wait()

    async def stop(self) -> None:
        self._is_over = True
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._leave()

    async def _leave(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.vanish()
            with suppress(ConnectionError):
                await client.writer.wait_closed()

    def vanish(self) -> None:
        """Go by a reset, and come back like anybody who was cut off."""
        assert self._client is not None
        self._client.vanish()

    async def _run(self) -> None:
        while not self._is_over and self._tries < MOST_TRIES:
            try:
                self._client = await RawClient.open(self.url)
                await self._client.enter()
                await self._subscribe(self._client)
                self._tries = 0
                while True:
                    self._take(*await self._client.event())
                    self._client.events.clear()
            except ENDS as error:
                self._note_end(error)
                await self._leave()
                self._tries += 1
                if self._tries > 1:
                    await asyncio.sleep(PAUSE_S)
        assert self._is_over, f"gave up after {MOST_TRIES} tries: {self.troubles[-1]}"

    def _note_end(self, error: Exception) -> None:
        """Being cut off is no trouble; not being let in is."""
        if self._lost_s is not None or self._client is None:
            self.troubles.append(f"not let in: {error!r}")
        self._lost_s = self._lost_s or time.monotonic()
        self._news.set()

    async def _subscribe(self, client: RawClient) -> None:
        if self.state.state is None:
            answer = await client.call("subscribe_option_chain", {"symbol": self.symbol, "strikes": STRIKES})
        else:
            epoch, seq = self.state.position
            stream = f"chain:{self.symbol}:{self.state.state['expiry']}"
            position = {"stream": stream, "epoch": epoch, "seq": seq, "strikes": STRIKES}
            answer = await client.call("resume", {"streams": [position]})
            recovered = answer["success"] and answer["data"]["streams"][0]["recovered"]
            self.counts["recovered" if recovered else "snapshots"] += 1
        if not answer["success"]:
            self.troubles.append(f"refused: {answer}")
        for name, payload in client.events:
            self._take(name, payload)
        client.events.clear()
        if self._lost_s is not None:
            self.away_s.append(time.monotonic() - self._lost_s)
            self._lost_s = None

    def _take(self, name: str, payload: Any) -> None:
        self.counts[name] += 1
        if name.startswith("option_chain"):
            if not self.state.apply(name, payload):
                self.troubles.append(f"a delta did not fit at {self.state.position}")
            assert self.state.state is not None
            self.recent[self.state.position] = orjson.dumps(self.state.state, option=orjson.OPT_SORT_KEYS)
            if len(self.recent) > REMEMBERED:
                self.recent.popitem(last=False)
            if self.state.position[0] not in self.epochs[-1:]:
                self.epochs.append(self.state.position[0])
        elif name == "server_shutdown":
            self.told_to_return_ms.append(payload["reconnect_after_ms"])
        elif name == "feed_status":
            self.feed_states.append(payload["state"])
        self._news.set()


async def agree_with_rest(followers: list[Follower], fetch: Any, server: Any) -> None:
    """Every client holds, field for field, what REST answers for the same epoch and number."""
    for symbol in {follower.symbol for follower in followers}:
        path = f"/api/option_chain?symbol={symbol}&strikes={STRIKES}"
        behind = [follower for follower in followers if follower.symbol == symbol]
        for _ in range(10):
            truth = (await fetch(server, path)).data
            position = truth["epoch"], truth["seq"]
            for follower in behind:
                await follower.until(lambda it, least=position: it.state.position >= least)
            body = orjson.dumps(truth, option=orjson.OPT_SORT_KEYS)
            held = [follower for follower in behind if position in follower.recent]
            assert all(follower.recent[position] == body for follower in held)
            behind = [follower for follower in behind if follower not in held]  # it got that state merged
            if not behind:
                break
        assert behind == []
