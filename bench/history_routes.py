"""What the past costs a running server: its routes one by one, and what readers do to the fan-out.

A session of the whole universe is recorded at speed, through the real recorder, into a SQLite file; a server
is then started on it, as on the day after. Server time is from a request's last byte to its answer's, as
the server's own ``/metrics`` counts it; CPU is that of its process, less what it spends without any request.
Every request asks for something else, so nothing is cached by what asked before.

The fan-out is measured without readers and with 50 of them, each asking once a second, in turns, each time
against a server of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import http.client
import random
import re
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from bench.history import SESSION_MINUTES, Recording
from bench.load.driver import Run, drive
from bench.load.servers import Server, ours
from bench.machine import compiled, describe, on_load_core, raise_descriptor_limit, raise_priority
from bench.progress import Plan
from bench.verdicts import Row, at_most, middle, table
from domain.instants import IST, to_ms
from feed.history.history import Reach

READERS = 50
CLIENTS = 1000
FAN_OUT_MS = 500  # a market in real time, whose history is in the store, moves twice a second
DAY = datetime.timedelta(days=1)
_SUM = 'market_rest_request_duration_seconds_{}{{route="{}",status="200"}} '


@dataclass(frozen=True)
class Question:
    """A kind of request: ``ask`` makes one of it by chance, ``route`` is its label in /metrics."""

    name: str
    route: str
    ask: Callable[[random.Random], str]
    must_ms: float


@dataclass(frozen=True)
class Answers:
    """What requests of one kind cost, each: milliseconds and bytes."""

    server_ms: float
    cpu_ms: float
    seen_ms: float
    seen_p99_ms: float
    size_bytes: float


class Recorded:
    """A store with a session of the whole universe, the latest weekday's, and the past before it."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        today = datetime.datetime.now(IST).replace(hour=9, minute=15, second=0, microsecond=0)
        self.opened = today - next(n for n in range(1, 8) if (today - n * DAY).weekday() < 5) * DAY
        recording = Recording(folder, None, to_ms(self.opened))
        self.symbols = [underlying.symbol for underlying in recording.market.universe.underlyings]
        self.expiries = [str(listing.expiry.day) for listing in recording.market.universe.chains("NIFTY")]
        recording.history.backfill(recording.source, reach=Reach()).join()
        recording.drain()
        plan.say("two years of days and 30 sessions are filled in")
        self.minutes = plan.size(SESSION_MINUTES, 30)
        recording.steps(self.minutes, 20.0)
        recording.drain()
        asyncio.run(recording.history.stop())
        self.url = f"sqlite:///{recording.path}"
        plan.say(f"{self.minutes} minutes are recorded, {recording.path.stat().st_size / 1e6:.0f} MB")

    @contextmanager
    def served(self, publish_interval_ms: int) -> Iterator[Server]:
        """A server that goes on from there, in real time, once what it fills in itself is there."""
        # a clock at any other speed keeps its history in memory
        start = ("--database-url", self.url, "--start", "", "--speed", "1", "--seed", "7")
        with ours(publish_interval_ms, *start) as server:
            for symbol in self.symbols:
                server.get(f"/api/ohlc_data/{quote(symbol, safe='')}")
            yield server

    def questions(self) -> tuple[Question, ...]:
        """The requests that issue 6 bounds."""
        return (
            Question("a day of one-minute candles", "/api/historical-data/{symbol}", self._day, 5),
            Question("a past chain of NIFTY", "/api/option_chain", self._chain, 10),
            Question("250 daily candles", "/api/historical-data/{symbol}", self._year, 3),
        )

    def _day(self, chance: random.Random) -> str:
        sessions = [self.opened - n * DAY for n in range(28) if (self.opened - n * DAY).weekday() < 5]
        first = chance.choice(sessions)
        last = first + datetime.timedelta(minutes=SESSION_MINUTES)
        return self._candles(chance, "1m", first, last)

    def _year(self, chance: random.Random) -> str:
        last = self.opened - chance.randrange(30) * DAY
        return self._candles(chance, "1d", last - 362 * DAY, last)  # some 250 trading days

    def _candles(
        self, chance: random.Random, interval: str, first: datetime.datetime, last: datetime.datetime
    ) -> str:
        symbol = quote(chance.choice(self.symbols), safe="")
        span = "&".join(f"{name}={quote(at.isoformat())}" for name, at in (("from", first), ("to", last)))
        return f"/api/historical-data/{symbol}?interval={interval}&{span}&per_page=500"

    def _chain(self, chance: random.Random) -> str:
        at = self.opened + datetime.timedelta(seconds=chance.randrange(120, 60 * self.minutes))
        expiry = chance.choice(self.expiries)
        return f"/api/option_chain?symbol=NIFTY&expiry={expiry}&at={quote(at.isoformat())}"


def _asked(server: Server, question: Question, seed: int, times: int) -> Answers:
    """Requests of one kind, one after the other over one connection."""
    chance = random.Random(seed)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    began, idle_s = time.monotonic(), server.cpu_s()
    time.sleep(2.0)
    idle = (server.cpu_s() - idle_s) / (time.monotonic() - began)
    _get(connection, question.ask(chance))
    before, began, spent_s = _handled(server, question.route), time.monotonic(), server.cpu_s()
    took, sizes = [], []
    for _ in range(times):
        asked = time.perf_counter()
        sizes.append(_get(connection, question.ask(chance)))
        took.append((time.perf_counter() - asked) * 1000)
    spent_s = server.cpu_s() - spent_s - idle * (time.monotonic() - began)
    after = _handled(server, question.route)
    connection.close()
    handled_ms = (after[0] - before[0]) / (after[1] - before[1]) * 1000
    seen = float(np.median(took)), float(np.percentile(took, 99))
    return Answers(handled_ms, spent_s / times * 1000, *seen, float(np.mean(sizes)))


def _get(connection: http.client.HTTPConnection, path: str) -> int:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}: {body[:300]!r}")
    return len(body)


def _handled(server: Server, route: str) -> tuple[float, float]:
    """Seconds spent in the handler of a route so far, and how many answers that were."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found = [re.search(re.escape(_SUM.format(name, route)) + r"(\S+)", text) for name in ("sum", "count")]
    seconds, count = (float(match[1]) if match else 0.0 for match in found)
    return seconds, count


def route_rows(plan: Plan, recorded: Recorded) -> list[Row]:
    """A row a kind of request."""
    found: dict[Question, list[Answers]] = {}
    times = plan.size(300, 60)
    with recorded.served(1000) as server:
        for turn in range(plan.rounds):
            for question in recorded.questions():
                answers = _asked(server, question, turn, times)
                found.setdefault(question, []).append(answers)
                plan.say(f"round {turn + 1}: {question.name}: {answers}")
    return [_route_row(question, answers) for question, answers in found.items()]


def _route_row(question: Question, answers: list[Answers]) -> Row:
    server_ms = middle(answers, lambda answer: answer.server_ms)
    cpu_ms = middle(answers, lambda answer: answer.cpu_ms)
    seen, tail = (
        middle(answers, lambda answer: answer.seen_ms),
        middle(answers, lambda answer: answer.seen_p99_ms),
    )
    return Row(
        question.name,
        f"{server_ms:.2f} ms of server time, {cpu_ms:.2f} ms of CPU, {answers[0].size_bytes / 1000:.0f} kB",
        f"from outside {seen:.1f} ms, p99 {tail:.1f} ms",
        must=f"under {question.must_ms:g} ms",
        verdict=at_most(server_ms, question.must_ms),
    )


class Readers:
    """Asks for the past while the block runs, each reader once a second."""

    def __init__(self, server: Server, recorded: Recorded) -> None:
        self._port = server.port
        self._questions = recorded.questions()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(READERS)]

    def _run(self, number: int) -> None:
        chance = random.Random(number)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        wait_s = number / READERS
        while not self._stop.wait(wait_s):
            asked = time.monotonic()
            _get(connection, chance.choice(self._questions).ask(chance))
            wait_s = max(0.0, 1.0 - (time.monotonic() - asked))
        connection.close()

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@dataclass(frozen=True)
class FanOut:
    """A crowd's run, and the 99th percentile of the server's publish cycles in it, in milliseconds."""

    run: Run
    cycle_p99_ms: float

    @property
    def latency_p99_ms(self) -> float:
        """Of the events, from the market's step to the client."""
        return self.run.latency_ms["p99"]


def _fanned_out(plan: Plan, recorded: Recorded, *, with_readers: bool) -> FanOut:
    """A run against a server of its own, since it tells its percentiles of all that it did."""
    told: dict[str, float] = {}
    with recorded.served(FAN_OUT_MS) as server:

        def note(word: str) -> None:
            if word == "done":
                told["p99"] = float(server.get("/api/websocket/stats")["fan_out_ms"]["p99"])

        with Readers(server, recorded) if with_readers else nullcontext():
            run = drive(
                server,
                clients=plan.size(CLIENTS, 300),
                seconds=plan.size(20, 5),
                settle=2,
                on_progress=note,
            )
    return FanOut(run, told["p99"])


def fan_out_rows(plan: Plan, recorded: Recorded) -> list[Row]:
    """Publish cycles and latency of 1,000 clients' events without and with readers, in turns."""
    runs: dict[bool, list[FanOut]] = {False: [], True: []}
    for turn in range(plan.rounds):
        for with_readers, of in runs.items():
            of.append(_fanned_out(plan, recorded, with_readers=with_readers))
            run = of[-1].run
            plan.say(
                f"round {turn + 1}: {READERS if with_readers else 0} readers: cycle p99 "
                f"{of[-1].cycle_p99_ms:.1f} ms, latency {run.latency_ms}, {run.frames} events, "
                f"core {run.load:.0%} used, waited {run.waited:.0%} of the time for it"
            )
    crowd = f"{plan.size(CLIENTS, 300)} clients at {1000 // FAN_OUT_MS} Hz"
    many = f"{READERS} readers of history, a request a second each, {crowd}"
    return [
        _compared(f"{many}: fan-out p99", runs, lambda item: item.cycle_p99_ms),
        _compared("the same: latency p99 of the events", runs, lambda item: item.latency_p99_ms),
    ]


def _compared(figure: str, runs: dict[bool, list[FanOut]], value: Callable[[FanOut], float]) -> Row:
    without, among = (middle(runs[with_readers], value) for with_readers in (False, True))
    before, after = (middle(runs[with_readers], lambda item: item.run.load) for with_readers in (False, True))
    return Row(
        figure,
        f"{among:.1f} ms (core {after:.0%} used)",
        f"without readers {without:.1f} ms (core {before:.0%})",
        f"{among / without:.2f}",
        "at most 1.2",
        "",
        at_most(among / without, 1.2),
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.history_routes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round on half an hour of records")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (5)")
    parser.add_argument("--nice", type=int, default=0, help="priority of all that is measured, such as -15")
    options = parser.parse_args(arguments)
    if options.nice:
        raise_priority(options.nice)
    compiled("load")
    raise_descriptor_limit()
    plan = Plan(quick=options.quick, rounds=options.rounds or (1 if options.quick else 5))
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        recorded = Recorded(Path(folder), plan)
        with on_load_core():
            rows = [*route_rows(plan, recorded), *fan_out_rows(plan, recorded)]
    print(table(rows))


if __name__ == "__main__":
    main()
