"""A model test: whatever ticks, stalls, drains, comes and goes, a client that claims to be current is."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from feed.market.market import Market
from feed.market.source import Update
from feed.market.universe import Universe
from feed.reference.instruments import Expiry, Underlying
from feed.valuation.chain import value_states
from handlers.streams import broadcaster as broadcast
from handlers.streams.broadcaster import Broadcaster
from handlers.streams.rooms import ASKED, ChainRoom, Client, SymbolRoom
from handlers.streams.state import ChainPart, ChainStream, SymbolStream
from tests.fanout.states import ChainState, QuoteState

STRIKES = np.arange(900.0, 1101.0, 10.0)
DAY = date(2026, 12, 29)
DEPTH = 6
CLIENTS = 3
SLICE, MAX_TURN_S = broadcast.SLICE, broadcast.MAX_TURN_S
WINDOWS = (None, 5)
NEAR = Underlying("ACME", "Acme", "stock", "NSE", "NFO", "", 0.05, 0.05, 10.0, 1000.0, 0.2, 1)


def universe_of(strikes: np.ndarray) -> Universe:
    expiry = Expiry(DAY, "monthly", datetime(2026, 12, 29, 10, 10, tzinfo=UTC), 10)
    return Universe([NEAR], [("ACME", expiry, strikes, np.arange(2 * len(strikes)))])


def make_market() -> Market:
    return Market(universe_of(STRIKES), source="simulated", epoch="e0", interest_rate=0.06, stale_after_s=1e9)


class Wire:
    """A socket seen from the server: it takes frames, the half of one, or nothing while it is stalled.

    What it did not take waits as in a stream's buffer; a frame that is begun is finished before the next.
    """

    deflate = False
    encrypted = False

    def __init__(self) -> None:
        self.stream = self
        self.stalled = False
        self.takes_half = False  # of the next frame
        self.pending = b""
        self.received: list[tuple[str, Any]] = []
        self.socket: Any = None
        self._arrived = b""

    def writing(self) -> bool:
        return bool(self.pending)

    def closed(self) -> bool:
        return False

    def offer(self, data: bytes) -> int:
        try:
            taken = self.send(data)
        except BlockingIOError:
            return 0
        if taken < len(data):
            self.buffer(data[taken:])
        return taken

    def send(self, data: bytes) -> int:
        assert not self.pending, "a frame was written into the middle of another"
        if self.stalled:
            raise BlockingIOError
        taken = len(data) // 2 if self.takes_half else len(data)
        self.takes_half = False
        self._arrive(data[:taken])
        return taken

    def write_bytes(self, data: bytes) -> None:
        if self.pending or not self.offer(data):
            self.buffer(data)

    def buffer(self, data: bytes) -> None:
        self.pending += data
        if self.socket is not None and self.socket.on_pending is not None:
            self.socket.on_pending()

    def drain(self) -> None:
        self.stalled = False
        data, self.pending = self.pending, b""
        self._arrive(data)

    def _arrive(self, data: bytes) -> None:
        self._arrived += data
        while len(self._arrived) >= 2:
            length, start = self._arrived[1] & 0x7F, 2
            if length == 126:
                length, start = int.from_bytes(self._arrived[2:4], "big"), 4
            elif length == 127:
                length, start = int.from_bytes(self._arrived[2:10], "big"), 10
            if len(self._arrived) < start + length:
                return
            event, payload = json.loads(self._arrived[start + 2 : start + length])
            self.received.append((event, payload))
            self._arrived = self._arrived[start + length :]


class Socket:
    """What the broadcaster needs of a session."""

    queue = None
    polled = False
    upgrading = False
    on_ready = None
    on_pending = None

    def __init__(self, link: Wire) -> None:
        self.link = link
        link.socket = self


class Peer:
    """A client: its wire, what it believes, and the server's view of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.wire = Wire()
        self.client = Client(name, Socket(self.wire), "127.0.0.1")
        self.quote = QuoteState()
        self.chain = ChainState()
        self.window: int | None = None

    def read(self) -> None:
        """Take in what arrived. A delta that does not apply would mean that the server was wrong."""
        for event, payload in self.wire.received:
            state = self.quote if event == "symbol_update" else self.chain
            assert state.apply(event, payload), (event, payload, state.position)
        self.wire.received.clear()


class Fanout(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        broadcast.SLICE, broadcast.MAX_TURN_S = 1, -1.0
        self.loop = asyncio.new_event_loop()
        self.market = make_market()
        self.now_ms = 1_796_000_000_000
        self.epochs = 0
        self.together = True  # whether the chain is valued in a pass before it is told
        self.quotes = SymbolStream("ACME", self.market, DEPTH)
        listing = self.market.universe.listing("ACME", DAY)
        self.chains = ChainStream(listing, self.market, lambda item: value_states(self.market, [item]), DEPTH)
        self.hub = Broadcaster(publish_interval_ms=500, heartbeat_s=1.0, slow_client_timeout_s=1e9)
        self.peers: list[Peer] = []
        self.tick(1000.0, [0, 25], 50.0)
        for number in range(CLIENTS):
            self.join(number)

    def teardown(self) -> None:
        broadcast.SLICE, broadcast.MAX_TURN_S = SLICE, MAX_TURN_S
        if hasattr(self, "loop"):
            self.loop.close()

    def join(self, number: int) -> None:
        peer = Peer(f"c{number}")
        self.hub.add(peer.client)
        self.peers.append(peer)

    def symbol_room(self) -> SymbolRoom:
        self.quotes.refresh()
        room = self.hub.room(SymbolRoom(self.quotes))
        assert isinstance(room, SymbolRoom)
        return room

    def chain_room(self, window: int | None) -> ChainRoom:
        self.chains.refresh()
        room = self.hub.room(ChainRoom(self.chains, ChainPart(window)))
        assert isinstance(room, ChainRoom)
        return room

    @rule(
        spot=st.sampled_from([850.0, 943.0, 999.95, 1000.0, 1005.0, 1056.5, 1200.0]),
        rows=st.lists(st.integers(0, 2 * len(STRIKES) - 1), max_size=6, unique=True),
        price=st.sampled_from([0.05, 12.35, 50.0, 51.0, float("nan")]),
        meanwhile=st.lists(
            st.tuples(
                st.integers(0, CLIENTS - 1),
                st.sampled_from(
                    ["stall", "halve", "drain", "follow_quote", "follow_chain", "unfollow", "again"]
                ),
            ),
            max_size=4,
        ),
        together=st.booleans(),
    )
    def tick(
        self,
        spot: float,
        rows: list[int],
        price: float,
        meanwhile: list[tuple[int, str]] | None = None,
        together: bool = True,
    ) -> None:
        self.now_ms += 500
        rows = [row for row in rows if row < self.market.universe.contract_count]
        values = np.full(len(rows), price)
        update = Update(
            self.now_ms,
            {"last_price": np.array([spot]), "previous_close": np.array([1000.0])},
            {"last_price": values, "open_interest": np.nan_to_num(values) * 100},
            None,
            np.array(rows, dtype=np.intp),
        )
        self.market.apply(update)
        self.market.publish(self.now_ms)
        self.together = together
        self.loop.run_until_complete(self.publish_while(meanwhile or []))

    async def publish_while(self, meanwhile: list[tuple[int, str]]) -> None:
        """A cycle that lets the loop have a turn after every socket, and what clients do in these turns."""

        async def clients() -> None:
            for who, what in meanwhile:
                await asyncio.sleep(0)
                self.act(who, what)

        if self.together and self.chains.is_behind:
            ChainStream.prepare([self.chains], *value_states(self.market, self.market.universe.listings))
        await asyncio.gather(self.hub.publish(), clients())

    def act(self, who: int, what: str) -> None:
        if what == "follow_chain":
            self.follow_chain(who, self.peers[who].window)
        elif what == "unfollow":
            self.unfollow(who, "symbol:ACME")
        elif what == "again":
            self.reconnect_and_resume(who)
        else:
            getattr(self, what)(who)

    @rule()
    def cycle_without_news(self) -> None:
        self.now_ms += 500
        self.market.publish(self.now_ms)
        self.loop.run_until_complete(self.hub.publish())

    @rule()
    def somebody_asks_rest_between_cycles(self) -> None:
        self.market.publish(self.now_ms)
        self.chains.refresh()
        self.quotes.refresh()

    @rule(who=st.integers(0, CLIENTS - 1))
    def stall(self, who: int) -> None:
        self.peers[who].wire.stalled = True

    @rule(who=st.integers(0, CLIENTS - 1))
    def halve(self, who: int) -> None:
        self.peers[who].wire.takes_half = True

    @rule(who=st.integers(0, CLIENTS - 1))
    def drain(self, who: int) -> None:
        self.peers[who].wire.drain()

    @rule(moved=st.sampled_from([0.0, 10.0]), first=st.sampled_from([0, 3]))
    def other_strikes_are_listed(self, moved: float, first: int) -> None:
        self.now_ms += 500
        strikes = STRIKES[first:] + moved
        self.market.apply(Update(self.now_ms, universe=universe_of(strikes)))
        self.market.publish(self.now_ms)
        self.loop.run_until_complete(self.publish_while([]))

    @rule(who=st.integers(0, CLIENTS - 1))
    def follow_quote(self, who: int) -> None:
        self.hub.subscribe(self.peers[who].client, self.symbol_room())

    @rule(who=st.integers(0, CLIENTS - 1), window=st.sampled_from(WINDOWS))
    def follow_chain(self, who: int, window: int | None) -> None:
        peer = self.peers[who]
        peer.window = window
        self.hub.subscribe(peer.client, self.chain_room(window))

    @rule(who=st.integers(0, CLIENTS - 1), what=st.sampled_from(["symbol:ACME", f"chain:ACME:{DAY}"]))
    def unfollow(self, who: int, what: str) -> None:
        peer = self.peers[who]
        peer.read()
        self.hub.unsubscribe(peer.client, what)

    @rule(who=st.integers(0, CLIENTS - 1))
    def reconnect_and_resume(self, who: int) -> None:
        peer = self.peers[who]
        peer.read()
        followed = list(peer.client.subscriptions)
        # the snapshot of a window that was asked for may be lost: what it holds is then of another one
        asked = any(item.position == ASKED for item in peer.client.subscriptions.values())
        position = None if peer.wire.pending or asked else peer.chain.position
        self.hub.remove(peer.name)
        peer.wire = Wire()
        peer.client = Client(peer.name, Socket(peer.wire), "127.0.0.1")
        self.hub.add(peer.client)
        for name in followed:
            if str(name).startswith("symbol"):
                self.hub.subscribe(peer.client, self.symbol_room(), peer.quote.position)
            else:
                room = self.chain_room(peer.window)
                self.hub.subscribe(peer.client, room, position)

    @rule()
    def feed_starts_afresh(self) -> None:
        self.epochs += 1
        self.market.restart(f"e{self.epochs}")
        self.market.publish(self.now_ms)
        self.loop.run_until_complete(self.publish_while([]))

    @invariant()
    def who_claims_to_be_current_is(self) -> None:
        if not hasattr(self, "peers"):
            return
        for peer in self.peers:
            peer.read()
            for name, subscription in peer.client.subscriptions.items():
                if str(name).startswith("symbol"):
                    self.check(peer.quote, self.quotes.epoch, self.quotes.seq, self.quotes.snapshot())
                elif not peer.wire.pending and subscription.position != ASKED:
                    # else another window's snapshot is under way or to come
                    whole = self.chains.whole(ChainPart(peer.window))
                    self.check(peer.chain, self.chains.epoch, self.chains.seq, whole)

    def check(self, state: QuoteState | ChainState, epoch: str, seq: int, whole: bytes) -> None:
        if state.position == (epoch, seq):
            expected = json.loads(whole)
            expected.pop("kind", None)
            assert state.state == expected

    @rule()
    def everybody_drains_and_is_current(self) -> None:
        for peer in self.peers:
            peer.wire.takes_half = False
            peer.wire.drain()
        self.tick(1000.0, [3], 7.0)
        self.loop.run_until_complete(self.hub.publish())
        for peer in self.peers:
            peer.read()
            for name in peer.client.subscriptions:
                state, stream = (
                    (peer.quote, self.quotes) if str(name).startswith("symbol") else (peer.chain, self.chains)
                )
                assert state.position == (stream.epoch, stream.seq)


Fanout.TestCase.settings = settings(stateful_step_count=50)
TestFanout = Fanout.TestCase
