"""A feed that waits for the lease, and holds the market warm meanwhile, as an edge does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import numpy as np

from feed.history.previous_run import PreviousRun
from feed.history.recorder import Remembered
from feed.market.market import NEVER_MS, Market
from feed.relay.codec import RecordError
from feed.relay.follower import Follower
from feed.relay.source import RelaySource


@dataclass(frozen=True, slots=True)
class Warm:
    """Where another feed left a market: its prices, and what is remembered of its past."""

    previous_run: PreviousRun
    remembered: Remembered


async def follow(source: RelaySource, follower: Follower) -> None:
    """Apply and count what is received, until it is cancelled."""
    arrived = asyncio.Event()
    follower.on_received = arrived.set
    while True:
        arrived.clear()
        while (now_ms := source.clock.due()) is not None:
            for at_ms in source.stops(now_ms):
                try:
                    source.advance(at_ms)
                except RecordError:
                    break  # the follower waits for an image now
                source.record(at_ms)
        await arrived.wait()


def warm(source: RelaySource) -> Warm:
    """What a feed that begins to lead goes on from."""
    return Warm(previous_run_of(source.market), source.remembered())


def previous_run_of(market: Market) -> PreviousRun:
    """The underlyings as a market has them now."""
    prices = {name: values.copy() for name, values in market.underlyings.items()}
    is_known = market.symbol_positions.as_of_ms != NEVER_MS
    until_ms = np.where(is_known, market.last_input_ms, 0)
    return PreviousRun(until_ms, **prices)
