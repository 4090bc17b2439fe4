"""The simulated market beside the recorded one, nightly: means of figures over seeds, and their bands."""

from __future__ import annotations

import pytest

from bench.market.statistics import Figure, all_figures, mean_figures

pytestmark = pytest.mark.nightly

# one draw of a few sessions; the means over ten seeds are for the night and `make market-report`
MOST_OUTSIDE = 0.15


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return all_figures(seed=1, sessions=40, interest_seeds=1)


def outside_of(figures: list[Figure]) -> list[str]:
    return [
        f"{figure.topic}, {figure.name}: {figure.simulated:.4g}, recorded {figure.recorded}"
        for figure in figures
        if not figure.is_inside
    ]


@pytest.mark.timeout(1200)  # ten seeds of 300 sessions
def test_every_mean_over_ten_seeds_lies_in_its_band() -> None:
    assert not outside_of(mean_figures(range(1, 11)))


def test_few_figures_of_one_draw_lie_outside_of_their_bands(figures: list[Figure]) -> None:
    assert len(outside_of(figures)) <= MOST_OUTSIDE * len(figures), outside_of(figures)


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
