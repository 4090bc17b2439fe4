"""The edge: the whole HTTP surface as one table, over one market."""

from __future__ import annotations

from typing import Any

from tornado.web import Application, RequestHandler

from handlers.access.rules import AccessRules
from handlers.compat.smd import smd_routes
from handlers.documents.routes import AsyncApiHandler, DocsHandler, DocumentHandler, Documents, OpenApiHandler
from handlers.monitoring.logs import AccessLog
from handlers.operations.metrics import Metrics, MetricsHandler, RequestObserver
from handlers.rest.base import NotFoundHandler
from handlers.rest.candles import HistoricalDataHandler, OhlcDataHandler
from handlers.rest.chains import DashboardHandler, OptionChainHandler
from handlers.rest.control import ReplayHandler, ScenarioHandler
from handlers.rest.past import DashboardHistoryHandler, OpenInterestHistoryHandler
from handlers.rest.quotes import SpotPriceHandler
from handlers.rest.reference import ExpiriesHandler, SymbolsHandler
from handlers.rest.services import Services
from handlers.rest.strategy import StrategyHandler
from handlers.rest.system import (
    ApiIndexHandler,
    HealthHandler,
    IconHandler,
    IndexPageHandler,
    MarketStatusHandler,
    WebsocketStatsHandler,
)
from handlers.transport.endpoint import WebSocketTransport
from handlers.transport.socket_server import SocketServer

SYMBOL = "([^/]+)"

# route as documented, pattern, handler, example, what it is
ROUTES = (
    ("/", "/", IndexPageHandler, "/", "this page"),
    ("/health", "/(?:api/)?health", HealthHandler, "/health", "a verdict with a reason for each part"),
    ("/api", "/api/?", ApiIndexHandler, "/api", "name, version, routes and events"),
    ("/api/symbols", "/api/symbols", SymbolsHandler, "/api/symbols", "what can be asked for"),
    (
        "/api/expiries/{symbol}",
        f"/api/expiries/{SYMBOL}",
        ExpiriesHandler,
        "/api/expiries/NIFTY",
        "expiries of an underlying",
    ),
    (
        "/api/spot_price/{symbol}",
        f"/api/spot_price/{SYMBOL}",
        SpotPriceHandler,
        "/api/spot_price/NIFTY",
        "price of an underlying",
    ),
    (
        "/api/option_chain",
        "/api/option_chain",
        OptionChainHandler,
        "/api/option_chain?symbol=NIFTY&strikes=10",
        "a chain with Greeks, open interest and totals",
    ),
    (
        "/api/dashboard_data",
        "/api/dashboard_data",
        DashboardHandler,
        "/api/dashboard_data?symbol=NIFTY",
        "PCR, max pain, volatility, exposure of an expiry",
    ),
    (
        "/api/strategy",
        "/api/strategy",
        StrategyHandler,
        "/api/docs#post-api-strategy",
        "POST: pay-off, break-evens, Greeks and odds of several legs",
    ),
    (
        "/api/market-status",
        "/api/market[-_]status",
        MarketStatusHandler,
        "/api/market-status",
        "trading phase of each exchange",
    ),
    (
        "/api/historical-data/{symbol}",
        f"/api/historical-data/{SYMBOL}",
        HistoricalDataHandler,
        "/api/historical-data/NIFTY?interval=5m",
        "candles of an underlying or a contract",
    ),
    (
        "/api/ohlc_data/{symbol}",
        f"/api/ohlc_data/{SYMBOL}",
        OhlcDataHandler,
        "/api/ohlc_data/NIFTY",
        "this trading day and the one before",
    ),
    (
        "/api/dashboard-history/{symbol}",
        f"/api/dashboard-history/{SYMBOL}",
        DashboardHistoryHandler,
        "/api/dashboard-history/NIFTY?interval=5m",
        "PCR, max pain, volatility and open interest through the day",
    ),
    (
        "/api/oi-history/{symbol}",
        f"/api/oi-history/{SYMBOL}",
        OpenInterestHistoryHandler,
        "/api/oi-history/NIFTY?strikes=5",
        "open interest per strike through the day",
    ),
    (
        "/api/replay",
        "/api/replay",
        ReplayHandler,
        "/api/docs#post-api-replay",
        "where a replay stands; POST: pause, resume, seek, speed",
    ),
    (
        "/api/simulation/scenario",
        "/api/simulation/scenario",
        ScenarioHandler,
        "/api/simulation/scenario",
        "scenario of the simulated market; POST: another one",
    ),
    (
        "/api/websocket/stats",
        "/api/websocket/stats",
        WebsocketStatsHandler,
        "/api/websocket/stats",
        "connections, rooms and fan-out",
    ),
    (
        "/api/openapi.json",
        r"/api/openapi\.json",
        OpenApiHandler,
        "/api/openapi.json",
        "the routes as OpenAPI 3.1",
    ),
    (
        "/api/asyncapi.json",
        r"/api/asyncapi\.json",
        AsyncApiHandler,
        "/api/asyncapi.json",
        "the events as AsyncAPI 3.0",
    ),
    ("/api/docs", "/api/docs", DocsHandler, "/api/docs", "routes and events on a page, for people"),
    ("/metrics", "/metrics", MetricsHandler, "/metrics", "figures for Prometheus, as text"),
)
TABLE = tuple((route, example, what) for route, _, _, example, what in ROUTES)


def make_application(
    services: Services,
    access: AccessRules,
    socket_server: SocketServer,
    *,
    compression: bool,
    max_message_bytes: int,
    access_log: bool = False,
    smd: bool = False,
) -> Application:
    """The Tornado application: REST routes, Socket.IO, and an envelope for everything else."""
    metrics = Metrics(services)
    routes: dict[type[RequestHandler], str | None] = {handler: route for route, _, handler, _, _ in ROUTES}
    routes[IconHandler] = "/favicon.ico"
    routes[WebSocketTransport] = None  # a poll lasts as long as nothing happens: no latency of ours
    parts: dict[str, Any] = {"services": services, "access": access}
    documents = Documents([(route, handler) for route, _, handler, _, _ in ROUTES], services.version)

    def parts_of(handler: type[RequestHandler]) -> dict[str, Any]:
        """What a handler is made with, beside what all are."""
        if issubclass(handler, DocumentHandler):
            return {**parts, "documents": documents}
        return {**parts, "metrics": metrics} if handler is MetricsHandler else parts

    transport = {
        "engine": socket_server.eio,
        "access": access,
        "failures": services.failures,
        "compression": compression,
    }
    extra = smd_routes(SYMBOL) if smd else ()
    for pattern, handler in extra:
        routes.setdefault(handler, pattern.replace(SYMBOL, "{symbol}"))
    return Application(
        [
            *((pattern, handler, parts) for pattern, handler in extra),
            *((pattern, handler, parts_of(handler)) for _, pattern, handler, _, _ in ROUTES),
            (r"/favicon\.ico", IconHandler, parts),
            ("/socket.io/", WebSocketTransport, transport),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args=parts,
        compress_response=True,
        websocket_max_message_size=4 * max_message_bytes,  # above it the socket is closed without a word
        log_function=RequestObserver(routes, metrics.rest, AccessLog(access.address) if access_log else None),
    )
