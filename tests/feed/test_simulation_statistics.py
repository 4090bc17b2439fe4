"""The simulated market beside the recorded one: the mean of every figure over seeds inside its band."""

from __future__ import annotations

import pytest

from bench.market_statistics import Figure, mean_figures

SEEDS = range(1, 4)  # a small sample; the whole one is for the night


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return mean_figures(SEEDS)


def outside_of(figures: list[Figure], errors: float = 0.0) -> list[str]:
    """Figures that are further from their bands than so many standard errors of the mean."""
    count = len(SEEDS) ** 0.5
    return [
        f"{figure.topic}, {figure.name}: {figure.simulated:.4g}, recorded {figure.recorded}"
        for figure in figures
        if not figure.low - errors * figure.spread / count
        <= figure.simulated
        <= figure.high + errors * figure.spread / count
    ]


@pytest.mark.nightly
@pytest.mark.timeout(600)  # ten seeds of 300 sessions
def test_every_mean_over_ten_seeds_lies_in_its_band() -> None:
    assert not outside_of(mean_figures(range(1, 11)))


def test_no_mean_lies_further_from_its_band_than_chance_takes_it(figures: list[Figure]) -> None:
    assert not outside_of(figures, errors=3.0)


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
