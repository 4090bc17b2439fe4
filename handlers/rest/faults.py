"""``/api/simulation/faults``: bring about what a front end has to live with, for a while."""

from __future__ import annotations

from typing import Any

from domain.errors import ErrorCode
from domain.market import FaultKind
from feed.market.faults import Fault, NoSuchPart
from handlers.access.errors import ApiError
from handlers.rest.control import ControlHandler
from schemas.control import FaultQuery, FaultRequest, FaultsSchema

_faults = FaultsSchema()
DEFAULT_LATENCY_MS = 1000


class FaultsHandler(ControlHandler):
    """What is in force; POST begins one, DELETE ends all or those of a kind."""

    methods = ("GET", "HEAD", "POST", "DELETE", "OPTIONS")

    def get(self) -> None:
        """Answer with what is in force, and what there is to choose from."""
        kind = self.arguments_of(FaultQuery).kind
        self._answer([fault for fault in self.services.faults.in_force() if kind in (None, fault.kind)])

    def post(self) -> None:
        """Begin one."""
        self.no_arguments()
        self.check_allowed()
        order = self.body_of(FaultRequest)
        symbol, expiry = order.symbol, order.expiry
        if order.kind == FaultKind.STALE_CHAIN:
            symbol, expiry = self.services.market.universe.listing(order.symbol or "", order.expiry).key
        is_latency = order.kind == FaultKind.LATENCY
        latency_ms = round(order.latency_ms or DEFAULT_LATENCY_MS) if is_latency else None
        try:
            begun = self.services.faults.begin(
                FaultKind(order.kind),
                order.seconds,
                symbol=symbol,
                expiry=expiry,
                latency_ms=latency_ms,
                socket=order.socket,
            )
        except NoSuchPart as error:
            raise ApiError(ErrorCode.NOT_FOUND, str(error)) from None
        self.log_done(f"fault {begun.kind} for {order.seconds:g} s")
        self._answer(list(dict.fromkeys([begun, *self.services.faults.in_force()])))

    def delete(self) -> None:
        """End all, or those of a kind."""
        kind = self.arguments_of(FaultQuery).kind
        self.check_allowed()
        left = self.services.faults.end(None if kind is None else FaultKind(kind))
        self.log_done(f"faults ended: {kind or 'all'}")
        self._answer(left)

    def is_late(self) -> bool:
        """Never: whoever ends a fault is not to wait for it."""
        return False

    def _answer(self, faults: list[Fault]) -> None:
        self.set_header("Cache-Control", "no-store")
        offered: list[Any] = sorted(self.services.faults.offered)
        self.reply(_faults.dump({"faults": faults, "kinds": offered}))
