"""A model test: whatever is asked, refused, expired, listed anew or sought, rooms are what somebody follows.

The market is a recording of two days whose expiries differ, in a loop: contracts expire, others are listed,
and a seek jumps over both. Nothing that is asked may leave a room behind, nor raise out of a step.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.instants import IST, to_ms
from feed.market import ticker
from feed.market.clock import VirtualClock
from handlers.operations.build import build
from handlers.streams.rooms import Client
from tests.conftest import settings_of
from tests.fanout.test_model import Socket, Wire

MOST_CAUGHT_UP = ticker.MOST_CAUGHT_UP
CLIENTS = 3
MOST_STREAMS = 3
DAYS = {
    "2026-03-10": ("15:35", ("10-Mar-2026", "17-Mar-2026")),  # of which the first expires at 15:40
    "2026-03-11": ("09:15", ("17-Mar-2026", "24-Mar-2026")),
}
EXPIRIES = (None, "2026-03-10", "2026-03-17", "2026-03-24", "2026-03-12", "soon")
SYMBOLS = ("NIFTY", "SENSEX", "NIFTI")
INSTANTS = [
    datetime.fromisoformat(f"{text}+05:30")
    for text in ("2026-03-10T15:36", "2026-03-10T15:39", "2026-03-11T09:16", "2026-03-11T09:19")
]
whom = st.integers(0, CLIENTS - 1)
expiries = st.sampled_from(EXPIRIES)
symbols = st.sampled_from(SYMBOLS)


def write_recording(path: Path) -> None:
    lines = ["timestamp,symbol,expiry,strike,option_type,spot,ltp,bid,ask,oi"]
    for day, (begin, listed) in DAYS.items():
        start = datetime.fromisoformat(f"{day}T{begin}")
        for minute in range(6):
            stamp = (start + timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M:00")
            for expiry in listed:
                for strike in (22400, 22450, 22500):
                    for side in ("CE", "PE"):
                        price = 100 + minute + strike / 1000
                        quote = f"{price},{price - 0.5},{price + 0.5},{100 + minute}"
                        lines.append(f"{stamp},NIFTY,{expiry},{strike},{side},{22450 + minute},{quote}")
    path.write_text("\n".join(lines), encoding="utf-8")


class Allowance:
    """As much as anybody wants."""

    def take(self, _now: float, _cost: float) -> bool:
        return True


class ReadySocket(Socket):
    """A session that has taken everything."""

    is_backed_up = False


class Rooms(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        ticker.MOST_CAUGHT_UP = 2000  # a night is skipped, not caught up with: that is for other tests
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "two_days.csv"
        write_recording(path)
        self.loop = asyncio.new_event_loop()
        self.server = build(
            settings_of(
                feed={"source": "replay", "start": "", "speed": 120.0},
                replay={"file": str(path)},
                limits={"max_subscriptions": MOST_STREAMS},
            )
        )
        self.namespace = self.server.namespace
        self.guard = self.server.services.guard
        self.broken = 0
        self.step(1)
        self.names = [""] * CLIENTS
        for who in range(CLIENTS):
            self.come(who)

    def teardown(self) -> None:
        ticker.MOST_CAUGHT_UP = MOST_CAUGHT_UP
        if hasattr(self, "server"):
            self.run(self.server.history.stop())
            self.loop.close()
            self.folder.cleanup()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def come(self, who: int) -> None:
        self.names[who] = f"c{who}-{len(self.names[who])}"
        client = Client(self.names[who], ReadySocket(Wire()), "127.0.0.1")  # type: ignore[arg-type]
        client.allowance = Allowance()
        self.namespace.broadcaster.add(client)

    def ask(self, who: int, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.run(self.namespace.trigger_event(event, self.names[who], payload))
        if not answer["success"]:
            assert answer["error"]["code"] != "INTERNAL_ERROR", answer
        return answer

    @rule(who=whom, symbol=symbols, more=st.booleans())
    def follow_symbol(self, who: int, symbol: str, more: bool) -> None:
        self.ask(who, "subscribe_symbol", {"symbol": [symbol, "NIFTY"] if more else symbol})

    @rule(
        who=whom, expiry=expiries, mode=st.sampled_from(["delta", "full"]), strikes=st.sampled_from([5, 10])
    )
    def follow_chain(self, who: int, expiry: str | None, mode: str, strikes: int) -> None:
        wanted = {"symbol": "NIFTY", "mode": mode, "strikes": strikes}
        self.ask(who, "subscribe_option_chain", wanted | ({"expiry": expiry} if expiry else {}))

    @rule(who=whom, symbol=symbols, expiry=expiries)
    def follow_dashboard(self, who: int, symbol: str, expiry: str | None) -> None:
        self.ask(who, "subscribe_dashboard", {"symbol": symbol} | ({"expiry": expiry} if expiry else {}))

    @rule(who=whom, interval=st.sampled_from(["1m", "5m", "2m"]))
    def follow_candles(self, who: int, interval: str) -> None:
        self.ask(who, "subscribe_candles", {"symbol": "NIFTY", "interval": interval})

    @rule(who=whom, expiry=expiries, kind=st.sampled_from(["option_chain", "dashboard"]))
    def unfollow(self, who: int, expiry: str | None, kind: str) -> None:
        self.ask(who, f"unsubscribe_{kind}", {"symbol": "NIFTY"} | ({"expiry": expiry} if expiry else {}))

    @rule(
        who=whom,
        names=st.lists(
            st.sampled_from(
                [
                    *("symbol:NIFTY", "symbol:NIFTI", "nonsense", "candles:NIFTY:1m"),
                    *(f"{kind}:NIFTY:{day}" for kind in ("chain", "dashboard") for day in EXPIRIES[1:]),
                ]
            ),
            min_size=1,
            max_size=4,
        ),
        rolls=st.booleans(),
    )
    def resume(self, who: int, names: list[str], rolls: bool) -> None:
        epoch = self.server.market.epoch
        streams = [{"stream": name, "epoch": epoch, "seq": 1, "rolls": rolls} for name in names]
        self.ask(who, "resume", {"streams": streams})

    @rule(who=whom)
    def go_and_come(self, who: int) -> None:
        self.namespace.broadcaster.remove(self.names[who])
        self.come(who)

    @rule(steps=st.integers(1, 4))
    def step(self, steps: int) -> None:
        clock = self.server.clock
        assert isinstance(clock, VirtualClock)
        for _ in range(steps):
            self.run(self.server.ticker.step(clock.step()))

    @rule(instant=st.sampled_from(INSTANTS))
    def seek(self, instant: datetime) -> None:
        self.run(self.server.ticker.seek(to_ms(instant.astimezone(IST))))

    @rule()
    def another_epoch(self) -> None:
        self.run(self.server.ticker.diverge("a test"))
        self.step(1)

    @invariant()
    def rooms_are_what_somebody_follows(self) -> None:
        if not hasattr(self, "server"):
            return
        hub = self.namespace.broadcaster
        followed = [item for client in hub.clients.values() for item in client.subscriptions.values()]
        assert set(hub.rooms.values()) == {item.room for item in followed}
        for client in hub.clients.values():
            assert len(client.subscriptions) <= MOST_STREAMS
            for name, item in client.subscriptions.items():
                assert item.room.stream.name == name
                assert item.room.subscriptions[client] is item
        for room in hub.rooms.values():
            key = room.stream.listing_key
            assert key is None or self.server.market.universe.find(key) is not None, room.stream.name

    @invariant()
    def nothing_raised_out_of_a_part(self) -> None:
        if hasattr(self, "server"):
            assert sum(self.guard.failures.values()) == 0, self.guard.failures


Rooms.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestRooms = pytest.mark.timeout(180)(Rooms.TestCase)
