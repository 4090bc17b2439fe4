"""A live source of the broker that settings name."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.market import MarketHours, SourceName
from domain.refusals import StartError
from feed.live import dhan, kite
from feed.live.broker import Broker
from feed.live.missed import KeepsMinutes
from feed.live.source import KnowsPreviousInterest, LiveSource
from feed.market.clock import Clock
from feed.reference.instruments import Catalogue
from schemas.configuration.settings import DHAN_ROOT_URL, KITE_ROOT_URL, Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """How a broker is entered: what identifies the user, the real address, and how it is made."""

    identity: Callable[[Settings], str]
    identity_name: str
    is_real: Callable[[Settings], bool]
    make: Callable[[Settings], Broker]
    names: Mapping[str, str]  # symbols of ours that are other names at the broker's


def _kite(settings: Settings) -> Broker:
    of = settings.kite
    return kite.KiteBroker(
        kite.KiteAccount(
            of.api_key,
            of.access_token,
            Path(of.token_file),
            of.root_url,
            of.ticker_url,
            of.sockets,
            of.tokens_per_socket,
        )
    )


def _dhan(settings: Settings) -> Broker:
    of = settings.dhan
    return dhan.DhanBroker(
        dhan.DhanAccount(
            of.client_id,
            of.access_token,
            Path(of.token_file),
            of.root_url,
            of.feed_url,
            of.instruments_url,
            of.sockets,
            of.instruments_per_socket,
        )
    )


LIVE_SOURCES = {
    SourceName.KITE: Entry(
        lambda settings: settings.kite.api_key,
        "kite.api_key (KITE_API_KEY)",
        lambda settings: settings.kite.root_url == KITE_ROOT_URL,
        _kite,
        kite.NAMES,
    ),
    SourceName.DHAN: Entry(
        lambda settings: settings.dhan.client_id,
        "dhan.client_id (DHAN_CLIENT_ID)",
        lambda settings: settings.dhan.root_url == DHAN_ROOT_URL,
        _dhan,
        dhan.NAMES,
    ),
}


def connect(
    settings: Settings,
    catalogue: Catalogue,
    clock: Clock,
    chance: random.Random,
    previous_interest: KnowsPreviousInterest,
    keep_minutes: KeepsMinutes,
) -> LiveSource:
    """A source that listens once it is opened. Raises StartError for settings that make no live market."""
    name = SourceName(settings.feed.source)
    entry = LIVE_SOURCES[name]
    if not entry.identity(settings):
        raise StartError(f"feed.source is {name}, so {entry.identity_name} must be set.")
    if settings.feed.hours == MarketHours.ALWAYS and entry.is_real(settings):
        raise StartError(f"feed.source is {name}, so feed.hours must be exchange: a live market closes.")
    if clock.virtual is not None and entry.is_real(settings):
        raise StartError(f"feed.source is {name}, so feed.start must be empty and feed.speed 1.")
    return LiveSource(
        entry.make(settings),
        catalogue,
        names=entry.names,
        now_ms=clock.now_ms,
        chance=chance,
        previous_interest=previous_interest,
        keep_minutes=keep_minutes,
    )
