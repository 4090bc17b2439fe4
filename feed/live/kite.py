"""Zerodha's Kite Connect as a broker, over Tornado's clients; no address with a token in it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from domain.instants import IST, to_datetime
from domain.market import ProblemKind, SourceName
from feed.live.broker import BrokerError, Instrument, Limits, Ticks
from feed.live.kite_wire import decode, envelope, parse_candles, parse_instruments, parse_quotes
from feed.live.token_file import read_token
from feed.market.candles import Candles

# indices whose name at Kite is not the symbol of their derivatives
NAMES = {
    "NIFTY": "NIFTY 50",
    "BANKNIFTY": "NIFTY BANK",
    "FINNIFTY": "NIFTY FIN SERVICE",
    "MIDCPNIFTY": "NIFTY MID SELECT",
    "NIFTYNXT50": "NIFTY NEXT 50",
}
EXCHANGES = ("NSE", "BSE", "NFO", "BFO", "MCX")
VERSION = {"X-Kite-Version": "3"}
TOKENS_A_MESSAGE = 500
CONNECT_S, REQUEST_S = 10.0, 30.0
LIST_BYTES = 64 << 20
LOGIN = "run `python server.py login`."


@dataclass(frozen=True)
class KiteAccount:
    """Where Kite is, and how it is entered; the token is given, or in a file that a login writes."""

    api_key: str = field(repr=False)
    access_token: str = field(repr=False)
    token_file: Path
    root_url: str
    ticker_url: str
    sockets: int = 3
    tokens_per_socket: int = 3000

    def session(self) -> str:
        """The access token of now: it may come, and change, while the server runs."""
        return self.access_token or read_token(self.token_file, self.api_key)


class KiteLine:
    """A socket of the ticker."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection

    async def follow(self, add: Sequence[int], drop: Sequence[int]) -> None:
        """Unsubscribe first, so that places are free; then subscribe, each message in full mode at once."""
        for some in _portions(drop):
            await self._say("unsubscribe", some)
        for some in _portions(add):
            await self._say("subscribe", some)
            await self._say("mode", ["full", some])

    async def _say(self, action: str, value: Any) -> None:
        with suppress(WebSocketClosedError):  # who reads learns of it
            await self._connection.write_message(json.dumps({"a": action, "v": value}))

    async def read(self) -> bytes | None:
        """The next frame; a heartbeat is empty. Texts are not looked at: they may tell of an account."""
        while True:
            message = await self._connection.read_message()
            if message is None:
                return None
            if isinstance(message, bytes):
                return message if len(message) > 2 else b""

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class KiteBroker:
    """Kite behind the protocol of the core."""

    name: str = SourceName.KITE

    def __init__(self, account: KiteAccount) -> None:
        self.limits = Limits(
            sockets=account.sockets,
            tokens_a_socket=account.tokens_per_socket,
            quotes_a_request=500,
            request_interval_s=1.0,
            silence_s=5.0,
        )
        self.account = account
        self._http = AsyncHTTPClient(force_instance=True, max_body_size=LIST_BYTES)

    def session(self) -> str:
        """The access token; empty without a login."""
        return self.account.session()

    async def instruments(self) -> list[Instrument]:
        """The lists of the exchanges; no session is needed for them."""
        found: list[Instrument] = []
        loop = asyncio.get_running_loop()
        for exchange in EXCHANGES:
            answer = await self._get(f"/instruments/{exchange}")
            text = answer.body.decode("utf-8", "replace")
            found += await loop.run_in_executor(None, parse_instruments, text)
        return found

    async def connect(self) -> KiteLine:
        """Open a socket of the ticker. Raises BrokerError."""
        query = urlencode({"api_key": self.account.api_key, "access_token": self.session()})
        request = HTTPRequest(
            f"{self.account.ticker_url.rstrip('/')}/?{query}", headers=VERSION, connect_timeout=CONNECT_S
        )
        try:
            return KiteLine(await websocket_connect(request, max_message_size=4 << 20))
        except HTTPClientError as error:
            raise await self._refused(error.code) from None
        except (OSError, HTTPTimeoutError, HTTPStreamClosedError, WebSocketClosedError) as error:
            raise _away(error) from None

    async def _refused(self, status: int) -> BrokerError:
        """What a refused handshake means: it says a number alone, so the profile is asked."""
        if status == 403:
            try:
                await self._get("/user/profile", signed=True)
            except BrokerError as error:
                return error
            return BrokerError(
                ProblemKind.NOT_PERMITTED, "This Kite app has no market data: it needs the paid Connect plan."
            )
        if status == 429:
            return BrokerError(
                ProblemKind.RATE_LIMITED, "Another program uses this Kite key: no socket is free.", 30
            )
        return BrokerError(ProblemKind.BROKER_DOWN, f"Kite's ticker answers {status}.")

    def decode(self, message: bytes) -> Ticks:
        """What a frame says."""
        return decode(message)

    async def minutes(self, token: int, first_ms: int, end_ms: int) -> Candles:
        """Ask for the candles of a span, which may be of some weeks."""
        first, last = (
            f"{to_datetime(at_ms).astimezone(IST):%Y-%m-%d %H:%M:%S}" for at_ms in (first_ms, end_ms - 1)
        )
        query = urlencode({"from": first, "to": last})
        answer = await self._get(f"/instruments/historical/{token}/minute?{query}", signed=True)
        told = envelope(answer.body)
        try:
            return parse_candles(told["data"]["candles"], self.name)
        except (TypeError, KeyError, ValueError):
            raise BrokerError(
                ProblemKind.PROTOCOL, "Kite answered a request for candles with something else.", 5
            ) from None

    async def quotes(self, tokens: Sequence[int]) -> Ticks:
        """Ask by token, which makes the shortest address."""
        query = urlencode([("i", token) for token in tokens])
        answer = await self._get(f"/quote?{query}", signed=True)
        told = envelope(answer.body)
        data = told.get("data") if told is not None else None
        if not isinstance(data, dict):
            raise BrokerError(
                ProblemKind.PROTOCOL, "Kite answered a request for quotes with something else.", 5
            )
        return parse_quotes(data)

    async def _get(self, path: str, *, signed: bool = False) -> HTTPResponse:
        headers = dict(VERSION)
        if signed:
            headers["Authorization"] = f"token {self.account.api_key}:{self.session()}"
        request = HTTPRequest(
            self.account.root_url.rstrip("/") + path,
            headers=headers,
            connect_timeout=CONNECT_S,
            request_timeout=REQUEST_S,
        )
        try:
            answer = await self._http.fetch(request, raise_error=False)
        except (OSError, HTTPTimeoutError, HTTPStreamClosedError) as error:
            raise _away(error) from None
        if answer.code != 200:
            raise _problem(answer)
        return answer


def _problem(answer: HTTPResponse) -> BrokerError:
    """What a refusal means."""
    if answer.code == 599 and answer.error is not None:
        return _away(answer.error)
    told = envelope(answer.body or b"") or {}
    error_type = told.get("error_type")
    if answer.code == 403 and error_type == "TokenException":
        return BrokerError(ProblemKind.LOGIN_REQUIRED, f"Kite ended the session: {LOGIN}")
    if answer.code == 403:
        return BrokerError(
            ProblemKind.NOT_PERMITTED, "This Kite app has no market data: it needs the paid Connect plan."
        )
    if answer.code == 429:
        return BrokerError(ProblemKind.RATE_LIMITED, "Kite limits requests: fewer are asked for a while.", 2)
    if answer.code >= 500:
        return BrokerError(ProblemKind.BROKER_DOWN, f"Kite answers {answer.code}.")
    return BrokerError(ProblemKind.PROTOCOL, f"Kite refused a request with {answer.code}.", 10)


def _away(error: BaseException) -> BrokerError:
    """A line that could not be opened, or was lost: the kind of it, never an address."""
    return BrokerError(ProblemKind.DISCONNECTED, f"Kite cannot be reached ({type(error).__name__}).")


def _portions(tokens: Sequence[int]) -> list[list[int]]:
    starts = range(0, len(tokens), TOKENS_A_MESSAGE)
    return [list(tokens[start : start + TOKENS_A_MESSAGE]) for start in starts]
