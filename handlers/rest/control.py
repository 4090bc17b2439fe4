"""Control of the feed at run time; only where the operator allows it."""

from __future__ import annotations

import logging

from marshmallow import ValidationError

from domain.errors import ErrorCode
from domain.market import Role
from feed.market.source import Simulated
from feed.replay.control import OutsideRecording, ReplayControl
from handlers.access.errors import ApiError
from handlers.rest.base import ApiHandler
from schemas.control import ReplayRequest, ReplaySchema, ScenarioRequest, ScenarioStateSchema

logger = logging.getLogger(__name__)

_replay = ReplaySchema()
_scenario = ScenarioStateSchema()


class ControlHandler(ApiHandler):
    """Answers as if it were not there unless ``feed.control`` is set."""

    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "OPTIONS")

    def check_allowed(self) -> None:
        """Refuse where control is not enabled, and whoever may not. Raises NOT_FOUND, UNAUTHORIZED."""
        if not self.services.may_control:
            raise ApiError(
                ErrorCode.NOT_FOUND, "Control is off here: the operator sets feed.control to allow it."
            )
        self.access.check_controller(self.key, self.request)

    def at_feed(self) -> None:
        """Refuse what the feed does, where this process serves a market that it does not make."""
        relay = self.services.health.relay
        if relay is not None and relay.role == Role.EDGE:
            raise ApiError(
                ErrorCode.CONFLICT, "This is an edge: the feed steers the market, so ask it instead."
            )

    def log_done(self, what: str) -> None:
        """Say in the log who changed what everybody sees."""
        about = {"request_id": self.request_id, "key": self.key.name if self.key is not None else None}
        logger.info("the feed was steered: %s", what, extra=about)


class ReplayHandler(ControlHandler):
    """``/api/replay``."""

    def get(self) -> None:
        """Answer with where the replay stands."""
        self.no_arguments()
        self._answer(self._control())

    async def post(self) -> None:
        """Pause, resume, seek or set the speed."""
        self.no_arguments()
        control = self._control()
        self.check_allowed()
        order = self.body_of(ReplayRequest)
        if order.at is not None:
            try:
                await self.within_time(control.seek(order.at))
            except OutsideRecording as error:
                raise ValidationError({"at": [str(error)]}) from None
        elif order.speed is not None:
            control.set_speed(order.speed)
        elif order.action == "pause":
            control.pause()
        else:
            control.resume()
        self.log_done(order.action)
        self._answer(control)

    def _control(self) -> ReplayControl:
        self.at_feed()
        if self.services.replay is None:
            source = self.services.market.source
            raise ApiError(ErrorCode.NOT_FOUND, f"There is no replay here: the source is {source}.")
        return self.services.replay

    def _answer(self, control: ReplayControl) -> None:
        self.set_header("Cache-Control", "no-store")
        self.reply(_replay.dump(control.state()))


class ScenarioHandler(ControlHandler):
    """``/api/simulation/scenario``."""

    def get(self) -> None:
        """Answer with the scenario of the simulated market."""
        self.no_arguments()
        self._answer(self._simulation())

    async def post(self) -> None:
        """Go over to another scenario."""
        self.no_arguments()
        simulation = self._simulation()
        self.check_allowed()
        body = self.body_of(ScenarioRequest)
        simulation.set_scenario(body.scenario, self.services.clock.now_ms())
        await self.services.ticker.diverge(f"scenario {body.scenario}")
        self.log_done(f"scenario {body.scenario}")
        await self.services.notify_feed()
        self._answer(simulation)

    def _simulation(self) -> Simulated:
        self.at_feed()
        if self.services.simulated is None:
            source = self.services.market.source
            raise ApiError(ErrorCode.NOT_FOUND, f"There is no simulated market here: the source is {source}.")
        return self.services.simulated

    def _answer(self, simulation: Simulated) -> None:
        self.set_header("Cache-Control", "no-store")
        self.reply(_scenario.dump({"scenario": simulation.scenario, "scenarios": simulation.SCENARIOS}))
