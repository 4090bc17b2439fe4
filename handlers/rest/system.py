"""The service itself: health, index, market status, statistics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tornado.escape import xhtml_escape

from handlers.access.rate_limit import CHEAP
from handlers.access.rules import AccessRules
from handlers.rest.base import ApiHandler
from handlers.rest.services import Services
from handlers.rest.terminal import HOW_TO_GET_IT, WebFile, send_file
from schemas.documents.routes import ROUTES
from schemas.events import CLIENT, SERVER
from schemas.requests.queries import HealthRequest, StatusRequest

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Indian options market data</title>
<style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}}
a{{color:#0b5cad;overflow-wrap:anywhere}}
code{{background:#f2f4f7;padding:.1em .3em;border-radius:.2em}}
table{{border-collapse:collapse;width:100%}}
td{{padding:.3em .6em .3em 0;vertical-align:top;border-top:1px solid #e3e6ea}}
@media(max-width:40rem){{td{{display:block;padding:.4em 0 0}}td+td{{border:0;padding:0 0 .4em}}}}
</style></head><body><h1>Indian options market data</h1>
<p>Version {version}, source <b>{source}</b>. REST answers are JSON; live streams are Socket.IO on
<code>/socket.io/</code>.</p>{word}<table>{rows}</table></body></html>"""


ICON = (Path(__file__).parent / "favicon.ico").read_bytes()


def link_from(page: str, target: str) -> str:
    """A path of this server as seen from another, so that it holds behind a proxy's prefix too."""
    return "../" * (page.count("/") - 1) + target[1:] or "./"


class IndexPageHandler(ApiHandler):
    """``/``: the terminal where it is built, else a page that links to what there is."""

    needs_key = False
    cost = CHEAP

    def initialize(  # type: ignore[override]
        self, services: Services, access: AccessRules, files: Mapping[str, WebFile], has_terminal: bool
    ) -> None:
        """Take the terminal's files, whether it is wanted, and the parts of every handler."""
        super().initialize(services, access)
        self.files, self.has_terminal = files, has_terminal

    def get(self) -> None:
        """Answer with the page."""
        page = self.files.get("index.html")
        if page is not None:
            self.set_header("Cache-Control", "no-cache")
            send_file(self, page)
            return
        rows = "".join(
            f'<tr><td><a href="{xhtml_escape(link_from("/", item.example))}">{xhtml_escape(item.path)}</a>'
            f"</td><td>{xhtml_escape(item.what)}</td></tr>"
            for item in ROUTES
        )
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_page_headers()
        services = self.services
        word = f"<p>{HOW_TO_GET_IT}</p>" if self.has_terminal else ""
        self.finish(
            PAGE.format(version=services.version, source=services.market.source, rows=rows, word=word)
        )


class IconHandler(ApiHandler):
    """``/favicon.ico``, which every browser asks for."""

    needs_key = False
    cost = CHEAP

    def get(self) -> None:
        """Answer with the icon."""
        self.cache_reference_data()
        self.set_header("Content-Type", "image/x-icon")
        self.finish(ICON)


class ApiIndexHandler(ApiHandler):
    """``/api``: what there is."""

    cost = CHEAP

    def get(self) -> None:
        """Answer with name, version, routes and events."""
        self.no_arguments()
        self.cache_reference_data()
        here = self.request.path
        self.reply(
            {
                "name": "Indian options market data",
                "version": self.services.version,
                "links": {
                    "health": link_from(here, "/health"),
                    "socket": link_from(here, "/socket.io/"),
                    "docs": link_from(here, "/api/docs"),
                    "openapi": link_from(here, "/api/openapi.json"),
                    "asyncapi": link_from(here, "/api/asyncapi.json"),
                },
                "routes": [
                    {"route": item.path, "example": link_from(here, item.example), "description": item.what}
                    for item in ROUTES
                ],
                "events": {
                    "client_to_server": [
                        {"event": name, "description": event.what} for name, event in CLIENT.items()
                    ],
                    "server_to_client": [
                        {"event": name, "description": event.what} for name, event in SERVER.items()
                    ],
                },
            }
        )


class HealthHandler(ApiHandler):
    """``/health``: a verdict with a reason for each part. Supervisors hold no key."""

    needs_key = False
    cost = CHEAP

    def cost_of_request(self) -> float:
        """Nothing for a probe: a supervisor may share its address with somebody who asks too often."""
        return 0.0 if self.get_query_argument("probe", "") in ("live", "ready") else self.cost

    def get(self) -> None:
        """Answer 200 while the server serves, 503 when it does not."""
        query = self.arguments_of(HealthRequest)
        self.set_header("Cache-Control", "no-store")
        if query.probe == "live":
            self.reply({"status": "ok"}, message="The process answers.")
            return
        services = self.services
        report = services.health.report()
        status = 503 if report.status == "down" else 200
        if query.probe == "ready":
            self.reply({"status": report.status}, status=status)
            return
        parts = {
            name: {"status": part.status, "reason": part.reason, **part.figures}
            for name, part in report.parts.items()
        }
        whole = {
            "status": report.status,
            "version": services.version,
            "uptime_s": round(time.monotonic() - services.started_s, 3),
            "source": services.market.source,
            "parts": parts,
        }
        self.reply(whole, status=status)


class MarketStatusHandler(ApiHandler):
    """``/api/market-status``."""

    cost = CHEAP

    def get(self) -> None:
        """Answer with the phase of each exchange."""
        query = self.arguments_of(StatusRequest)
        self.reply(self.services.status.phases(query.exchange))


class WebsocketStatsHandler(ApiHandler):
    """``/api/websocket/stats``."""

    cost = CHEAP

    def get(self) -> None:
        """Answer with connections, rooms and fan-out."""
        self.no_arguments()
        self.reply(self.services.socket_statistics())
