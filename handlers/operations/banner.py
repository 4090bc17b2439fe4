"""What is said once the server is up."""

from __future__ import annotations

import logging
from typing import TextIO

from feed.market.market import Market
from schemas.configuration.settings import Settings

logger = logging.getLogger("server")


def announce(
    settings: Settings, market: Market, version: str, url: str, out: TextIO | None, mock_url: str = ""
) -> None:
    """Tell that the server is up: a person in lines to read, without ``out`` the log in one."""
    if out is not None:
        out.write(banner(settings, market, version, url, mock_url) + "\n")
        out.flush()
        return
    logger.info(
        "version %s serves %s from %s: %d underlyings, %d contracts",
        version,
        market.source,
        url,
        len(market.universe.underlyings),
        market.universe.contract_count,
    )


def banner(settings: Settings, market: Market, version: str, url: str, mock_url: str = "") -> str:
    """What a person who just started the server wants to know."""
    feed, universe = settings.feed, market.universe
    is_simulated = market.source == "simulated"
    detail = f"seed {feed.seed}, hours {feed.hours}" if is_simulated else settings.replay.file
    return "\n".join(
        (
            f"Indian options market data {version}",
            f"  server     {url}/",
            f"  API        {url}/api",
            f"  WebSocket  {url}/socket.io/  (Socket.IO 4 clients)",
            f"  health     {url}/health",
            f"  docs       {url}/docs/  (routes and events: {url}/api/docs)",
            f"  front ends {', '.join(settings.server.frontend_url) or 'none'}  (FRONTEND_URL)",
            f"  feed       {market.source} ({detail})",
            *(
                [f"  Kite mock  {mock_url}/  (KiteConnect(root=…), api_key {settings.kite_mock.api_key})"]
                if mock_url
                else []
            ),
            f"  market     {len(universe.underlyings)} underlyings, {universe.contract_count:,} contracts",
        )
    )
