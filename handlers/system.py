"""The service itself: health, index, market status, statistics."""

from __future__ import annotations

import time
from typing import Any

from tornado.escape import xhtml_escape

from handlers.api import ApiHandler
from handlers.realtime import CLIENT_EVENTS, SERVER_EVENTS
from handlers.services import Services
from schemas.requests import HealthRequest, StatusRequest

LAG_DEGRADED_MS = 500.0

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Indian options market data</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}}
a{{color:#0b5cad;overflow-wrap:anywhere}}
code{{background:#f2f4f7;padding:.1em .3em;border-radius:.2em}}
table{{border-collapse:collapse;width:100%}}
td{{padding:.3em .6em .3em 0;vertical-align:top;border-top:1px solid #e3e6ea}}
</style></head><body><h1>Indian options market data</h1>
<p>Version {version}, source <b>{source}</b>. REST answers are JSON; live streams are Socket.IO on
<code>/socket.io/</code>.</p><table>{rows}</table></body></html>"""


class IndexPageHandler(ApiHandler):
    """``/``: a page that links to what follows."""

    needs_key = False

    def get(self) -> None:
        """Answer with the page."""
        rows = "".join(
            f'<tr><td><a href="{xhtml_escape(example)}">{xhtml_escape(route)}</a></td>'
            f"<td>{xhtml_escape(what)}</td></tr>"
            for route, example, what in self.services.routes
        )
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
        services = self.services
        self.finish(PAGE.format(version=services.version, source=services.market.source, rows=rows))


class ApiIndexHandler(ApiHandler):
    """``/api``: what there is."""

    def get(self) -> None:
        """Answer with name, version, routes and events."""
        self.no_arguments()
        self.cache_reference_data()
        self.reply(
            {
                "name": "Indian options market data",
                "version": self.services.version,
                "links": {
                    "health": "/health",
                    "socket": "/socket.io/",
                    "docs": "/api/docs",
                    "openapi": "/api/openapi.json",
                    "asyncapi": "/api/asyncapi.json",
                },
                "routes": [
                    {"route": route, "example": example, "description": what}
                    for route, example, what in self.services.routes
                ],
                "events": {
                    "client_to_server": [
                        {"event": name, "description": what} for name, what in CLIENT_EVENTS
                    ],
                    "server_to_client": [
                        {"event": name, "description": what} for name, what in SERVER_EVENTS
                    ],
                },
            }
        )


class HealthHandler(ApiHandler):
    """``/health``: a verdict with a reason for each part. Supervisors hold no key."""

    needs_key = False

    def get(self) -> None:
        """Answer 200 while the server serves, 503 when it does not."""
        wanted = self.arguments_of(HealthRequest)
        report = health_report(self.services)
        if wanted["probe"] == "live":
            self.reply({"status": "ok"}, message="The process answers.")
            return
        status = 503 if report["status"] == "down" else 200
        if wanted["probe"] == "ready":
            self.reply({"status": report["status"]}, status=status)
            return
        self.set_header("Cache-Control", "no-store")
        self.reply(report, status=status)


class MarketStatusHandler(ApiHandler):
    """``/api/market-status``."""

    def get(self) -> None:
        """Answer with the phase of each exchange."""
        wanted = self.arguments_of(StatusRequest)
        self.reply(self.services.market_status(wanted["exchange"]))


class WebsocketStatsHandler(ApiHandler):
    """``/api/websocket/stats``."""

    def get(self) -> None:
        """Answer with connections, rooms and fan-out."""
        self.no_arguments()
        self.reply(self.services.socket_statistics())


def health_report(services: Services) -> dict[str, Any]:
    """A verdict of each part and of the whole: the worst part that matters."""
    ticker, history = services.ticker, services.history.health()
    feed_verdict = {"live": "ok", "market_closed": "ok", "degraded": "degraded", "stalled": "degraded"}
    lag_ms = services.loop_lag.percentile(99) or 0.0
    parts: dict[str, dict[str, Any]] = {
        "feed": {
            "status": feed_verdict.get(ticker.state.name, "down"),
            "reason": ticker.state.reason,
            "state": ticker.state.name,
            "last_tick_age_ms": ticker.last_tick_age_ms(),
            "rate_per_s": round(ticker.rate(), 2),
        },
        "history": {
            "status": "ok" if history.state == "ok" else "degraded",
            "reason": history.reason or "Candles reach the store.",
            "queue_length": history.queue_length,
            "dropped": history.dropped,
        },
        "event_loop": {
            "status": "ok" if lag_ms < LAG_DEGRADED_MS else "degraded",
            "reason": f"Callbacks run {lag_ms:.0f} ms late at the 99th percentile.",
            "lag_p99_ms": round(lag_ms, 2),
        },
        "clients": {
            "status": "ok",
            "reason": "Clients are served.",
            "connected": services.socket_statistics()["connections"]["now"],
        },
    }
    verdicts = [part["status"] for part in parts.values()]
    status = "down" if "down" in verdicts else "degraded" if "degraded" in verdicts else "ok"
    return {
        "status": status,
        "version": services.version,
        "uptime_s": round(time.monotonic() - services.started_s, 3),
        "source": services.market.source,
        "parts": parts,
    }
