"""The edge: who answers each route of the table, over one market."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tornado.web import Application, RequestHandler

from handlers.access.rules import AccessRules
from handlers.compat.smd import smd_routes
from handlers.documents.guide import GuideHandler, GuidePictureHandler, guide_routes
from handlers.documents.handlers import (
    AsyncApiHandler,
    DocsHandler,
    DocumentHandler,
    Documents,
    OpenApiHandler,
)
from handlers.monitoring.logs import AccessLog
from handlers.operations.metrics import Metrics, MetricsHandler, RequestObserver
from handlers.rest.base import ApiHandler, NotFoundHandler
from handlers.rest.candles import HistoricalDataHandler, OhlcDataHandler
from handlers.rest.chains import DashboardHandler, OptionChainHandler
from handlers.rest.control import ReplayHandler, ScenarioHandler
from handlers.rest.faults import FaultsHandler
from handlers.rest.metric_series import DashboardHistoryHandler, OpenInterestHistoryHandler
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
from handlers.rest.terminal import WebFileHandler, built_files
from handlers.transport.endpoint import WebSocketTransport
from handlers.transport.socket_server import SocketServer
from schemas.configuration.settings import Settings
from schemas.documents.routes import ROUTES, SYMBOL

# who answers each route of the table
HANDLERS: Mapping[str, type[ApiHandler]] = {
    "/": IndexPageHandler,
    "/health": HealthHandler,
    "/api": ApiIndexHandler,
    "/api/symbols": SymbolsHandler,
    "/api/expiries/{symbol}": ExpiriesHandler,
    "/api/spot_price/{symbol}": SpotPriceHandler,
    "/api/option_chain": OptionChainHandler,
    "/api/dashboard_data": DashboardHandler,
    "/api/strategy": StrategyHandler,
    "/api/market-status": MarketStatusHandler,
    "/api/historical-data/{symbol}": HistoricalDataHandler,
    "/api/ohlc_data/{symbol}": OhlcDataHandler,
    "/api/dashboard-history/{symbol}": DashboardHistoryHandler,
    "/api/oi-history/{symbol}": OpenInterestHistoryHandler,
    "/api/replay": ReplayHandler,
    "/api/simulation/scenario": ScenarioHandler,
    "/api/simulation/faults": FaultsHandler,
    "/api/websocket/stats": WebsocketStatsHandler,
    "/api/openapi.json": OpenApiHandler,
    "/api/asyncapi.json": AsyncApiHandler,
    "/api/docs": DocsHandler,
    "/metrics": MetricsHandler,
}


@cache
def _documents(version: str) -> Documents:
    """What every server of this process serves alike."""
    return Documents(HANDLERS, version)


def make_application(
    services: Services,
    access: AccessRules,
    socket_server: SocketServer,
    settings: Settings,
) -> Application:
    """The Tornado application: REST routes, Socket.IO, and an envelope for everything else."""
    metrics = Metrics(services)
    routes: dict[type[RequestHandler], str | None] = {handler: path for path, handler in HANDLERS.items()}
    routes[IconHandler] = "/favicon.ico"
    routes[WebFileHandler] = "/assets/{name}"
    routes[GuideHandler] = "/docs/{name}"
    routes[GuidePictureHandler] = "/docs/pictures/{name}"
    routes[WebSocketTransport] = None  # a poll lasts as long as nothing happens: no latency of ours
    parts: dict[str, Any] = {"services": services, "access": access}
    documents = _documents(services.version)
    files = built_files() if settings.server.terminal else {}

    def parts_of(handler: type[RequestHandler]) -> dict[str, Any]:
        """What a handler is made with, beside what all are."""
        if issubclass(handler, DocumentHandler):
            return {**parts, "documents": documents}
        if handler is IndexPageHandler:
            return {**parts, "files": files, "has_terminal": settings.server.terminal}
        return {**parts, "metrics": metrics} if handler is MetricsHandler else parts

    transport = {
        "engine": socket_server.eio,
        "access": access,
        "failures": services.failures,
        "compression": settings.websocket.compression,
    }
    extra = smd_routes(SYMBOL) if settings.compat.smd else ()
    for pattern, handler in extra:
        routes.setdefault(handler, pattern.replace(SYMBOL, "{symbol}"))
    return Application(
        [
            *((pattern, handler, parts) for pattern, handler in extra),
            *((route.pattern, HANDLERS[route.path], parts_of(HANDLERS[route.path])) for route in ROUTES),
            (r"/favicon\.ico", IconHandler, parts),
            (r"/assets/([A-Za-z0-9._-]+)", WebFileHandler, {**parts, "files": files}),
            *guide_routes(parts),
            ("/socket.io/", WebSocketTransport, transport),
        ],
        default_handler_class=NotFoundHandler,
        default_handler_args=parts,
        compress_response=True,
        websocket_max_message_size=4
        * settings.limits.max_message_bytes,  # above it the socket is closed without a word
        log_function=RequestObserver(
            routes, metrics.rest, AccessLog(access.address) if settings.server.access_log else None
        ),
    )
