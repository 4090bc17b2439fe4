"""Faults on purpose: what a front end has to live with, brought about for a while and taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from domain.market import ONE_TIME_FAULTS, FaultKind
from feed.market.market import NEVER_MS
from feed.market.source import Update
from feed.market.universe import Universe


@dataclass(frozen=True, slots=True)
class Fault:
    """What is in force and until when, by the market's clock; of a chain its name, of latency how much.

    ``socket`` is the number of the one of the Kite mock's that it befalls, in order of their coming.
    """

    kind: FaultKind
    since_ms: int
    until_ms: int
    symbol: str | None = None
    expiry: date | None = None
    latency_ms: int | None = None
    socket: int | None = None


class DeliberateFault(ConnectionError):
    """What a source raises while it is down on purpose."""


class NoSuchPart(LookupError):
    """A fault of a part that does not run here."""


class Faults:
    """Those in force; one of each kind, a stale chain for each listing.

    ``actions`` are what those do that happen once. Kinds without an action, and those that nobody looks at
    here, are not ``offered``.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self.actions: dict[FaultKind, Callable[[Fault], None]] = {}
        self.offered: set[FaultKind] = set()
        self._now_ms = now_ms
        self._begun: dict[tuple[object, ...], Fault] = {}

    def begin(
        self,
        kind: FaultKind,
        seconds: float,
        *,
        symbol: str | None = None,
        expiry: date | None = None,
        latency_ms: int | None = None,
        socket: int | None = None,
    ) -> Fault:
        """Bring one about. Raises NoSuchPart."""
        if kind not in self.offered:
            raise NoSuchPart(f"There is nothing here that {kind} could befall.")
        now_ms = self._now_ms()
        is_once = kind in ONE_TIME_FAULTS
        until_ms = now_ms if is_once else now_ms + round(1000 * seconds)
        fault = Fault(kind, now_ms, until_ms, symbol, expiry, latency_ms, socket)
        if not is_once:
            self._begun[kind, symbol, expiry] = fault
        if kind in self.actions:
            self.actions[kind](fault)
        return fault

    def in_force(self) -> list[Fault]:
        """All that are, by their beginning."""
        if not self._begun:
            return []
        now_ms = self._now_ms()
        self._begun = {key: fault for key, fault in self._begun.items() if fault.until_ms > now_ms}
        return list(self._begun.values())

    def on(self, kind: FaultKind) -> Fault | None:
        """The one of a kind, if it is in force."""
        return next((fault for fault in self.in_force() if fault.kind == kind), None)

    def end(self, kind: FaultKind | None = None) -> list[Fault]:
        """Take back all, or those of a kind; returns what is in force after that."""
        self._begun = {
            key: fault for key, fault in self._begun.items() if kind is not None and fault.kind != kind
        }
        return self.in_force()

    def befall(self, update: Update, universe: Universe) -> Update:
        """An update without what stale chains would have been told."""
        keys = {
            (fault.symbol, fault.expiry) for fault in self.in_force() if fault.kind == FaultKind.STALE_CHAIN
        }
        told = update.universe or universe
        dead = [listing.row for listing in told.listings if listing.key in keys]
        return update if not dead else _without(update, told, dead)


def _without(update: Update, universe: Universe, dead: list[int]) -> Update:
    heard_ms = update.heard_ms
    if heard_ms is not None:
        heard_ms = heard_ms.copy()
        heard_ms[dead] = NEVER_MS
    if not update.contracts:
        return replace(update, heard_ms=heard_ms)
    rows = update.contract_rows if update.contract_rows is not None else np.arange(universe.contract_count)
    lives = ~np.isin(universe.listing_row[rows], dead)
    contracts: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {
        name: values[lives] for name, values in update.contracts.items()
    }
    spread = update.contract_range
    if spread is not None:
        spread = replace(spread, first=spread.first[lives], high=spread.high[lives], low=spread.low[lives])
    times_ms = update.contract_times_ms
    return replace(
        update,
        contracts=contracts,
        contract_rows=rows[lives],
        contract_range=spread,
        contract_times_ms=None if times_ms is None else times_ms[lives],
        heard_ms=heard_ms,
    )
