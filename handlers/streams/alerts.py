"""Alerts: what clients want to be told once a figure passes a threshold.

A figure is looked at once a publication however many alerts watch it, and is what REST and the streams show
at that moment. One that is stale or not known fires nothing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from domain.alerts import OF_A_STRIKE, AlertField, Condition
from feed.market.guard import Guard
from feed.market.market import FeedUnavailable, Market
from feed.market.universe import Listing, NothingListed
from feed.reference.instruments import UnknownContract, UnknownExpiry
from handlers.streams.rooms import Client
from handlers.streams.views import Views
from handlers.transport.frames import Packet
from schemas.requests.events import AlertChoice
from schemas.wire import encode, timestamp

FIGURES_A_TURN = 48  # a few milliseconds


@dataclass(frozen=True, slots=True)
class Figure:
    """What is watched: without an expiry that of the nearest one, whichever that is."""

    symbol: str
    expiry: date | None
    strike: float | None
    field: AlertField


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure as it is published, NaN where it is not known, and the time of its newest input."""

    value: float
    as_of_ms: int
    is_stale: bool = False
    expiry: date | None = None


@dataclass(slots=True)
class Alert:
    """One client's."""

    alert_id: str
    client: Client
    figure: Figure
    condition: Condition
    repeat: bool
    origin: float = 0.0  # of a move: where it counts from
    told: list[Packet] = field(default_factory=list)  # fired, and not read yet

    def describe(self) -> dict[str, Any]:
        """As it was asked for."""
        figure, condition = self.figure, self.condition
        return {
            "alert_id": self.alert_id,
            "symbol": figure.symbol,
            "expiry": figure.expiry,
            "strike": figure.strike,
            "field": figure.field,
            "op": condition.op,
            "threshold": condition.value,
            "hysteresis": condition.hysteresis,
            "repeat": self.repeat,
        }


class Alerts:
    """Those of all clients, by what they watch."""

    def __init__(self, views: Views, guard: Guard) -> None:
        self._views = views
        self._market: Market = views.market
        self._guard = guard
        self.of_figure: dict[Figure, dict[str, Alert]] = {}
        self.of_client: dict[str, dict[str, Alert]] = {}
        self._numbers = itertools.count(1)
        self._pending: dict[str, Alert] = {}

    def count(self, client: Client) -> int:
        """How many a client has."""
        return len(self.of_client.get(client.sid, ()))

    def of(self, client: Client) -> list[dict[str, Any]]:
        """What a client has asked to be told, in the order it asked."""
        return [alert.describe() for alert in self.of_client.get(client.sid, {}).values()]

    def add(self, client: Client, choice: AlertChoice) -> dict[str, Any]:
        """Watch; the answer has the figure as it is now. Raises the look-up errors, and FeedUnavailable."""
        strike = self._at_the_money(choice) if choice.strike is None else choice.strike
        figure = Figure(choice.symbol, choice.expiry, strike, choice.field)
        reading = self._read(figure)
        number = next(self._numbers)
        alert = Alert(f"a{number}", client, figure, choice.condition(), choice.repeat)
        if figure.field == AlertField.MAX_PAIN_MOVE:
            alert.origin, reading = reading.value, Reading(0.0, reading.as_of_ms, expiry=reading.expiry)
        self.of_figure.setdefault(figure, {})[alert.alert_id] = alert
        self.of_client.setdefault(client.sid, {})[alert.alert_id] = alert
        return {**alert.describe(), **_told(reading)}

    def _at_the_money(self, choice: AlertChoice) -> float | None:
        """The strike that is nearest the spot now, for a figure that is of a strike."""
        if choice.field not in OF_A_STRIKE:
            return None
        strikes = self._market.universe.listing(choice.symbol, choice.expiry).strikes
        spot = self._market.quote(choice.symbol).last_price
        return float(strikes[np.argmin(np.abs(strikes - spot))])

    def remove(self, client: Client, alert_id: str) -> bool:
        """Watch no more; whether it was watched."""
        alert = self.of_client.get(client.sid, {}).get(alert_id)
        if alert is not None:
            self._forget(alert)
        return alert is not None

    def leave(self, sid: str) -> None:
        """Forget those of a client that went."""
        for alert in list(self.of_client.get(sid, {}).values()):
            self._forget(alert)

    async def publish(self, now_ms: int, pause: Callable[[], Awaitable[None]]) -> None:
        """Look at every figure that is watched, and tell whose alert fires; others get their turn between."""
        watched = self.by_valuation()
        for first in range(0, len(watched), FIGURES_A_TURN):
            figures = watched[first : first + FIGURES_A_TURN]
            with self._guard.part("alerts"):
                self._views.value_dashboards(filter(None, map(self._valued, figures)))
            for figure in figures:
                with self._guard.part("alerts"):
                    self._look(figure, now_ms)
            await pause()
        for alert in list(self._pending.values()):
            with self._guard.part("alerts"):
                self._deliver(alert)

    def by_valuation(self) -> list[Figure]:
        """All that is watched, those of one underlying together."""
        return sorted(self.of_figure, key=lambda figure: figure.symbol)

    def _valued(self, figure: Figure) -> Listing | None:
        """The listing whose dashboard has the figure, if it is one of those that know anything."""
        if figure.field == AlertField.SPOT_PRICE or figure.field in OF_A_STRIKE:
            return None
        try:
            listing = self._market.universe.listing(figure.symbol, figure.expiry)
        except (UnknownExpiry, NothingListed):
            return None
        return listing if self._market.knows(listing) else None

    def _look(self, figure: Figure, now_ms: int) -> None:
        watching = list(self.of_figure.get(figure, {}).values())
        try:
            reading = self._read(figure)
        except FeedUnavailable:
            return
        except (UnknownExpiry, UnknownContract, NothingListed):
            for alert in watching:
                self.end(alert, now_ms)
            return
        if reading.is_stale:
            return
        for alert in watching:
            value = reading.value
            if figure.field == AlertField.MAX_PAIN_MOVE:
                value = abs(value - alert.origin)
            if alert.condition.observe(value):
                self._fire(alert, Reading(value, reading.as_of_ms, expiry=reading.expiry))

    def _fire(self, alert: Alert, reading: Reading) -> None:
        payload = {**alert.describe(), **_told(reading), "status": "fired"}
        alert.told.append(Packet("alert", encode(payload)))
        if not alert.repeat:
            self._forget(alert)
        self._pending[alert.alert_id] = alert

    def end(self, alert: Alert, now_ms: int) -> None:
        """Its contracts have expired, or are listed no more."""
        told = {"value": None, "as_of": timestamp(now_ms), "status": "ended"}
        alert.told.append(Packet("alert", encode({**alert.describe(), **told})))
        self._forget(alert)
        self._pending[alert.alert_id] = alert

    def _deliver(self, alert: Alert) -> None:
        """Send what fired, once the client has read what it was sent before."""
        if alert.client.is_backed_up and not alert.client.socket.closed:
            return
        del self._pending[alert.alert_id]
        packets, alert.told = alert.told, []
        if not alert.client.socket.closed:
            for packet in packets:
                alert.client.send(packet)

    def _forget(self, alert: Alert) -> None:
        for table, key in ((self.of_figure, alert.figure), (self.of_client, alert.client.sid)):
            alerts: dict[str, Alert] = table[key]  # type: ignore[index]
            del alerts[alert.alert_id]
            if not alerts:
                del table[key]  # type: ignore[arg-type]

    def _read(self, figure: Figure) -> Reading:
        if figure.field == AlertField.SPOT_PRICE:
            quote = self._market.quote(figure.symbol)
            provenance = quote.provenance
            return Reading(quote.last_price, provenance.as_of_ms, provenance.stale)
        listing = self._market.universe.listing(figure.symbol, figure.expiry)
        provenance = self._market.chain_provenance(listing)
        return Reading(
            _READ[figure.field](self, figure, listing),
            provenance.as_of_ms,
            provenance.stale,
            listing.expiry.day,
        )

    def _of_dashboard(self, name: str, listing: Listing) -> float:
        value = self._views.dashboard(listing).values[name]
        return math.nan if value is None else float(value)

    def _interest_change(self, figure: Figure, listing: Listing) -> float:
        assert figure.strike is not None
        place = listing.strike_index(figure.strike)
        legs = self._market.legs(listing)
        side = 0 if figure.field == AlertField.CE_OI_CHANGE else 1
        now, before = (legs[name][side, place] for name in ("open_interest", "previous_open_interest"))
        return float(now - before)


_READ: dict[AlertField, Callable[[Alerts, Figure, Listing], float]] = {
    AlertField.PCR_OI: lambda alerts, _, listing: alerts._of_dashboard("pcr_oi", listing),
    AlertField.ATM_IV: lambda alerts, _, listing: alerts._of_dashboard("atm_iv", listing),
    AlertField.MAX_PAIN: lambda alerts, _, listing: alerts._of_dashboard("max_pain", listing),
    AlertField.MAX_PAIN_MOVE: lambda alerts, _, listing: alerts._of_dashboard("max_pain", listing),
    AlertField.CE_OI_CHANGE: Alerts._interest_change,
    AlertField.PE_OI_CHANGE: Alerts._interest_change,
}


def _told(reading: Reading) -> dict[str, Any]:
    value = None if math.isnan(reading.value) else reading.value
    return {"value": value, "as_of": timestamp(reading.as_of_ms), "expiry": reading.expiry}
