"""The one table of routes: where each answers, what it is, and what the documents say of it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import ErrorCode
from schemas.chains import ChainSchema
from schemas.control import (
    FaultQuery,
    FaultRequest,
    FaultsSchema,
    ReplayRequest,
    ReplaySchema,
    ScenarioRequest,
    ScenarioStateSchema,
)
from schemas.dashboard import DashboardSchema
from schemas.documents.openapi import Operation
from schemas.past import (
    DashboardHistoryRequest,
    DashboardHistorySchema,
    OpenInterestHistoryRequest,
    OpenInterestHistorySchema,
)
from schemas.quotes import SpotPriceSchema
from schemas.reference import CandlesSchema, DaysSchema, ExpiriesSchema, MarketStatusSchema, SymbolsSchema
from schemas.requests.queries import (
    ChainRequest,
    DashboardRequest,
    HealthRequest,
    HistoryRequest,
    StatusRequest,
    SymbolsRequest,
)
from schemas.service import HealthSchema, IndexSchema, StatisticsSchema
from schemas.strategy import StrategyRequest, StrategySchema

HTML = "text/html"
TEXT = "text/plain"
SYMBOL = "([^/]+)"  # in a pattern, a name in a path
_EXPIRY = (ErrorCode.UNKNOWN_SYMBOL, ErrorCode.UNKNOWN_EXPIRY)


@dataclass(frozen=True, slots=True)
class Route:
    """A path as it is documented, the pattern that matches it, a link to try, and a line for the index."""

    path: str
    pattern: str
    example: str
    what: str
    operation: Operation


ROUTES = (
    Route(
        "/",
        "/",
        "/",
        "this page",
        Operation("A page with links to everything", "For people.", query=None, content_type=HTML),
    ),
    Route(
        "/health",
        "/(?:api/)?health",
        "/health",
        "a verdict with a reason for each part",
        Operation(
            "Health of the service and of each part",
            "For supervisors, who need no key. 200 while the server serves, 503 when it does not. With "
            "`probe` the answer is the `status` alone.",
            answer=HealthSchema,
            query=HealthRequest,
            aliases=("/api/health",),
            also=((503, "the service is down; `status` says so"),),
        ),
    ),
    Route(
        "/api",
        "/api/?",
        "/api",
        "name, version, routes and events",
        Operation(
            "Name, version, routes and events", "The tables of this server.", answer=IndexSchema, cached=True
        ),
    ),
    Route(
        "/api/symbols",
        "/api/symbols",
        "/api/symbols",
        "what can be asked for",
        Operation(
            "What can be asked for",
            "Underlyings, a page of them; the plain lists are of all that match.",
            answer=SymbolsSchema,
            query=SymbolsRequest,
            meta=("pagination",),
            cached=True,
        ),
    ),
    Route(
        "/api/expiries/{symbol}",
        f"/api/expiries/{SYMBOL}",
        "/api/expiries/NIFTY",
        "expiries of an underlying",
        Operation(
            "Expiries of an underlying",
            "What is listed now, nearest first.",
            answer=ExpiriesSchema,
            meta=("symbol",),
            errors=(ErrorCode.UNKNOWN_SYMBOL,),
            cached=True,
        ),
    ),
    Route(
        "/api/spot_price/{symbol}",
        f"/api/spot_price/{SYMBOL}",
        "/api/spot_price/NIFTY",
        "price of an underlying",
        Operation(
            "Price of an underlying",
            "The latest price and the day's range. The same state as the stream's for the same `seq`.",
            answer=SpotPriceSchema,
            meta=("symbol",),
            errors=(ErrorCode.UNKNOWN_SYMBOL, ErrorCode.FEED_UNAVAILABLE),
            live=True,
        ),
    ),
    Route(
        "/api/option_chain",
        "/api/option_chain",
        "/api/option_chain?symbol=NIFTY&strikes=10",
        "a chain with Greeks, open interest and totals",
        Operation(
            "An option chain with Greeks, open interest and totals",
            "One row a strike, ascending. Totals, put-call ratios and max pain are over all listed "
            "strikes, whatever `strikes` asks for. Delta and gamma are to the spot; theta, vega and rho "
            "hold the forward. With `at` the chain as it was recorded: quantities of its quotes are not, "
            "and its `epoch` is `history`, which no stream has.",
            answer=ChainSchema,
            query=ChainRequest,
            meta=("symbol", "expiry"),
            errors=(*_EXPIRY, ErrorCode.NOT_FOUND, ErrorCode.FEED_UNAVAILABLE),
            live=True,
        ),
    ),
    Route(
        "/api/dashboard_data",
        "/api/dashboard_data",
        "/api/dashboard_data?symbol=NIFTY",
        "PCR, max pain, volatility, exposure of an expiry",
        Operation(
            "Figures of an expiry",
            "Put-call ratios, max pain with its curve, support and resistance, volatility, gamma exposure. "
            "With `at` as they were, from history.",
            answer=DashboardSchema,
            query=DashboardRequest,
            meta=("symbol", "expiry"),
            errors=(*_EXPIRY, ErrorCode.NOT_FOUND, ErrorCode.FEED_UNAVAILABLE),
            live=True,
        ),
    ),
    Route(
        "/api/strategy",
        "/api/strategy",
        "/api/docs#postStrategy",
        "POST: pay-off, break-evens, Greeks and odds of several legs",
        Operation(
            "Pay-off, break-evens, Greeks and odds of several legs",
            "Legs are contracts of one expiry. A leg without `price` is taken at the middle of its quote, "
            "else at its last price; where there is neither, the answer is VALIDATION_ERROR. Money and net "
            "Greeks are of the whole position: legs times lots times lot size.",
            answer=StrategySchema,
            body=StrategyRequest,
            meta=("symbol", "expiry"),
            errors=(*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, ErrorCode.FEED_UNAVAILABLE),
        ),
    ),
    Route(
        "/api/market-status",
        "/api/market[-_]status",
        "/api/market-status",
        "trading phase of each exchange",
        Operation(
            "Trading phase of each exchange",
            "The default exchange's fields stand at the top, each exchange asked for in `exchanges`.",
            answer=MarketStatusSchema,
            query=StatusRequest,
            aliases=("/api/market_status",),
        ),
    ),
    Route(
        "/api/historical-data/{symbol}",
        f"/api/historical-data/{SYMBOL}",
        "/api/historical-data/NIFTY?interval=5m",
        "candles of an underlying or a contract",
        Operation(
            "Candles of an underlying or of a contract",
            "A page of them, ascending. With `from` pages go forward from there; without it the first page "
            "has the newest candles and the next ones go back: give the answer's `to` with them, and what "
            "arrives meanwhile moves nothing. With `expiry`, `strike` and `option_type` those of a "
            "contract. A candle covers [date, date + interval) of its trading day's grid; a time without a "
            "price has no candle.",
            answer=CandlesSchema,
            query=HistoryRequest,
            meta=("symbol", "expiry?", "pagination"),
            errors=(*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, ErrorCode.FEED_UNAVAILABLE),
        ),
    ),
    Route(
        "/api/ohlc_data/{symbol}",
        f"/api/ohlc_data/{SYMBOL}",
        "/api/ohlc_data/NIFTY",
        "this trading day and the one before",
        Operation(
            "This trading day and the one before",
            "Open, high, low and last price of both, and the price that changes are counted from.",
            answer=DaysSchema,
            meta=("symbol",),
            errors=(ErrorCode.UNKNOWN_SYMBOL, ErrorCode.FEED_UNAVAILABLE),
        ),
    ),
    Route(
        "/api/dashboard-history/{symbol}",
        f"/api/dashboard-history/{SYMBOL}",
        "/api/dashboard-history/NIFTY?interval=5m",
        "PCR, max pain, volatility and open interest through the day",
        Operation(
            "Figures of an expiry through time",
            "Oldest first, a page of them: each interval's last state, recorded once a minute, as far back "
            "as metrics are kept; at most 400 days at once. By day and week sessions before the first "
            "record have a point too: `spot_price`, and the `near_month_iv` of their end that `iv_rank` "
            "rests on.",
            answer=DashboardHistorySchema,
            query=DashboardHistoryRequest,
            meta=("symbol", "expiry", "pagination"),
            errors=(*_EXPIRY, ErrorCode.FEED_UNAVAILABLE),
        ),
    ),
    Route(
        "/api/oi-history/{symbol}",
        f"/api/oi-history/{SYMBOL}",
        "/api/oi-history/NIFTY?strikes=5",
        "open interest per strike through the day",
        Operation(
            "Open interest per strike through time",
            "Open interest of calls and puts and its change since the previous close, each interval's last "
            "state; at most 7 days at once. `strikes` is a number of strikes around the money, or a list.",
            answer=OpenInterestHistorySchema,
            query=OpenInterestHistoryRequest,
            meta=("symbol", "expiry"),
            errors=(*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, ErrorCode.FEED_UNAVAILABLE),
        ),
    ),
    Route(
        "/api/replay",
        "/api/replay",
        "/api/docs#postReplay",
        "where a replay stands; POST: pause, resume, seek, speed",
        Operation(
            "Where a replay stands, and what it is to do",
            "Only where the source is a replay. POST pauses, resumes, seeks (`at`) or sets the speed "
            "(`speed`), where the operator set `feed.control`, with a key of the scope `control`. A seek "
            "begins a new epoch: streams send snapshots.",
            answer=ReplaySchema,
            body=ReplayRequest,
            control=True,
            errors=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
        ),
    ),
    Route(
        "/api/simulation/scenario",
        "/api/simulation/scenario",
        "/api/simulation/scenario",
        "scenario of the simulated market; POST: another one",
        Operation(
            "The scenario of the simulated market",
            "Only where the source is simulated. POST goes over to another scenario, where the operator "
            "set `feed.control`, with a key of the scope `control`; `feed_status` tells it to everybody.",
            answer=ScenarioStateSchema,
            body=ScenarioRequest,
            control=True,
            errors=(ErrorCode.NOT_FOUND, ErrorCode.CONFLICT),
        ),
    ),
    Route(
        "/api/simulation/faults",
        "/api/simulation/faults",
        "/api/simulation/faults",
        "faults on purpose that are in force; POST: begin one, DELETE: end them",
        Operation(
            "Faults on purpose",
            "What is in force and until when, and what can be brought about here. POST begins one, for some "
            "seconds of the market's clock, DELETE ends all or those of a kind; both where the operator set "
            "`feed.control`, with a key of the scope `control`. `drop_sockets`, `sequence_gap`, "
            "`malformed_frame` and `drop_ticker` happen once. The last four kinds are the Kite mock's.",
            answer=FaultsSchema,
            query=FaultQuery,
            body=FaultRequest,
            control=True,
            steering_errors=(ErrorCode.NOT_FOUND, ErrorCode.UNKNOWN_SYMBOL, ErrorCode.UNKNOWN_EXPIRY),
        ),
    ),
    Route(
        "/api/websocket/stats",
        "/api/websocket/stats",
        "/api/websocket/stats",
        "connections, rooms and fan-out",
        Operation("Connections, rooms and fan-out", "Since the server started.", answer=StatisticsSchema),
    ),
    Route(
        "/api/openapi.json",
        "/api/openapi\\.json",
        "/api/openapi.json",
        "the routes as OpenAPI 3.1",
        Operation("The routes, as OpenAPI 3.1", "This document.", live=True, cached=True),
    ),
    Route(
        "/api/asyncapi.json",
        "/api/asyncapi\\.json",
        "/api/asyncapi.json",
        "the events as AsyncAPI 3.0",
        Operation("The events, as AsyncAPI 3.0", "The streams of Socket.IO.", live=True, cached=True),
    ),
    Route(
        "/api/docs",
        "/api/docs",
        "/api/docs",
        "routes and events on a page, for people",
        Operation(
            "Routes and events on a page",
            "For people; needs no network.",
            content_type=HTML,
            live=True,
            cached=True,
        ),
    ),
    Route(
        "/metrics",
        "/metrics",
        "/metrics",
        "figures for Prometheus, as text",
        Operation("Figures for Prometheus", "Its text format, or OpenMetrics.", content_type=TEXT),
    ),
)
