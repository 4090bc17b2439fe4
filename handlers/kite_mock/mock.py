"""The Kite mock as a part of the server: its port, its routes, and what each publication does."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.web import Application

from domain.instants import IST, day_in_india, to_datetime
from domain.intervals import Interval
from domain.market import FaultKind
from feed.history.history import History
from feed.market.candles import Candles
from feed.market.clock import Clock
from feed.market.faults import Faults
from feed.market.guard import Guard
from feed.market.market import Market
from feed.reference.instruments import Catalogue
from handlers.kite_mock.instruments import Instruments
from handlers.kite_mock.pages import usage_page
from handlers.kite_mock.rest import (
    HistoricalHandler,
    InstrumentsHandler,
    KiteMarket,
    LoginHandler,
    MarginsHandler,
    NothingHandler,
    ProfileHandler,
    QuoteHandler,
    RefreshHandler,
    SessionHandler,
    UnknownRoute,
)
from handlers.kite_mock.sessions import Rates, Sessions
from handlers.kite_mock.ticker import HEARTBEAT_S, MOST_MESSAGE_BYTES, Tickers, TickerSocket
from handlers.kite_mock.wire_market import WireMarket
from schemas.configuration.settings import KiteMockSettings

MAX_HEADER_BYTES = 32 * 1024  # 500 symbols in a query are 13 kB
LISTS = r"orders|trades|alerts|portfolio|gtt|mf|margins|charges"


class KiteMock:
    """The market of a server, served as Kite Connect would."""

    def __init__(  # noqa: PLR0913 - a part gets each of its own
        self,
        settings: KiteMockSettings,
        market: Market,
        history: History,
        clock: Clock,
        catalogue: Catalogue,
        guard: Guard,
        *,
        slow_client_timeout_s: float,
        ssl_options: ssl.SSLContext | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.url = ""
        self.wire = WireMarket(market)
        self.sessions = Sessions(settings.api_key, settings.api_secret, settings.access_token)
        self.tickers = Tickers(
            self.wire, self.sessions, slow_client_timeout_s=slow_client_timeout_s, monotonic=monotonic
        )
        self.sessions.on_end = self.tickers.end
        self.limiter = Rates(is_strict=settings.strict_limits)
        self._market = market
        self._history = history
        self._clock = clock
        self._catalogue = catalogue
        self._instruments: asyncio.Future[Instruments] | None = None
        self._listed: object = None
        self.heartbeat = PeriodicCallback(guard.wraps("observers", self.tickers.beat), HEARTBEAT_S * 1000 / 2)
        self.http = HTTPServer(self._application(), ssl_options=ssl_options, max_header_size=MAX_HEADER_BYTES)

    def start(self, sockets: list[socket.socket]) -> None:
        """Begin to listen on the current loop."""
        self.wire.step(self._clock.now_ms())
        self.http.add_sockets(sockets)
        self.heartbeat.start()

    async def stop(self) -> None:
        """Close the port and every socket."""
        self.heartbeat.stop()
        self.http.stop()
        for ticker in list(self.tickers.followers):
            ticker.close()
        await self.http.close_all_connections()

    def suffer(self, faults: Faults) -> None:
        """Let faults on purpose befall sessions, requests and sockets."""
        self.sessions.is_rejecting = lambda: faults.on(FaultKind.TOKEN_REJECTED) is not None
        faults.actions[FaultKind.TOKEN_REJECTED] = lambda _fault: self.tickers.end_all()
        faults.actions[FaultKind.DROP_TICKER] = lambda fault: self.tickers.drop(fault.socket)
        faults.actions[FaultKind.MALFORMED_FRAME] = lambda fault: self.tickers.send_malformed(fault.socket)
        self.limiter.is_refusing = lambda: faults.on(FaultKind.RATE_LIMITED) is not None

    def figures(self) -> dict[str, int]:
        """What its sockets follow and were sent, for /metrics; a name that ends in _total only grows."""
        tickers = self.tickers
        return {
            "sockets": len(tickers.followers),
            "instruments": sum(len(follower.rows) for follower in tickers.followers.values()),
            "messages_total": tickers.messages,
            "packets_total": tickers.packets,
            "bad_messages_total": tickers.bad_messages,
        }

    def publish(self, now_ms: int) -> None:
        """Follow a publication of the market."""
        self.wire.step(now_ms)
        self.tickers.publish()

    async def instruments(self) -> Instruments:
        """The list of the universe there is; a new one is made on a thread."""
        if self._instruments is None or self._listed is not self._market.universe:
            self._listed = self._market.universe
            day = day_in_india(to_datetime(self._clock.now_ms()))
            self._instruments = asyncio.get_running_loop().run_in_executor(
                None, Instruments, self._market.universe, self._catalogue, day
            )
        return await asyncio.shield(self._instruments)

    async def _candles(
        self,
        symbol: str,
        interval: Interval,
        span: tuple[int, int],
        contract: tuple[date, float, bool] | None,
    ) -> Candles:
        today = day_in_india(to_datetime(self._clock.now_ms()))
        return await self._history.answers.candles(symbol, interval, *span, contract, adjusted_to=today)

    def _greeting(self) -> list[dict[str, Any]]:
        """The two texts that Kite sends to a new socket."""
        count = len(self.wire.tokens)
        mark = hashlib.sha256(self.wire.tokens.tobytes()).hexdigest()[:16]
        now = to_datetime(self._clock.now_ms()).astimezone(IST).isoformat(timespec="seconds")
        return [
            {"type": "instruments_meta", "data": {"count": count, "etag": f'W/"{mark}"'}},
            {"type": "app_code", "timestamp": now},
        ]

    def _application(self) -> Application:
        market = {
            "market": KiteMarket(
                wire=self.wire,
                sessions=self.sessions,
                rates=self.limiter,
                instruments=self.instruments,
                candles=self._candles,
                now_ms=self._clock.now_ms,
                redirect_url=self.settings.redirect_url,
            )
        }
        ticker = {
            "tickers": self.tickers,
            "greet": self._greeting,
            "page": lambda: usage_page(self.url, self.settings.api_key),
        }
        return Application(
            [
                (r"/(?:ws)?", TickerSocket, ticker),
                (r"/connect/login", LoginHandler, market),
                (r"/session/token", SessionHandler, market),
                (r"/session/refresh_token", RefreshHandler, market),
                (r"/user/profile", ProfileHandler, market),
                (r"/user/margins(?:/(\w+))?", MarginsHandler, market),
                (r"/instruments", InstrumentsHandler, market),
                (r"/instruments/historical/(\d{1,10})/(\w+)", HistoricalHandler, market),
                (r"/instruments/(\w+)", InstrumentsHandler, market),
                (r"/quote(?:/(ohlc|ltp))?", QuoteHandler, market),
                (rf"/(?:{LISTS})(?:/.*)?", NothingHandler, market),
            ],
            default_handler_class=UnknownRoute,
            default_handler_args=market,
            compress_response=True,
            websocket_max_message_size=MOST_MESSAGE_BYTES,
            log_function=lambda _handler: None,  # a ticker's address has key and token in it
        )
