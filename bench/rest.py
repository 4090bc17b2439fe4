"""What a REST answer costs the server: CPU time per request, and bytes, of the routes that are asked most.

Requests come one after the other over one connection; what the server spends without any is subtracted. The
market moves twice a second, so most answers are cached bytes: `made afresh` is one request after each step.
"""

from __future__ import annotations

import argparse
import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.load.servers import Server, ours
from bench.machine import describe
from bench.progress import Plan
from bench.verdicts import Row, middle, table

PUBLISH_MS = 500
CHAIN = "/api/option_chain?symbol=NIFTY"
# filling the past goes on beside the first requests, and is none of theirs
NO_PAST = ("--set", "history.backfill_days=1", "--set", "history.backfill_sessions=1")
ROUTES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("full chain of NIFTY", CHAIN, {}),
    ("full chain, gzip", CHAIN, {"Accept-Encoding": "gzip"}),
    ("chain within 20 strikes", CHAIN + "&strikes=20", {}),
    ("dashboard of NIFTY", "/api/dashboard_data?symbol=NIFTY", {}),
    ("spot price of NIFTY", "/api/spot_price/NIFTY", {}),
    ("health, liveness", "/health?probe=live", {}),
)


@dataclass(frozen=True)
class Answers:
    """What requests of one kind cost."""

    each_us: float
    size_bytes: int
    per_second: float


@contextmanager
def _connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def _ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> int:
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    size = len(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}.")
    return size


def _idle_load(server: Server, seconds: float) -> float:
    before = server.cpu_s()
    time.sleep(seconds)
    return (server.cpu_s() - before) / seconds


def _many(server: Server, path: str, headers: dict[str, str], seconds: float) -> Answers:
    """Requests as fast as they are answered."""
    count, size, idle = 0, 0, _idle_load(server, seconds)
    with _connected(server) as connection:
        _ask(connection, path, headers)
        began, before = time.monotonic(), server.cpu_s()
        while time.monotonic() - began < seconds:
            size = _ask(connection, path, headers)
            count += 1
        took = time.monotonic() - began
        spent = server.cpu_s() - before - idle * took
    return Answers(spent / count * 1e6, size, count / took)


def _afresh(server: Server, path: str, count: int) -> Answers:
    """One request after each step of the market: nothing of it is cached.

    Counted is from before a request to its answer: what the market takes between two is many times as much.
    """
    size, spent = 0, 0.0
    with _connected(server) as connection:
        began = time.monotonic()
        for _ in range(count):
            before = server.cpu_s()
            size = _ask(connection, path, {})
            spent += server.cpu_s() - before
            time.sleep(PUBLISH_MS / 1000 * 1.05)
        took = time.monotonic() - began
    return Answers(spent / count * 1e6, size, count / took)


def rows(plan: Plan) -> list[Row]:
    """A row a route."""
    found: dict[str, list[Answers]] = {}
    for turn in range(plan.rounds):
        with ours(PUBLISH_MS, *NO_PAST) as server:
            for name, path, headers in ROUTES:
                found.setdefault(name, []).append(_many(server, path, headers, plan.size(3, 1)))
            found.setdefault("full chain of NIFTY, made afresh", []).append(
                _afresh(server, CHAIN, plan.size(20, 6))
            )
        plan.say(f"round {turn + 1} of {plan.rounds}")
    return [
        Row(
            f"CPU per answer: {name}",
            f"{middle(answers, lambda answer: answer.each_us):,.0f} us",
            f"{answers[0].size_bytes:,} B",
            f"{middle(answers, lambda answer: answer.per_second):,.0f}/s asked",
        )
        for name, answers in found.items()
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.rest", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round")
    options = parser.parse_args(arguments)
    plan = Plan(quick=options.quick, rounds=1 if options.quick else 3)
    print(describe(), flush=True)
    print(table(rows(plan)))


if __name__ == "__main__":
    main()
