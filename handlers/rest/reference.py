"""What is listed: symbols and expiries."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import date
from typing import Any

from domain.instruments import Kind
from domain.market import SourceName
from feed.market.universe import Listing, Universe
from feed.reference.identity import known_as
from feed.reference.instruments import Underlying
from handlers.access.rate_limit import CHEAP
from handlers.rest.base import ApiHandler
from schemas.reference import ExpiriesSchema, SymbolsSchema
from schemas.requests.queries import SymbolsQuery, SymbolsRequest

_symbols = SymbolsSchema()
_expiries = ExpiriesSchema()


class SymbolsHandler(ApiHandler):
    """``/api/symbols``: what can be asked for, a page of it."""

    cost = CHEAP

    def get(self) -> None:
        """Answer with the symbols that match."""
        query = self.arguments_of(SymbolsRequest)
        universe = self.services.market.universe
        # a broker's list says what a lot is; volatilities are the simulation's own business
        is_broker = self.services.market.source in (SourceName.KITE, SourceName.DHAN)
        known = ("lot_size", "annual_volatility") if is_broker else ("annual_volatility",)
        found = [item for item in universe.underlyings if _matches(item, query)]
        first = (query.page - 1) * query.per_page
        shown = found[first : first + query.per_page]
        data = {
            "symbols": [_symbol_row(universe, item, known) for item in shown],
            "indices": [item.symbol for item in found if item.kind == Kind.INDEX],
            "stocks": [item.symbol for item in found if item.kind == Kind.STOCK],
            "commodities": [item.symbol for item in found if item.kind == Kind.COMMODITY],
            "stocks_with_options": [
                item.symbol for item in found if item.kind == Kind.STOCK and universe.chains(item.symbol)
            ],
        }
        self.cache_reference_data()
        meta = {"pagination": pagination(query.page, query.per_page, len(found))}
        self.reply(_symbols.dump(data), meta=meta)


class ExpiriesHandler(ApiHandler):
    """``/api/expiries/{symbol}``: what is listed on an underlying."""

    cost = CHEAP

    def get(self, symbol: str) -> None:
        """Answer with the expiries, nearest first."""
        self.no_arguments()
        name = self.symbol_of(symbol)
        listings = self.services.market.universe.chains(name)
        today = self.today()
        data = {
            "symbol": name,
            "expiry_dates": [listing.expiry.day for listing in listings],
            "expiries": [_expiry_row(listing, today) for listing in listings],
        }
        self.cache_reference_data()
        self.reply(_expiries.dump(data), meta={"symbol": name})


def pagination(page: int, per_page: int, total: int) -> dict[str, Any]:
    """``meta.pagination`` of a page."""
    pages = math.ceil(total / per_page)
    return {
        "page": page,
        "per_page": per_page,
        "total": total,
        "pages": pages,
        "next": page + 1 if page < pages else None,
        "previous": page - 1 if 1 < page <= pages + 1 else None,
    }


def _matches(item: Underlying, query: SymbolsQuery) -> bool:
    text = query.q.upper()
    return (
        query.kind in (None, item.kind)
        and (not query.exchange or bool({item.exchange, item.derivatives_exchange} & {*query.exchange}))
        and (text in item.symbol or text in item.name.upper() or known_as(text) == item.symbol)
    )


def _symbol_row(universe: Universe, item: Underlying, known: Collection[str]) -> dict[str, Any]:
    listings = universe.chains(item.symbol)
    return {
        "symbol": item.symbol,
        "name": item.name,
        "kind": item.kind,
        "exchange": item.exchange,
        "sector": item.sector,
        "lot_size": listings[0].expiry.lot_size if listings else None,
        "tick_size": item.tick_size,
        "strike_step": item.strike_step,
        "expiry_count": len(listings),
        "reference_price": item.reference_price,
        "price_date": item.price_date,
        "estimated": [name for name in item.estimated if name not in known],
    }


def _expiry_row(listing: Listing, today: date) -> dict[str, Any]:
    expiry = listing.expiry
    return {
        "day": expiry.day,
        "kind": expiry.kind,
        "expires_at": expiry.expires_at,
        "days_to_expiry": (expiry.day - today).days,
        "lot_size": expiry.lot_size,
    }
