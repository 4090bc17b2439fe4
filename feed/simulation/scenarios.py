"""Scenarios: what the market is told to go through, as smooth changes of the generator's parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.market import ScenarioName
from feed.simulation.factors import Effects
from feed.simulation.step_context import ScenarioEffect


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the generator's parameters differ from their usual values.

    ``move``: log return that the market is to make, fading over ``move_minutes``; ``trend``: log return per
    day of trading; ``gap``: log return at the next open; ``implied_shift``: log volatility level against
    the long run; ``halt_at``: change on the day at which shares stop trading; ``pin``: how strongly a round
    strike draws the market; the others as in `Effects` and `ScenarioEffect`.
    """

    move: float = 0.0
    move_minutes: float = 20.0
    trend: float = 0.0
    volatility: float = 1.0
    jumps: float = 1.0
    implied_shift: float | None = None
    spread: float = 1.0
    size: float = 1.0
    volume: float = 1.0
    one_sided: float = 0.0
    gap: float = 0.0
    halt_at: float | None = None
    pin: float = 0.0


SCENARIOS: dict[str, Scenario] = {
    ScenarioName.CALM: Scenario(),
    ScenarioName.TREND_UP: Scenario(trend=0.02, volatility=0.8),
    ScenarioName.TREND_DOWN: Scenario(trend=-0.02, volatility=1.1),
    ScenarioName.CRASH: Scenario(
        move=-0.06,
        move_minutes=25,
        volatility=2.2,
        jumps=4.0,
        implied_shift=0.75,
        spread=2.5,
        size=0.5,
        volume=2.5,
    ),
    ScenarioName.RALLY: Scenario(
        move=0.035, move_minutes=30, volatility=1.3, implied_shift=-0.15, volume=1.7
    ),
    ScenarioName.VOL_CRUSH: Scenario(volatility=0.6, jumps=0.3, implied_shift=-0.45, volume=0.8),
    ScenarioName.EXPIRY_DAY: Scenario(volatility=1.15, volume=2.5, pin=1.0),
    ScenarioName.GAP_OPEN: Scenario(gap=-0.018, volatility=1.3, jumps=1.5, spread=1.3, volume=1.3),
    ScenarioName.ILLIQUID: Scenario(volatility=0.8, spread=4.0, size=0.3, volume=0.1, one_sided=0.3),
    ScenarioName.CIRCUIT_HALT: Scenario(
        move=-0.115,
        move_minutes=6,
        volatility=2.0,
        jumps=2.0,
        implied_shift=0.9,
        spread=3.0,
        size=0.4,
        halt_at=-0.10,
    ),
}

_SMOOTHING_MINUTES = 1.5
_IMPLIED_MINUTES = 15.0
HALT_MS = 45 * 60_000
_PIN_RATE = 40.0  # per day of variance: a round strike draws the market, hard enough to hold it there


class ScenarioState:
    """The scenario in force and how far the market has gone into it."""

    def __init__(self, name: str) -> None:
        self._now = Scenario()
        self.halted_until_ms = -1
        self.choose(name)
        self._now = self._target

    def choose(self, name: str) -> None:
        """Go over to another scenario from here; raises ValueError where none has that name."""
        self._target = find(name)
        self.name = name
        self._move_left = self._target.move
        self._gap_left = self._target.gap
        self.halted_until_ms = -1
        self._may_halt = self._target.halt_at is not None

    def step(
        self, minutes: float, days: float, *, opens: bool, log_price: float, strike_step: float
    ) -> Effects:
        """Effects on a step of ``minutes``, ``days`` of share-market variance.

        ``opens``: the session begins in it; ``log_price`` and ``strike_step`` are the benchmark's.
        """
        self._blend(float(-np.expm1(-minutes / _SMOOTHING_MINUTES)))
        move = self._move_left * float(-np.expm1(-minutes / self._target.move_minutes)) if days > 0 else 0.0
        self._move_left -= move
        if opens:
            move += self._gap_left
            self._gap_left = 0.0
        move += self._now.trend * days + self._pull(days, log_price, strike_step)
        shift = self._target.implied_shift
        return Effects(
            market_move=move,
            volatility=self._now.volatility,
            jumps=self._now.jumps,
            implied_target=shift or 0.0,
            implied_pull=0.0 if shift is None else float(-np.expm1(-minutes / _IMPLIED_MINUTES)),
        )

    def _pull(self, days: float, log_price: float, strike_step: float) -> float:
        if not self._now.pin:
            return 0.0
        price, spacing = float(np.exp(log_price)), 2.0 * strike_step
        away = log_price - float(np.log(round(price / spacing) * spacing))
        return away * float(np.expm1(-_PIN_RATE * self._now.pin * days))

    def watch(self, now_ms: int, change: float) -> None:
        """Halt the share market when the benchmark's change on the day passes the circuit."""
        limit = self._target.halt_at
        if self._may_halt and limit is not None and change <= limit:
            self._may_halt = False
            self._move_left = 0.0
            self.halted_until_ms = now_ms + HALT_MS

    def is_halted(self, now_ms: int) -> bool:
        """Whether the share market stands still."""
        return now_ms < self.halted_until_ms

    def begin_day(self) -> None:
        """A halt does not outlast the day."""
        self.halted_until_ms = -1

    def effect(self) -> ScenarioEffect:
        """How contracts trade now."""
        now = self._now
        return ScenarioEffect(spread=now.spread, size=now.size, volume=now.volume, one_sided=now.one_sided)

    def _blend(self, part: float) -> None:
        """Go that part of the way to the figures of the scenario chosen."""
        now, target = self._now, self._target
        mixed = {
            name: getattr(now, name) ** (1.0 - part) * getattr(target, name) ** part
            for name in ("volatility", "jumps", "spread", "size", "volume")
        }
        sums = {
            name: getattr(now, name) + part * (getattr(target, name) - getattr(now, name))
            for name in ("trend", "one_sided", "pin")
        }
        self._now = Scenario(**mixed, **sums)


def find(name: str) -> Scenario:
    """The scenario of a name; raises ValueError."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise ValueError(f"scenario must be one of {', '.join(SCENARIOS)}, was {name!r}") from None
