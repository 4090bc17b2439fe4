"""Dhan as a broker, over Tornado's clients; no address with a token in it is told.

=====================  =====================================================================================
sockets                5, of 5,000 instruments each; 100 instruments in a message, five messages a second
requests               quotes of 1,000 instruments once a second
login                  a token of a day, by paste, or by PIN and TOTP without a browser (``server.py login``)
silence                no heartbeat in the data: it is judged while an exchange trades, and by pongs always
units                  volume and open interest in units where contracts have a lot, in lots on MCX
zero                   no price; a count
times                  of the last trade alone, which nothing here reads: rows have the time of their arrival
lacks                  levels below the fifth, index volume
=====================  =====================================================================================
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from domain.market import ProblemKind, SourceName
from feed.live.broker import BrokerError, Instrument, Limits, Ticks
from feed.live.dhan_wire import (
    decode,
    is_whole,
    parse_instruments,
    parse_quotes,
    refusal,
    segment_and_id,
)
from feed.live.kite_wire import envelope
from feed.live.token_file import read_token

NAMES: dict[str, str] = {}  # indices are listed by the symbol of their derivatives
FOLLOW_FULL, LEAVE_FULL = 21, 22
INSTRUMENTS_A_MESSAGE = 100
MESSAGE_INTERVAL_S = 0.2
GATHER_S = 0.02
PING_INTERVAL_S, PONG_WITHIN_S = 10, 8
CONNECT_S, REQUEST_S = 10.0, 60.0
LIST_BYTES = 128 << 20
_REFUSED = {401: 807, 403: 809}  # what a refused handshake or request says, as the feed would


@dataclass(frozen=True)
class DhanAccount:
    """Where Dhan is, and how it is entered; the token is given, or in a file that a login writes."""

    client_id: str = field(repr=False)
    access_token: str = field(repr=False)
    token_file: Path
    root_url: str
    feed_url: str
    instruments_url: str
    sockets: int = 5
    instruments_per_socket: int = 5000

    def session(self) -> str:
        """The access token of now: it may come, and change, while the server runs."""
        return self.access_token or read_token(self.token_file, self.client_id)


class DhanLine:
    """A socket of the feed. It sends packets one by one: what comes within a moment is read at once."""

    def __init__(self) -> None:
        self._connection: WebSocketClientConnection | None = None
        self._messages: deque[bytes] = deque()
        self._has_ended = False
        self._arrived = asyncio.Event()

    async def open(self, request: HTTPRequest) -> None:
        """Connect. Raises the errors of Tornado's client."""
        self._connection = await websocket_connect(
            request,
            on_message_callback=self._take,
            max_message_size=4 << 20,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PONG_WITHIN_S,
        )

    def _take(self, message: str | bytes | None) -> None:
        """Texts are not looked at."""
        if isinstance(message, bytes):
            self._messages.append(message)
        elif message is None:
            self._has_ended = True
        self._arrived.set()

    async def follow(self, add: Sequence[int], drop: Sequence[int]) -> None:
        """Leave first, so that places are free; a portion at a time, as fast as is allowed."""
        for code, tokens in ((LEAVE_FULL, drop), (FOLLOW_FULL, add)):
            for some in _portions(tokens):
                listed = [
                    {"ExchangeSegment": segment, "SecurityId": security_id}
                    for segment, security_id in map(segment_and_id, some)
                ]
                request = {"RequestCode": code, "InstrumentCount": len(listed), "InstrumentList": listed}
                await self._say(request)
                await asyncio.sleep(MESSAGE_INTERVAL_S)

    async def _say(self, request: dict[str, Any]) -> None:
        with suppress(WebSocketClosedError):  # who reads learns of it, and why
            if self._connection is not None:
                await self._connection.write_message(json.dumps(request))

    async def read(self) -> bytes | None:
        """The packets of the messages that came; one that is cut stands alone, and spoils no other."""
        while not self._messages:
            if self._has_ended:
                return None
            self._arrived.clear()
            await self._arrived.wait()
        await asyncio.sleep(GATHER_S)
        whole: list[bytes] = []
        while self._messages and is_whole(self._messages[0]):
            whole.append(self._messages.popleft())
        return b"".join(whole) if whole else self._messages.popleft()

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()


class DhanBroker:
    """Dhan behind the protocol of the core."""

    name: str = SourceName.DHAN

    def __init__(self, account: DhanAccount) -> None:
        self.limits = Limits(
            sockets=account.sockets,
            tokens_a_socket=account.instruments_per_socket,
            quotes_a_request=1000,
            request_interval_s=1.0,
            silence_s=90.0,
            has_heartbeat=False,
        )
        self._account = account
        self._http = AsyncHTTPClient(force_instance=True, max_body_size=LIST_BYTES)

    def session(self) -> str:
        """The access token; empty without a login."""
        return self._account.session()

    async def instruments(self) -> list[Instrument]:
        """The list of all exchanges; no session is needed for it."""
        answer = await self._ask(HTTPRequest(self._account.instruments_url, request_timeout=REQUEST_S))
        text = answer.body.decode("utf-8", "replace")
        return await asyncio.get_running_loop().run_in_executor(None, parse_instruments, text)

    async def connect(self) -> DhanLine:
        """Open a socket of the feed. Raises BrokerError."""
        query = urlencode(
            {"version": 2, "token": self.session(), "clientId": self._account.client_id, "authType": 2}
        )
        address = f"{self._account.feed_url.rstrip('/')}/?{query}"
        line = DhanLine()
        try:
            await line.open(HTTPRequest(address, connect_timeout=CONNECT_S))
        except HTTPClientError as error:
            raise _refused(error.code) from None
        except (OSError, HTTPTimeoutError, HTTPStreamClosedError, WebSocketClosedError) as error:
            raise _away(error) from None
        return line

    def decode(self, message: bytes) -> Ticks:
        """What a message says. Raises BrokerError where it says why the line ends."""
        return decode(message)

    async def minutes(self, token: int, first_ms: int, end_ms: int) -> None:
        """Candles of the past are not asked of Dhan."""

    async def quotes(self, tokens: Sequence[int]) -> Ticks:
        """Ask by segment and id."""
        asked: dict[str, list[int]] = {}
        for segment, security_id in map(segment_and_id, tokens):
            asked.setdefault(segment, []).append(int(security_id))
        answer = await self._ask(
            HTTPRequest(
                f"{self._account.root_url.rstrip('/')}/marketfeed/quote",
                method="POST",
                body=json.dumps(asked),
                headers={
                    "Content-Type": "application/json",
                    "access-token": self.session(),
                    "client-id": self._account.client_id,
                },
                connect_timeout=CONNECT_S,
                request_timeout=REQUEST_S,
            )
        )
        told: Any = envelope(answer.body)
        data = told.get("data") if told is not None else None
        if not isinstance(data, dict):
            raise BrokerError(
                ProblemKind.PROTOCOL, "Dhan answered a request for quotes with something else.", 5
            )
        return parse_quotes(data)

    async def _ask(self, request: HTTPRequest) -> HTTPResponse:
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except (OSError, HTTPTimeoutError, HTTPStreamClosedError) as error:
            raise _away(error) from None
        if answer.code == 599 and answer.error is not None:
            raise _away(answer.error)
        if answer.code != 200:
            raise _refused(answer.code, answer.body or b"")
        return answer


def _refused(status: int, body: bytes = b"") -> BrokerError:
    """What a refusal means: its own reason where it tells one, else its status."""
    told: Any = envelope(body) or {}
    data = told.get("data")
    reason = next((int(key) for key in data if str(key).isdigit()), None) if isinstance(data, dict) else None
    if reason is not None and reason >= 800:
        return refusal(reason)
    if status in _REFUSED:
        return refusal(_REFUSED[status])
    if status == 429:
        return BrokerError(ProblemKind.RATE_LIMITED, "Dhan limits requests: fewer are asked for a while.", 2)
    if status >= 500:
        return BrokerError(ProblemKind.BROKER_DOWN, f"Dhan answers {status}.")
    return BrokerError(ProblemKind.PROTOCOL, f"Dhan refused a request with {status}.", 10)


def _away(error: BaseException) -> BrokerError:
    """A line that could not be opened, or was lost: the kind of it, never an address."""
    return BrokerError(ProblemKind.DISCONNECTED, f"Dhan cannot be reached ({type(error).__name__}).")


def _portions(tokens: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(tokens), INSTRUMENTS_A_MESSAGE):
        yield tokens[start : start + INSTRUMENTS_A_MESSAGE]
