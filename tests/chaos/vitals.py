"""What a server says of itself, as an operator reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families as parse

PATIENCE_S = 60


@dataclass(frozen=True)
class Vitals:
    """Health and metrics at one instant."""

    health: dict[str, Any]
    samples: dict[tuple[Any, ...], float]

    def part(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.health["parts"][name]
        return found

    def __call__(self, name: str, **labels: str) -> float:
        """A sample by its name and labels; of one that was never counted 0."""
        return self.samples.get((name, *sorted(labels.items())), 0.0)

    @property
    def clients(self) -> float:
        return self("market_clients", transport="websocket") + self("market_clients", transport="polling")

    @property
    def held(self) -> dict[str, float]:
        """What clients make a server hold; with nobody connected it is the same as ever."""
        return {
            "clients": self.clients,
            "rooms": self("market_rooms"),
            "slow": self("market_slow_clients"),
            "descriptors": self("process_open_fds"),
            "tasks": self("market_event_loop_tasks"),
        }

    def holds_no_more_than(self, before: Vitals) -> bool:
        """Whether nothing is left of what came and went; earlier tests' leftovers may be gone too."""
        return all(self.held[name] <= count for name, count in before.held.items())

    @property
    def memory(self) -> float:
        """Resident bytes."""
        return self("process_resident_memory_bytes")


async def vitals_of(fetch: Any, server: Any) -> Vitals:
    text = (await fetch(server, "/metrics")).raw.decode()
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }
    return Vitals((await fetch(server, "/health")).data, samples)


async def vitals_when(
    fetch: Any, server: Any, wanted: Callable[[Vitals], bool], patience_s: float = PATIENCE_S
) -> Vitals:
    """The vitals as soon as they are as wanted."""
    latest = None
    try:
        async with asyncio.timeout(patience_s):
            while True:
                latest = await vitals_of(fetch, server)
                if wanted(latest):
                    return latest
                await asyncio.sleep(0.1)
    except TimeoutError:
        assert latest is not None
        raise AssertionError(f"it never came to that: {latest.held} {latest.health}") from None
