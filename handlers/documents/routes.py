"""The documentation routes, and what the route table does not say of each route."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import orjson

from domain.errors import ErrorCode
from handlers.access.rate_limit import CHEAP
from handlers.access.rules import AccessRules
from handlers.documents.page import render_page
from handlers.rest.base import ApiHandler
from handlers.rest.services import Services
from handlers.streams.namespace import CLIENT_EVENTS, SERVER_EVENTS
from schemas.chains import ChainSchema
from schemas.control import ReplayRequest, ReplaySchema, ScenarioRequest, ScenarioSchema
from schemas.dashboard import DashboardSchema
from schemas.documents.asyncapi import asyncapi_document
from schemas.documents.openapi import JSON, Operation, RouteDescription, openapi_document
from schemas.past import (
    DashboardHistoryRequest,
    DashboardHistorySchema,
    OpenInterestHistoryRequest,
    OpenInterestHistorySchema,
)
from schemas.quotes import SpotPriceSchema
from schemas.reference import CandlesSchema, DaysSchema, ExpiriesSchema, MarketStatusSchema, SymbolsSchema
from schemas.requests import (
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
_EXPIRY = (ErrorCode.UNKNOWN_SYMBOL, ErrorCode.UNKNOWN_EXPIRY)

OPERATIONS: Mapping[str, Operation] = {
    "/": Operation("A page with links to everything", "For people.", query=None, content_type=HTML),
    "/health": Operation(
        "Health of the service and of each part",
        "For supervisors, who need no key. 200 while the server serves, 503 when it does not. With `probe` "
        "the answer is the `status` alone.",
        answer=HealthSchema,
        query=HealthRequest,
        aliases=("/api/health",),
        also=((503, "the service is down; `status` says so"),),
    ),
    "/api": Operation(
        "Name, version, routes and events", "The tables of this server.", answer=IndexSchema, cached=True
    ),
    "/api/symbols": Operation(
        "What can be asked for",
        "Underlyings, a page of them; the plain lists are of all that match.",
        answer=SymbolsSchema,
        query=SymbolsRequest,
        meta=("pagination",),
        cached=True,
    ),
    "/api/expiries/{symbol}": Operation(
        "Expiries of an underlying",
        "What is listed now, nearest first.",
        answer=ExpiriesSchema,
        meta=("symbol",),
        errors=(ErrorCode.UNKNOWN_SYMBOL,),
        cached=True,
    ),
    "/api/spot_price/{symbol}": Operation(
        "Price of an underlying",
        "The latest price and the day's range. The same state as the stream's for the same `seq`.",
        answer=SpotPriceSchema,
        meta=("symbol",),
        errors=(ErrorCode.UNKNOWN_SYMBOL, ErrorCode.FEED_UNAVAILABLE),
        live=True,
    ),
    "/api/option_chain": Operation(
        "An option chain with Greeks, open interest and totals",
        "One row a strike, ascending. Totals, put-call ratios and max pain are over all listed strikes, "
        "whatever `strikes` asks for. Delta and gamma are to the spot; theta, vega and rho hold the forward. "
        "With `at` the chain as it was recorded: quantities of its quotes are not, and its `epoch` is "
        "`history`, which no stream has.",
        answer=ChainSchema,
        query=ChainRequest,
        meta=("symbol", "expiry"),
        errors=(*_EXPIRY, ErrorCode.NOT_FOUND, ErrorCode.FEED_UNAVAILABLE),
        live=True,
    ),
    "/api/dashboard_data": Operation(
        "Figures of an expiry",
        "Put-call ratios, max pain with its curve, support and resistance, volatility, gamma exposure. With "
        "`at` as they were, from history.",
        answer=DashboardSchema,
        query=DashboardRequest,
        meta=("symbol", "expiry"),
        errors=(*_EXPIRY, ErrorCode.NOT_FOUND, ErrorCode.FEED_UNAVAILABLE),
        live=True,
    ),
    "/api/strategy": Operation(
        "Pay-off, break-evens, Greeks and odds of several legs",
        "Legs are contracts of one expiry. A leg without `price` is taken at the middle of its quote, else "
        "at its last price; where there is neither, the answer is VALIDATION_ERROR. Money and net Greeks are "
        "of the whole position: legs times lots times lot size.",
        answer=StrategySchema,
        body=StrategyRequest,
        meta=("symbol", "expiry"),
        errors=(*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, ErrorCode.FEED_UNAVAILABLE),
    ),
    "/api/market-status": Operation(
        "Trading phase of each exchange",
        "The default exchange's fields stand at the top, each exchange asked for in `exchanges`.",
        answer=MarketStatusSchema,
        query=StatusRequest,
        aliases=("/api/market_status",),
    ),
    "/api/historical-data/{symbol}": Operation(
        "Candles of an underlying or of a contract",
        "A page of them, ascending. With `from` pages go forward from there; without it the first page has "
        "the newest candles and the next ones go back: give the answer's `to` with them, and what arrives "
        "meanwhile moves nothing. With `expiry`, `strike` and `option_type` those of a contract. A candle "
        "covers [date, date + interval) of its trading day's grid; a time without a price has no candle.",
        answer=CandlesSchema,
        query=HistoryRequest,
        meta=("symbol", "expiry?", "pagination"),
        errors=(*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, ErrorCode.FEED_UNAVAILABLE),
    ),
    "/api/ohlc_data/{symbol}": Operation(
        "This trading day and the one before",
        "Open, high, low and last price of both, and the price that changes are counted from.",
        answer=DaysSchema,
        meta=("symbol",),
        errors=(ErrorCode.UNKNOWN_SYMBOL, ErrorCode.FEED_UNAVAILABLE),
    ),
    "/api/dashboard-history/{symbol}": Operation(
        "Figures of an expiry through time",
        "Oldest first, a page of them: each interval's last state, recorded once a minute, as far back as "
        "metrics are kept; at most 400 days at once. By day and week sessions before the first record have "
        "a point too: `spot_price`, and the `near_month_iv` of their end that `iv_rank` rests on.",
        answer=DashboardHistorySchema,
        query=DashboardHistoryRequest,
        meta=("symbol", "expiry", "pagination"),
        errors=(*_EXPIRY, ErrorCode.FEED_UNAVAILABLE),
    ),
    "/api/oi-history/{symbol}": Operation(
        "Open interest per strike through time",
        "Open interest of calls and puts and its change since the previous close, each interval's last "
        "state; at most 7 days at once. `strikes` is a number of strikes around the money, or a list.",
        answer=OpenInterestHistorySchema,
        query=OpenInterestHistoryRequest,
        meta=("symbol", "expiry"),
        errors=(*_EXPIRY, ErrorCode.UNKNOWN_CONTRACT, ErrorCode.FEED_UNAVAILABLE),
    ),
    "/api/replay": Operation(
        "Where a replay stands, and what it is to do",
        "Only where the source is a replay. POST pauses, resumes, seeks (`at`) or sets the speed (`speed`), "
        "where the operator set `feed.control`, with a key of the scope `control`. A seek begins a new "
        "epoch: streams send snapshots.",
        answer=ReplaySchema,
        body=ReplayRequest,
        control=True,
        errors=(ErrorCode.NOT_FOUND,),
    ),
    "/api/simulation/scenario": Operation(
        "The scenario of the simulated market",
        "Only where the source is simulated. POST goes over to another scenario, where the operator set "
        "`feed.control`, with a key of the scope `control`; `feed_status` tells it to everybody.",
        answer=ScenarioSchema,
        body=ScenarioRequest,
        control=True,
        errors=(ErrorCode.NOT_FOUND,),
    ),
    "/api/websocket/stats": Operation(
        "Connections, rooms and fan-out", "Since the server started.", answer=StatisticsSchema
    ),
    "/metrics": Operation("Figures for Prometheus", "Its text format, or OpenMetrics.", content_type=TEXT),
    "/api/openapi.json": Operation("The routes, as OpenAPI 3.1", "This document.", live=True, cached=True),
    "/api/asyncapi.json": Operation(
        "The events, as AsyncAPI 3.0", "The streams of Socket.IO.", live=True, cached=True
    ),
    "/api/docs": Operation(
        "Routes and events on a page",
        "For people; needs no network.",
        content_type=HTML,
        live=True,
        cached=True,
    ),
}


class Documents:
    """What is generated from the schemas and the tables of routes and events, each when first asked for."""

    def __init__(self, routes: Sequence[tuple[str, type[ApiHandler]]], version: str) -> None:
        self._routes = routes
        self._version = version

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The routes."""
        descriptions = [
            RouteDescription(path, handler.methods, handler.needs_key, OPERATIONS[path])
            for path, handler in self._routes
        ]
        return openapi_document(descriptions, self._version)

    @cached_property
    def asyncapi(self) -> dict[str, Any]:
        """The events."""
        return asyncapi_document(CLIENT_EVENTS, SERVER_EVENTS, self._version)

    @cached_property
    def openapi_json(self) -> bytes:
        """The routes, encoded."""
        return orjson.dumps(self.openapi)

    @cached_property
    def asyncapi_json(self) -> bytes:
        """The events, encoded."""
        return orjson.dumps(self.asyncapi)

    @cached_property
    def page(self) -> bytes:
        """Both, for people."""
        return render_page(self.openapi, self.asyncapi).encode()


class DocumentHandler(ApiHandler):
    """A document: it changes with the server's version only, and needs no key to be read in a browser."""

    needs_key = False
    cost = CHEAP

    def initialize(self, services: Services, access: AccessRules, documents: Documents) -> None:  # type: ignore[override]
        """Take the documents too."""
        super().initialize(services, access)
        self.documents = documents

    def answer(self, body: bytes, content_type: str) -> None:
        """Answer with a document, or with 304 to who has it."""
        self.no_arguments()
        self.set_header("Content-Type", f"{content_type}; charset=UTF-8")
        self.cache_reference_data()
        self.set_header("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        if self.check_etag_header():
            self.set_status(304)
            self.finish()
        else:
            self.finish(body)


class OpenApiHandler(DocumentHandler):
    """``/api/openapi.json``."""

    def get(self) -> None:
        """Answer with the routes."""
        self.answer(self.documents.openapi_json, JSON)


class AsyncApiHandler(DocumentHandler):
    """``/api/asyncapi.json``."""

    def get(self) -> None:
        """Answer with the events."""
        self.answer(self.documents.asyncapi_json, JSON)


class DocsHandler(DocumentHandler):
    """``/api/docs``."""

    def get(self) -> None:
        """Answer with the page; it may load nothing."""
        self.set_page_headers()
        self.answer(self.documents.page, HTML)
