"""Kite's ticker: sockets that follow instruments in a mode, and binary frames of what changed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from handlers.kite_mock.errors import KiteError, bad_token
from handlers.kite_mock.frames import HEARTBEAT, Bytes, Mode, frame, packets
from handlers.kite_mock.sessions import Sessions
from handlers.kite_mock.wire_market import Rows, WireMarket

MOST_SOCKETS = 3
MOST_TOKENS = 3000
MOST_MESSAGE_BYTES = 256 * 1024
HEARTBEAT_S = 1.0
POLICY_VIOLATION = 1008
MALFORMED = (2).to_bytes(2, "big") + (184).to_bytes(2, "big") + b"\x00\x03\xe9\x09" * 3

logger = logging.getLogger(__name__)


class Follower:
    """One socket: the instruments it follows, and how much of each it is told."""

    def __init__(self, socket: TickerSocket, access_token: str) -> None:
        self.socket = socket
        self.access_token = access_token
        self.modes: dict[int, Mode] = {}
        self.sent_s = 0.0
        self.behind_since_s: float | None = None
        self.told_of_strings = False
        # by row, of the universe there is: which it follows, in which mode, and what it missed
        self.rows: Rows = np.empty(0, np.intp)
        self.of_mode: NDArray[np.int8] = np.empty(0, np.int8)
        self.missed: NDArray[np.bool_] = np.empty(0, bool)

    def lay_out(self, wire: WireMarket) -> None:
        """Find the rows of what it follows."""
        tokens = np.fromiter(self.modes, np.int64, len(self.modes))
        rows, known = wire.rows_of(tokens)
        modes = np.fromiter(self.modes.values(), np.int8, len(self.modes))
        order = np.argsort(rows[known], kind="stable")
        self.rows, self.of_mode = rows[known][order], modes[known][order]
        # who is behind gets all of it once it reads on: it may have missed any
        self.missed = np.full(len(self.rows), self.behind_since_s is not None)


class _Encoded:
    """The packets of some rows, made once a mode for all sockets."""

    def __init__(self, wire: WireMarket, rows: Rows) -> None:
        self.rows = rows
        is_index = wire.is_index[rows]
        self.is_index = is_index
        self.place = np.where(is_index, np.cumsum(is_index), np.cumsum(~is_index)) - 1
        self._records = (wire.full(rows[~is_index]), wire.index(rows[is_index]))
        self._packets: dict[tuple[bool, Mode], Bytes] = {}

    def differs(self, before: _Encoded) -> NDArray[np.bool_]:
        """Which rows say something else than before, the time of it aside."""
        changed = np.ones(len(self.rows), bool)
        for is_index, places, held in self._common(before):
            now = self._records[is_index][self.place[places]]
            then = before._records[is_index][before.place[held]]
            same = np.ones(len(places), bool)
            for name in now.dtype.names or ():
                if name != "exchange_time":
                    equal = now[name] == then[name]
                    same &= equal if equal.ndim == 1 else equal.all(axis=1)
            changed[places] = ~same
        return changed

    def keep(self, before: _Encoded) -> None:
        """Have the rows of an earlier one say what they said there."""
        for is_index, places, held in self._common(before):
            self._records[is_index][self.place[places]] = before._records[is_index][before.place[held]]

    def _common(self, other: _Encoded) -> Iterable[tuple[bool, Rows, Rows]]:
        """The rows that another one has too: places here and there, of indices and of the others."""
        if not len(other.rows):
            return
        held = np.minimum(np.searchsorted(other.rows, self.rows), len(other.rows) - 1)
        known = other.rows[held] == self.rows
        for is_index in (False, True):
            places = np.flatnonzero(known & (self.is_index == is_index))
            yield is_index, places, held[places]

    def frame(self, places: NDArray[np.intp], modes: NDArray[np.int8]) -> bytes:
        """What is at some places, each in its mode: indices first, then the others."""
        parts = []
        for is_index in (True, False):
            for mode in Mode:
                chosen = places[(modes == mode) & (self.is_index[places] == is_index)]
                if len(chosen):
                    parts.append(self._of(is_index, mode)[self.place[chosen]].tobytes())
        return frame(parts, len(places))

    def _of(self, is_index: bool, mode: Mode) -> Bytes:
        made = self._packets.get((is_index, mode))
        if made is None:
            made = self._packets[is_index, mode] = packets(self._records[is_index], mode)
        return made


class Tickers:
    """All sockets of the ticker, and what each publication of the market tells them."""

    def __init__(
        self,
        wire: WireMarket,
        sessions: Sessions,
        *,
        slow_client_timeout_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self.followers: dict[TickerSocket, Follower] = {}
        self.wire = wire
        self.sessions = sessions
        self.messages = self.packets = 0
        self.bad_messages = 0
        self._slow_client_timeout_s = slow_client_timeout_s
        self._monotonic = monotonic
        self._universe = wire.universe
        self._before = _Encoded(wire, np.empty(0, np.intp))  # what was last told of all that is followed

    def admit(self, api_key: str, access_token: str) -> None:
        """Whether one more socket is let in. Raises KiteError."""
        if not self.sessions.accepts(api_key, access_token):
            raise bad_token()
        if len(self.followers) >= MOST_SOCKETS:
            raise KiteError(429, "NetworkException", "Too many websocket connections of this api_key.")

    def add(self, socket: TickerSocket, access_token: str) -> None:
        """Begin to serve a socket."""
        follower = self.followers[socket] = Follower(socket, access_token)
        self.write(follower, HEARTBEAT)

    def remove(self, socket: TickerSocket) -> None:
        """Forget a socket that is gone."""
        if self.followers.pop(socket, None) is not None:
            self._follow()

    def end(self, access_token: str) -> None:
        """Close the sockets of a session that is over."""
        for socket, follower in list(self.followers.items()):
            if follower.access_token == access_token:
                socket.close()

    def end_all(self) -> None:
        """Close every socket, as when its session ended."""
        for socket in list(self.followers):
            socket.close()

    def drop(self, number: int | None = None) -> None:
        """Cut the line of every socket, or of one, without a word."""
        for follower in self._those(number):
            follower.socket.cut()

    def send_malformed(self, number: int | None = None) -> None:
        """Send every socket, or one, a frame whose last packet ends too soon."""
        for follower in self._those(number):
            self.write(follower, MALFORMED)

    def _those(self, number: int | None) -> list[Follower]:
        """All, or the one of a number, counted from 1 in order of their coming."""
        followers = list(self.followers.values())
        return followers if number is None else followers[number - 1 : number]

    def publish(self) -> None:
        """Tell each socket what changed of what it follows; who did not take the last is told once it did."""
        if self.wire.universe is not self._universe:
            self._universe = self.wire.universe
            for follower in self.followers.values():
                follower.lay_out(self.wire)
            self._before = _Encoded(self.wire, np.empty(0, np.intp))
            self._follow()
        if not len(self._before.rows):
            return
        now = _Encoded(self.wire, self._before.rows)
        changed, self._before = now.differs(self._before), now
        for follower in list(self.followers.values()):
            places = np.searchsorted(now.rows, follower.rows)
            follower.missed |= changed[places]
            self._bring_up(follower, now, places)

    def beat(self) -> None:
        """Let sockets that heard nothing for a second know that the line lives."""
        now_s = self._monotonic()
        for follower in list(self.followers.values()):
            if now_s - follower.sent_s >= HEARTBEAT_S and not follower.socket.is_busy:
                self.write(follower, HEARTBEAT)
            since_s = follower.behind_since_s
            if since_s is not None and now_s - since_s > self._slow_client_timeout_s:
                follower.socket.close(POLICY_VIOLATION, "it did not read what it subscribed to")

    def _bring_up(self, follower: Follower, now: _Encoded, places: Rows) -> None:
        if not follower.missed.any():
            return
        if follower.socket.is_busy:
            if follower.behind_since_s is None:
                follower.behind_since_s = self._monotonic()
            return
        self.packets += int(np.count_nonzero(follower.missed))
        self.write(follower, now.frame(places[follower.missed], follower.of_mode[follower.missed]))
        follower.missed[:] = False
        follower.behind_since_s = None

    def take(self, socket: TickerSocket, message: Any) -> None:
        """Follow what a client asks for. Raises ValueError for what is no message of Kite's."""
        follower = self.followers[socket]
        action, value = message.get("a"), message.get("v")
        if action == "subscribe" and isinstance(value, list):
            told = self._subscribe(follower, value)
        elif action == "unsubscribe" and isinstance(value, list):
            told = []
            for token in _numbers(value):
                follower.modes.pop(token, None)
        elif action == "mode" and _is_mode(value):
            if value[0] not in Mode.__members__:
                raise ValueError("a mode must be ltp, quote or full")
            told = [token for token in _numbers(value[1]) if token in follower.modes]
            follower.modes.update(dict.fromkeys(told, Mode[value[0]]))
        else:
            raise ValueError('a message must be like {"a": "subscribe", "v": [256265]}')
        follower.lay_out(self.wire)
        self._follow()
        self._tell(follower, told)

    def _subscribe(self, follower: Follower, value: list[Any]) -> list[int]:
        if any(isinstance(token, str) for token in value) and not follower.told_of_strings:
            follower.told_of_strings = True  # Kite sends nothing for them and says nothing either
            text = "Tokens must be numbers; texts are accepted and get no ticks, as at Kite."
            self.write_text(follower, {"type": "message", "data": text})
        fresh = [token for token in dict.fromkeys(_numbers(value)) if token not in follower.modes]
        if len(follower.modes) + len(fresh) > MOST_TOKENS:
            text = f"Can't subscribe to more than {MOST_TOKENS} instruments."
            self.write_text(follower, {"type": "error", "data": text})
            fresh = []
        follower.modes.update(dict.fromkeys(fresh, Mode.quote))
        return [token for token in _numbers(value) if token in follower.modes]

    def _tell(self, follower: Follower, tokens: Iterable[int]) -> None:
        """The last value of some instruments at once, also while the market is closed."""
        rows, known = self.wire.rows_of(np.fromiter(tokens, np.int64))
        chosen = np.unique(rows[known])
        if len(chosen):
            modes = follower.of_mode[np.searchsorted(follower.rows, chosen)]
            self.write(follower, _Encoded(self.wire, chosen).frame(np.arange(len(chosen)), modes))

    def _follow(self) -> None:
        """Follow the rows that any socket follows; of new ones what there is now counts as told."""
        rows = [follower.rows for follower in self.followers.values()]
        followed = _Encoded(self.wire, np.unique(np.concatenate([np.empty(0, np.intp), *rows])))
        followed.keep(self._before)
        self._before = followed

    def write(self, follower: Follower, data: bytes) -> None:
        """Send a binary message."""
        self.messages += 1
        follower.sent_s = self._monotonic()
        follower.socket.send(data)

    def write_text(self, follower: Follower, message: dict[str, Any]) -> None:
        """Send a text message; clients take them for no life sign."""
        follower.socket.send(orjson.dumps(message).decode())


def _is_mode(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[1], list)


def _numbers(tokens: list[Any]) -> list[int]:
    return [
        token
        for token in tokens
        if isinstance(token, int) and not isinstance(token, bool) and 0 < token < 2**32
    ]


class TickerSocket(WebSocketHandler):
    """``/`` and ``/ws``: the ticker where an upgrade is asked for, else a page that says how it is used."""

    def initialize(
        self, tickers: Tickers, greet: Callable[[], list[dict[str, Any]]], page: Callable[[], str]
    ) -> None:
        """Take the part that serves the sockets, what greets them, and the page."""
        self._tickers = tickers
        self._greet = greet
        self._page = page
        self._access_token = ""

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open a socket, or answer with the page."""
        if self.request.headers.get("Upgrade", "").lower() != "websocket":
            self.set_header("Content-Type", "text/html; charset=utf-8")
            self.finish(self._page())
            return
        self._access_token = self.get_query_argument("access_token", "")
        try:
            self._tickers.admit(self.get_query_argument("api_key", ""), self._access_token)
        except KiteError as refusal:
            self.set_status(refusal.status)
            self.set_header("Content-Type", "application/json")
            self.finish(envelope(refusal))
            return
        await super().get(*args, **kwargs)

    def check_origin(self, origin: str) -> bool:
        """Kite's ticker asks nobody where it comes from; the token decides."""
        return True

    def open(self, *args: str, **kwargs: str) -> None:
        """Greet with the texts that Kite sends, and begin."""
        self.set_nodelay(True)
        self._tickers.add(self, self._access_token)
        for message in self._greet():
            self._tickers.write_text(self._tickers.followers[self], message)

    def on_message(self, message: str | bytes) -> None:
        """Follow a message; a socket that sends something else is closed."""
        try:
            parsed = orjson.loads(message)
            if not isinstance(parsed, dict):
                raise ValueError("a message must be a JSON object")
            self._tickers.take(self, parsed)
        except ValueError as problem:
            self._tickers.bad_messages += 1
            self.close(POLICY_VIOLATION, str(problem)[:100])

    def on_close(self) -> None:
        """Forget the socket."""
        self._tickers.remove(self)

    def cut(self) -> None:
        """Drop the connection."""
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            self.ws_connection.stream.close()

    @property
    def is_busy(self) -> bool:
        """Whether something written before has not been taken yet, or the socket is gone."""
        stream = None if self.ws_connection is None else self.ws_connection.stream
        return stream is None or stream.writing()

    def send(self, data: bytes | str) -> None:
        """Write a message; a socket that went away meanwhile is told nothing."""
        with suppress(WebSocketClosedError):
            self.write_message(data, binary=isinstance(data, bytes)).add_done_callback(_ignore)


def _ignore(written: Any) -> None:
    if not written.cancelled() and not isinstance(
        written.exception(), WebSocketClosedError | StreamClosedError
    ):
        written.result()


def envelope(refusal: KiteError) -> bytes:
    """A refusal as the body of an answer."""
    return orjson.dumps(
        {"status": "error", "message": refusal.message, "data": None, "error_type": refusal.error_type}
    )
