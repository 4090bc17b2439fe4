"""Series of a chain: its figures, and its open interest strike by strike."""

from __future__ import annotations

from handlers.access.rate_limit import HEAVY
from handlers.rest.base import ApiHandler
from handlers.rest.reference import pagination
from schemas.past import (
    MOST_OI_SPAN,
    MOST_SERIES_SPAN,
    DashboardHistoryRequest,
    OpenInterestHistoryRequest,
    check_length,
    dump_open_interest,
    dump_points,
)


class DashboardHistoryHandler(ApiHandler):
    """``/api/dashboard-history/{symbol}``."""

    cost = HEAVY

    def asks_past(self) -> bool:
        """Always."""
        return True

    async def get(self, symbol: str) -> None:
        """Answer with a page of points, oldest first."""
        name = self.symbol_of(symbol)
        query, series = self.arguments_of(DashboardHistoryRequest), self.services.series
        span = series.span(name, query.start, query.end)
        check_length(*span, MOST_SERIES_SPAN)
        day = await self.within_time(series.expiry(name, query.expiry))
        columns, source = await self.within_time(series.metrics(name, day, span, query.interval))
        shown = slice((query.page - 1) * query.per_page, query.page * query.per_page)
        data = {
            "symbol": name,
            "expiry": day,
            "interval": query.interval,
            "source": source,
            "points": dump_points({column: values[shown] for column, values in columns.items()}),
        }
        about = pagination(query.page, query.per_page, len(columns["minute_ms"]))
        self.reply(data, meta={"symbol": name, "expiry": day, "pagination": about})


class OpenInterestHistoryHandler(ApiHandler):
    """``/api/oi-history/{symbol}``."""

    cost = HEAVY

    def asks_past(self) -> bool:
        """Always."""
        return True

    async def get(self, symbol: str) -> None:
        """Answer with open interest and its change of some strikes."""
        name = self.symbol_of(symbol)
        query, series = self.arguments_of(OpenInterestHistoryRequest), self.services.series
        span = series.span(name, query.start, query.end)
        check_length(*span, MOST_OI_SPAN)
        day = await self.within_time(series.expiry(name, query.expiry))
        found, source = await self.within_time(
            series.open_interest(name, day, span, query.interval, query.strikes)
        )
        data = {
            "symbol": name,
            "expiry": day,
            "interval": query.interval,
            "source": source,
            **dump_open_interest(found),
        }
        self.reply(data, meta={"symbol": name, "expiry": day})
