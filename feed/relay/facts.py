"""What feed and edges must agree on."""

from __future__ import annotations

from pathlib import Path

from feed.market.epoch import contents, data_files, digest
from feed.market.market import Market
from feed.relay.records import Facts


def facts_of(market: Market, calendar_override: str) -> Facts:
    """The facts that this process goes by."""
    return Facts(
        tuple(market.universe.row_of),
        digest(contents(*data_files())),
        digest(contents(Path(calendar_override))) if calendar_override else "",
        market.interest_rate,
        market.stale_after_ms,
    )
