"""The simulated market beside the recorded one, as a folder: a table of every figure, and plots.

Run ``python -m bench.market.report --out DIR`` from the root of the repository.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from bench.market import statistics
from bench.market.charts import Chart, draw
from bench.market.statistics import RECORDED_DAY, RECORDED_SMILES, Figure, LiveMarket, LivePath
from feed.reference.calendar import Calendar
from feed.reference.instruments import Catalogue


def charts(seed: int, sessions: int) -> Iterator[Chart]:
    """All plots of the report."""
    calendar = Calendar.load()
    catalogue = Catalogue.load(calendar)
    path = statistics.live_path(calendar, catalogue, seed=seed, sessions=sessions)
    yield variance_chart(path)
    yield clustering_chart(path)
    yield volatility_chart(path)
    live = LiveMarket.at(calendar, catalogue, RECORDED_DAY, seed=seed)
    yield smile_chart(live)
    yield strike_chart(live, "open_interest")
    yield strike_chart(live, "volume")
    yield spread_chart(live)


def variance_chart(path: LivePath) -> Chart:
    hours = 9.25 + np.arange(25) / 4
    curves = {
        "simulated": statistics.variance_profile(path, "NIFTY"),
        "recorded": statistics.recorded_profile(),
    }
    title = "NIFTY: share of the session's variance by 15 minutes"
    return Chart("variance_profile", title, "hour of the day", "per cent", hours, curves, bars=True)


def clustering_chart(path: LivePath) -> Chart:
    lags = np.array([1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120])
    size = np.abs(path.minute_returns("NIFTY").ravel())
    simulated = np.array([statistics.autocorrelation(size, int(lag)) for lag in lags])
    recorded = np.full(len(lags), np.nan)
    recorded[np.isin(lags, (1, 5, 15, 60))] = (0.35, 0.261, 0.25, 0.196)
    curves = {"simulated": simulated, "recorded": recorded}
    title = "NIFTY: autocorrelation of absolute 1-minute returns"
    return Chart("clustering", title, "lag, minutes", "correlation", lags.astype(float), curves)


def volatility_chart(path: LivePath) -> Chart:
    realised = np.sqrt(np.square(path.minute_returns("NIFTY")).sum(axis=1) * 250) * 100
    level = statistics.LONG_RUN_PERCENT * np.exp(path.level[1:])
    curves = {"realised in the session": realised, "implied level": level}
    title = "NIFTY: volatility of a simulated run of days"
    return Chart(
        "volatility", title, "session", "per cent a year", np.arange(len(level), dtype=float), curves
    )


def smile_chart(live: LiveMarket) -> Chart:
    x = np.linspace(-4, 4, 81)
    curves: dict[str, np.ndarray] = {}
    for listing, (slope, curve) in zip(live.market.universe.chains("NIFTY"), RECORDED_SMILES, strict=False):
        found = statistics.smile(live, listing)
        inside = (x >= found.x.min()) & (x <= found.x.max())
        seen = np.interp(x, found.x, found.ratio)
        curves[f"simulated, {found.days:.0f} days"] = np.where(inside, seen, np.nan)
        fit = 0.99 + slope * x + curve * x**2
        curves[f"recorded fit, {found.days:.0f} days"] = np.where(np.abs(x) <= 2.5, fit, np.nan)
    title = "NIFTY: volatility over that at the money"
    return Chart("smiles", title, "deviations from the forward", "ratio", x, curves)


def strike_chart(live: LiveMarket, field: str) -> Chart:
    listing = live.market.universe.chains("NIFTY")[0]
    legs, near = live.market.legs(listing), np.abs(live.moneyness(listing)) < 6
    curves = {name: legs[field][side][near] / 1e3 for side, name in enumerate(("calls", "puts"))}
    title = f"NIFTY, nearest expiry: {field.replace('_', ' ')} by strike"
    return Chart(field, title, "strike", "thousand lots", listing.strikes[near], curves, bars=True)


def spread_chart(live: LiveMarket) -> Chart:
    curves: dict[str, np.ndarray] = {}
    for listing in live.market.universe.chains("NIFTY")[:3]:
        table = statistics.spread_table(live, listing)
        curves[f"simulated, {listing.expiry.day}"] = np.array([spread for spread, _, _ in table])
    curves["recorded, 3 days"] = np.array([17.5, 2.3, 0.75, 0.28, 0.10, 0.10, 0.05])
    curves["recorded, 10 days"] = np.array([52.23, 9.9, 1.65, 0.75, 0.55, 0.32, 0.15])
    middle = np.array([-7.5, -3.5, -1.25, 0.0, 1.25, 3.5, 7.5])
    title = "NIFTY: median spread"
    return Chart("spreads", title, "per cent out of the money", "rupees", middle, curves, log=True)


def write_table(figures: list[Figure], out: Path) -> None:
    """All figures as Markdown and as CSV."""
    outside = sum(not figure.is_inside for figure in figures)
    lines = [
        "# The simulated market beside the recorded one",
        "",
        f"{len(figures)} figures, {outside} outside of their bands.",
    ]
    for topic, group in groupby(figures, key=lambda figure: figure.topic):
        lines += ["", f"## {topic}", "", "| figure | recorded | band | simulated, mean | spread | |"]
        lines += ["| --- | --- | --- | --- | --- | --- |", *(_row(figure) for figure in group)]
    (out / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    header = ("topic", "name", "recorded", "low", "high", "simulated", "spread", "inside")
    rows = ((f.topic, f.name, f.recorded, f.low, f.high, f.simulated, f.spread, f.is_inside) for f in figures)
    write_csv(out / "figures.csv", header, rows)


def _row(figure: Figure) -> str:
    mark = "" if figure.is_inside else "**outside**"
    band = f"{figure.low:.4g} to {figure.high:.4g}"
    found = f"{figure.simulated:.4g} | {figure.spread:.2g}"
    return f"| {figure.name} | {figure.recorded} | {band} | {found} | {mark} |"


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def write_chart(chart: Chart, out: Path) -> None:
    """The plot, and the data behind it."""
    (out / f"{chart.name}.svg").write_text(draw(chart), encoding="utf-8")
    columns = zip(chart.x.tolist(), *(values.tolist() for values in chart.curves.values()), strict=True)
    write_csv(out / f"{chart.name}.csv", (chart.x_label, *chart.curves), columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder of the report; made if it is not there"
    )
    parser.add_argument("--seed", type=int, default=1, help="the first of the seeds, and that of the plots")
    parser.add_argument("--seeds", type=int, default=10, help="how many seeds the figures are means over")
    parser.add_argument("--sessions", type=int, default=300, help="simulated days behind the path's figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    figures = statistics.mean_figures(
        range(options.seed, options.seed + options.seeds), sessions=options.sessions
    )
    write_table(figures, options.out)
    for chart in charts(options.seed, options.sessions):
        write_chart(chart, options.out)
    outside = [figure for figure in figures if not figure.is_inside]
    print(f"{len(figures)} figures, {len(outside)} outside of their bands: {options.out / 'report.md'}")
    for figure in outside:
        found = f"{figure.simulated:.4g} ± {figure.spread:.2g}"
        print(f"  {figure.topic}, {figure.name}: {found}, recorded {figure.recorded}")


if __name__ == "__main__":
    main()
