"""Scenarios: what the market is told to go through, as smooth changes of the generator's parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from feed.simulation.chains import Mood
from feed.simulation.factors import Effects


@dataclass(frozen=True, slots=True)
class Scenario:
    """``move``: log return the market is to make, spread over ``move_minutes`` (exponentially fading);
    ``trend`` a log return per day of trading; the other figures as in `Effects` and `Mood`.
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
    "calm": Scenario(),
    "trend_up": Scenario(trend=0.02, volatility=0.8),
    "trend_down": Scenario(trend=-0.02, volatility=1.1),
    "crash": Scenario(
        move=-0.06,
        move_minutes=25,
        volatility=2.2,
        jumps=4.0,
        implied_shift=0.75,
        spread=2.5,
        size=0.5,
        volume=2.5,
    ),
    "rally": Scenario(move=0.035, move_minutes=30, volatility=1.3, implied_shift=-0.15, volume=1.7),
    "vol_crush": Scenario(volatility=0.6, jumps=0.3, implied_shift=-0.45, volume=0.8),
    "expiry_day": Scenario(volatility=1.15, volume=2.5, pin=1.0),
    "gap_open": Scenario(gap=-0.018, volatility=1.3, jumps=1.5, spread=1.3, volume=1.3),
    "illiquid": Scenario(volatility=0.8, spread=4.0, size=0.3, volume=0.1, one_sided=0.3),
    "circuit_halt": Scenario(
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


class ScenarioState:
    """The scenario in force and how far the market has gone into it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._target = find(name)
        self._move_left = self._target.move
        self._now = Scenario(
            volatility=self._target.volatility,
            jumps=self._target.jumps,
            spread=self._target.spread,
            size=self._target.size,
            volume=self._target.volume,
            one_sided=self._target.one_sided,
            trend=self._target.trend,
        )
        self.gap = self._target.gap

    def choose(self, name: str) -> None:
        """Go over to another scenario from here."""
        self._target = find(name)
        self.name = name
        self._move_left = self._target.move
        self.gap = self._target.gap

    @property
    def halt_at(self) -> float | None:
        """The market's change on the day at which trading halts."""
        return self._target.halt_at

    def step(self, minutes: float, days: float) -> Effects:
        """Effects on a step of ``minutes``, ``days`` of share-market variance."""
        blend = -np.expm1(-minutes / _SMOOTHING_MINUTES)
        self._now = self._blended(float(blend))
        part = float(-np.expm1(-minutes / self._target.move_minutes))
        move = self._move_left * part
        self._move_left -= move
        shift = self._target.implied_shift
        return Effects(
            market_move=move + self._now.trend * days,
            volatility=self._now.volatility,
            jumps=self._now.jumps,
            implied_target=shift or 0.0,
            implied_pull=0.0 if shift is None else float(-np.expm1(-minutes / 15.0)),
        )

    def mood(self) -> Mood:
        """How contracts trade now."""
        now = self._now
        return Mood(spread=now.spread, size=now.size, volume=now.volume, one_sided=now.one_sided)

    def _blended(self, part: float) -> Scenario:
        now, target = self._now, self._target

        def log_blend(old: float, new: float) -> float:
            return float(old ** (1 - part) * new**part)

        return Scenario(
            trend=now.trend + part * (target.trend - now.trend),
            volatility=log_blend(now.volatility, target.volatility),
            jumps=log_blend(now.jumps, target.jumps),
            spread=log_blend(now.spread, target.spread),
            size=log_blend(now.size, target.size),
            volume=log_blend(now.volume, target.volume),
            one_sided=now.one_sided + part * (target.one_sided - now.one_sided),
        )


def find(name: str) -> Scenario:
    """The scenario of a name; raises ValueError."""
    try:
        return SCENARIOS[name]
    except KeyError:
        raise ValueError(f"scenario must be one of {', '.join(SCENARIOS)}, was {name!r}") from None
