"""What the chains are told at each step."""

from __future__ import annotations

from dataclasses import dataclass

from feed.simulation.contracts.surface import SurfaceStates
from feed.simulation.parameters import FloatArray


@dataclass(frozen=True, slots=True)
class StepContext:
    """What chains are priced on, by underlying row: ``spot`` as published, ``future`` as it goes on.

    ``variance_to_expiry`` : (listings of the book,) in sessions.
    """

    now_ms: int
    spot: FloatArray
    future: FloatArray
    variance_to_expiry: FloatArray
    states: SurfaceStates


@dataclass(frozen=True, slots=True)
class ScenarioEffect:
    """How a scenario trades: multiples of spread, size, volume, and an added share of books without a bid."""

    spread: float = 1.0
    size: float = 1.0
    volume: float = 1.0
    one_sided: float = 0.0
