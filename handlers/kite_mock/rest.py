"""The REST routes of Kite Connect that a market without orders can answer."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import numpy as np
import orjson
from tornado.web import HTTPError, RequestHandler

from domain.instants import IST, to_datetime, to_ms
from domain.instruments import Exchange
from domain.intervals import INTERVAL_ALIASES, Interval
from feed.history.store.problems import HistoryError
from feed.market.candles import Candles
from handlers.kite_mock.errors import KiteError, bad_input, not_permitted
from handlers.kite_mock.instruments import Instruments
from handlers.kite_mock.pages import login_page
from handlers.kite_mock.quotes import Quotes, ist
from handlers.kite_mock.sessions import Login, Rates, Sessions
from handlers.kite_mock.ticker import envelope
from handlers.kite_mock.wire_market import WireMarket

MOST_QUOTES = {"quote": 500, "ohlc": 1000, "ltp": 1000}
# the longest span of a request, in days
SPANS = {
    "minute": 60,
    "3minute": 100,
    "5minute": 100,
    "10minute": 100,
    "15minute": 200,
    "30minute": 200,
    "60minute": 400,
    "day": 2000,
}
_TOKEN = re.compile(r"[0-9]{1,10}")
USER_ID, USER_NAME = "MOCK01", "Developer"
PROFILE = {
    "user_id": USER_ID,
    "user_name": USER_NAME,
    "user_shortname": USER_NAME,
    "email": "developer@example.com",
    "user_type": "individual",
    "broker": "ZERODHA",
    "exchanges": [str(exchange) for exchange in Exchange],
    "products": ["CNC", "NRML", "MIS", "BO", "CO"],
    "order_types": ["MARKET", "LIMIT", "SL", "SL-M"],
    "avatar_url": None,
    "meta": {"demat_consent": "physical"},
}
SEGMENT_MARGINS = {
    "enabled": True,
    "net": 0.0,
    "available": {
        "adhoc_margin": 0,
        "cash": 0,
        "collateral": 0,
        "intraday_payin": 0,
        "live_balance": 0,
        "opening_balance": 0,
    },
    "utilised": {
        "debits": 0,
        "exposure": 0,
        "m2m_realised": 0,
        "m2m_unrealised": 0,
        "option_premium": 0,
        "payout": 0,
        "span": 0,
        "holding_sales": 0,
        "turnover": 0,
        "liquid_collateral": 0,
        "stock_collateral": 0,
        "delivery": 0,
    },
}
MARGINS = {"equity": SEGMENT_MARGINS, "commodity": SEGMENT_MARGINS}


@dataclass(frozen=True)
class KiteMarket:
    """What the routes answer from."""

    wire: WireMarket
    sessions: Sessions
    rates: Rates
    instruments: Callable[[], Awaitable[Instruments]]
    candles: Callable[[str, Interval, tuple[int, int], tuple[date, float, bool] | None], Awaitable[Candles]]
    now_ms: Callable[[], int]
    redirect_url: str


class KiteHandler(RequestHandler):
    """A route of Kite: its envelope, its errors, its session, its rates."""

    family: ClassVar[str] = "other"
    needs_session: ClassVar[bool] = True

    def initialize(self, market: KiteMarket) -> None:
        """Take what it answers from."""
        self.market = market
        self.access_token = ""

    def set_default_headers(self) -> None:
        """Every answer is JSON but the lists of instruments."""
        self.set_header("Content-Type", "application/json")

    def prepare(self) -> None:
        """Let in whom a session lets in, as often as Kite does."""
        if self.needs_session:
            self.access_token = self.market.sessions.check(self.request.headers.get("Authorization", ""))
        self.market.rates.take(self.family, time.monotonic())

    def reply(self, data: Any) -> None:
        """Answer in Kite's envelope."""
        self.finish(orjson.dumps({"status": "success", "data": data}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error is JSON, with the name of the exception that the clients raise."""
        error = kwargs.get("exc_info", (None, None))[1]
        if not isinstance(error, KiteError):
            error = _refusal(status_code, error)
        self.set_status(error.status)
        self.finish(envelope(error))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """A refusal is no news."""
        if not isinstance(value, KiteError):
            super().log_exception(typ, value, tb)


def _refusal(status: int, error: BaseException | None) -> KiteError:
    if isinstance(error, HistoryError):
        return KiteError(503, "NetworkException", "Historical data cannot be read at the moment.")
    if status == 405:
        return KiteError(405, "GeneralException", "Method not allowed")
    if status == 404:
        return KiteError(404, "GeneralException", "Route not found")
    if isinstance(error, HTTPError) and status < 500:
        return KiteError(400, "InputException", error.log_message or "Invalid request")
    return KiteError(500, "GeneralException", "Something went wrong")


class UnknownRoute(KiteHandler):
    """Any other path."""

    needs_session = False

    def prepare(self) -> None:
        """Refuse."""
        raise KiteError(404, "GeneralException", "Route not found")


class LoginHandler(KiteHandler):
    """``/connect/login``: a page with one button where Kite asks for a password."""

    needs_session = False

    def get(self) -> None:
        """Show the page, or go where its button leads."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        if self.get_query_argument("api_key", "") != self.market.sessions.api_key:
            self.set_status(400)
            self.finish(login_page("Invalid `api_key`.", None, ""))
            return
        if self.get_query_argument("user", "") != USER_ID:
            again = urlencode([*parse_qsl(self.request.query), ("user", USER_ID)])
            self.finish(login_page("", f"/connect/login?{again}", USER_NAME))
            return
        token = self.market.sessions.request_token(time.monotonic())
        if not self.market.redirect_url:
            self.finish(login_page(f"request_token: {token}", None, ""))
            return
        told = {"action": "login", "type": "login", "status": "success", "request_token": token}
        wanted = parse_qsl(self.get_query_argument("redirect_params", ""))
        target = urlsplit(self.market.redirect_url)
        query = urlencode([*parse_qsl(target.query), *told.items(), *wanted])
        self.redirect(urlunsplit(target._replace(query=query)))


class SessionHandler(KiteHandler):
    """``/session/token``: begin a session, or end it."""

    needs_session = False

    def post(self) -> None:
        """Begin one, for a request token and a checksum."""
        given = {name: self.get_argument(name, "") for name in ("api_key", "request_token", "checksum")}
        missing = next((name for name, value in given.items() if not value), None)
        if missing is not None:
            raise bad_input(f"Missing `{missing}`.")
        login = self.market.sessions.begin(**given, now_s=time.monotonic(), now_ms=self.market.now_ms())
        self.reply(_session(login, self.market.sessions.api_key))

    def delete(self) -> None:
        """End it; its sockets are closed."""
        self.market.sessions.end(self.get_argument("access_token", ""))
        self.reply(True)


def _session(login: Login, api_key: str) -> dict[str, Any]:
    return {
        **PROFILE,
        "api_key": api_key,
        "access_token": login.access_token,
        "public_token": login.public_token,
        "enctoken": "",
        "refresh_token": "",
        "silo": "",
        "login_time": ist(login.login_ms),
    }


class RefreshHandler(KiteHandler):
    """``/session/refresh_token``: individuals have none."""

    needs_session = False

    def post(self) -> None:
        """Refuse."""
        raise KiteError(403, "TokenException", "Invalid `refresh_token`.")

    put = post


class ProfileHandler(KiteHandler):
    """``/user/profile``."""

    def get(self) -> None:
        """Who is logged in."""
        self.reply(PROFILE)


class MarginsHandler(KiteHandler):
    """``/user/margins``: no money at all, in the right shape."""

    def get(self, segment: str | None = None) -> None:
        """All segments, or one of them."""
        if segment and segment not in MARGINS:
            raise bad_input("Invalid `segment`.")
        self.reply(MARGINS[segment] if segment else MARGINS)


class InstrumentsHandler(KiteHandler):
    """``/instruments``: CSV, and no session needed, as at Kite."""

    needs_session = False

    async def get(self, exchange: str = "") -> None:
        """The list of an exchange, or all of it."""
        made = (await self.market.instruments()).csv(exchange.upper())
        if made is None:
            raise bad_input("Invalid `exchange`.")
        self.set_header("Content-Type", "text/csv")  # exactly: the JavaScript client compares
        text, packed = made
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            text = packed
        self.finish(text)


class QuoteHandler(KiteHandler):
    """``/quote``, ``/quote/ohlc``, ``/quote/ltp``: by ``EXCHANGE:SYMBOL`` or token; no other."""

    family = "quote"

    async def get(self, kind: str | None = None) -> None:
        """An object, keyed by what was asked."""
        detail = kind or "quote"
        asked = list(dict.fromkeys(self.get_query_arguments("i")))
        most = MOST_QUOTES[detail]
        if not asked:
            raise bad_input("Missing `i`.")
        if len(asked) > most:
            raise bad_input(f"At most {most} instruments may be asked for, these are {len(asked)}.")
        names = (await self.market.instruments()).row_of_name
        found = {text: names[text] for text in asked if text in names}
        tokens = [text for text in asked if text not in names and _TOKEN.fullmatch(text)]
        if tokens:
            rows, known = self.market.wire.rows_of(np.array([int(token) for token in tokens], np.int64))
            found |= {
                text: int(row) for text, row, is_known in zip(tokens, rows, known, strict=True) if is_known
            }
        order = [text for text in asked if text in found]
        quotes = Quotes(self.market.wire, np.array([found[text] for text in order], np.intp)).all(detail)
        self.reply(dict(zip(order, quotes, strict=True)))


class HistoricalHandler(KiteHandler):
    """``/instruments/historical/{token}/{interval}``: candles of our history, both ends included."""

    family = "historical"

    async def get(self, token: str, interval: str) -> None:
        """Candles, the oldest first."""
        if interval not in SPANS:
            raise bad_input("Invalid `interval`.")
        wire, universe = self.market.wire, self.market.wire.universe
        rows, known = wire.rows_of(np.array([int(token)], np.int64))
        if not known[0]:
            raise bad_input("Invalid `instrument_token`.")
        if self.get_query_argument("continuous", "0") not in ("0", "") and interval != "day":
            raise bad_input("`continuous` is for day candles of futures only.")
        start_ms, end_ms = self._instant("from"), self._instant("to")
        if interval == "day":
            start_ms, end_ms = _day_of(start_ms), _day_of(end_ms)
        if end_ms < start_ms:
            raise bad_input("`from` must not be after `to`.")
        if (end_ms - start_ms) / 86_400_000 > SPANS[interval]:
            raise bad_input(f"The span of {interval} candles must be at most {SPANS[interval]} days.")
        count, row = len(universe.underlyings), int(rows[0])
        contract = None
        symbol = universe.underlyings[row].symbol if row < count else ""
        if row >= count:
            listing = universe.listings[int(universe.listing_row[row - count])]
            symbol = listing.symbol
            contract = (
                listing.expiry.day, float(universe.strike[row - count]), bool(universe.is_call[row - count])
            )  # fmt: skip
        width = Interval.FIVE_MINUTES if interval == "10minute" else INTERVAL_ALIASES[interval]
        candles = await self.market.candles(symbol, width, (start_ms, end_ms + 1), contract)
        if interval == "10minute":
            candles = _in_pairs(candles, universe.underlying(symbol).exchange)
        unit = wire.unit(row)
        with_interest = self.get_query_argument("oi", "0") == "1"
        self.reply({"candles": _candle_rows(candles, unit, with_interest=with_interest)})

    def _instant(self, name: str) -> int:
        """An instant of India's clocks, with or without seconds, or a date."""
        text = self.get_query_argument(name, "")
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            raise bad_input(f"Invalid `{name}`: it must be like 2026-11-23 09:15:00.") from None
        return to_ms(instant if instant.tzinfo is not None else instant.replace(tzinfo=IST))


def _day_of(instant_ms: int) -> int:
    """Where the day of an instant begins in India."""
    day = to_datetime(instant_ms).astimezone(IST)
    return to_ms(day.replace(hour=0, minute=0, second=0, microsecond=0))


def _in_pairs(candles: Candles, exchange: str) -> Candles:
    """Ten minutes of two candles of five, counted from the exchange's opening (09:15, on MCX 09:00)."""
    width_ms = 600_000
    shift_ms = 0 if exchange == Exchange.MCX else 300_000
    starts = candles.time_ms - (candles.time_ms - shift_ms + 19_800_000) % width_ms
    firsts = np.flatnonzero(np.diff(starts, prepend=-1))
    lasts = np.append(firsts[1:], len(starts)) - 1
    if not len(firsts):
        return candles
    return Candles.of(
        starts[firsts],
        [
            candles.open[firsts],
            np.fmax.reduceat(candles.high, firsts),
            np.fmin.reduceat(candles.low, firsts),
            candles.close[lasts],
            np.add.reduceat(np.nan_to_num(candles.volume), firsts),
            candles.open_interest[lasts],
        ],
    )


def _candle_rows(candles: Candles, unit: float, *, with_interest: bool) -> list[list[Any]]:
    times = [
        f"{to_datetime(at_ms).astimezone(IST):%Y-%m-%dT%H:%M:%S%z}" for at_ms in candles.time_ms.tolist()
    ]
    prices = [
        np.round(column, 2).tolist() for column in (candles.open, candles.high, candles.low, candles.close)
    ]
    volume = np.rint(np.nan_to_num(candles.volume) * unit).astype(np.int64).tolist()
    columns: list[Sequence[Any]] = [times, *prices, volume]
    if with_interest:
        columns.append(np.rint(np.nan_to_num(candles.open_interest) * unit).astype(np.int64).tolist())
    return [list(row) for row in zip(*columns, strict=True)]


class NothingHandler(KiteHandler):
    """Orders, trades and holdings: there are none, and none can be placed."""

    def get(self, *_: str) -> None:
        """None at all."""
        self.reply({"net": [], "day": []} if self.request.path.rstrip("/").endswith("/positions") else [])

    def _refuse(self, *_: str) -> None:
        raise not_permitted()

    post = put = delete = _refuse
