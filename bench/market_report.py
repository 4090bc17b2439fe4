"""The simulated market beside the recorded one, as a folder: a table of every figure, and plots.

Run ``python -m bench.market_report --out DIR`` from the root of the repository. The plots need matplotlib, which
is no dependency of the server; without it their data is written as CSV files alone.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from bench import market_statistics as statistics
from bench.market_statistics import RECORDED_DAY, Figure, LiveMarket, LivePath
from feed.calendar import Calendar
from feed.instruments import Catalogue


@dataclass(frozen=True)
class Plot:
    """Curves over one axis: ``curves`` maps a label to its values, (n,) as ``x``; NaN where there is none."""

    name: str
    title: str
    x_label: str
    y_label: str
    x: np.ndarray
    curves: dict[str, np.ndarray]
    bars: bool = False


def variance_plot(path: LivePath) -> Plot:
    start = RECORDED_DAY.replace(hour=9, minute=15)
    minutes = np.arange(25) * 15 + start.hour * 60 + start.minute
    curves = {
        "simulated": statistics.variance_profile(path, "NIFTY"),
        "recorded": statistics.recorded_profile(),
    }
    title = "NIFTY: share of the session's variance by 15 minutes"
    return Plot("variance_profile", title, "hour of the day", "per cent", minutes / 60, curves, bars=True)


def clustering_plot(path: LivePath) -> Plot:
    lags = np.array([1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120])
    size = np.abs(path.minute_returns("NIFTY").ravel())
    simulated = np.array([statistics.autocorrelation(size, int(lag)) for lag in lags])
    recorded = np.full(len(lags), np.nan)
    recorded[np.isin(lags, (1, 5, 15, 60))] = (0.35, 0.261, 0.25, 0.196)
    curves = {"simulated": simulated, "recorded": recorded}
    title = "NIFTY: autocorrelation of absolute 1-minute returns"
    return Plot("clustering", title, "lag, minutes", "correlation", lags.astype(float), curves)


def volatility_plot(path: LivePath) -> Plot:
    realised = np.sqrt(np.square(path.minute_returns("NIFTY")).sum(axis=1) * 250) * 100
    level = 13.4 * np.exp(path.level[1:])
    curves = {"implied level": level, "realised in the session": realised}
    title = "NIFTY: a simulated run of days"
    return Plot("volatility", title, "session", "per cent a year", np.arange(len(level), dtype=float), curves)


def smile_plot(live: LiveMarket) -> Plot:
    x = np.linspace(-4, 4, 81)
    curves: dict[str, np.ndarray] = {}
    recorded = zip((-0.013, -0.034, -0.046, -0.08), (0.049, 0.045, 0.047, 0.037), strict=True)
    chains = live.market.universe.chains("NIFTY")[:4]
    for listing, (slope, curve) in zip(chains, recorded, strict=True):
        found = statistics.smile(live, listing)
        inside = (x >= found.x.min()) & (x <= found.x.max())
        curves[f"simulated, {found.days:.0f} days"] = np.where(
            inside, np.interp(x, found.x, found.ratio), np.nan
        )
        fit = 0.99 + slope * x + curve * x**2
        curves[f"recorded fit, {found.days:.0f} days"] = np.where(np.abs(x) <= 2.5, fit, np.nan)
    title = "NIFTY: volatility over that at the money"
    return Plot("smiles", title, "deviations from the forward", "ratio", x, curves)


def strike_plot(live: LiveMarket, field: str) -> Plot:
    listing = live.market.universe.chains("NIFTY")[0]
    legs, moneyness = live.market.legs(listing), live.moneyness(listing)
    near = np.abs(moneyness) < 6
    curves = {name: legs[field][side][near] / 1e3 for side, name in enumerate(("calls", "puts"))}
    title = f"NIFTY, nearest expiry: {field.replace('_', ' ')} by strike"
    return Plot(field, title, "strike", "thousand lots", listing.strikes[near], curves, bars=True)


def spread_plot(live: LiveMarket) -> Plot:
    curves: dict[str, np.ndarray] = {}
    for listing in live.market.universe.chains("NIFTY")[:3]:
        curves[f"expiry {listing.expiry.day}"] = np.array(
            [spread for spread, _, _ in statistics.spread_table(live, listing)]
        )
    middle = np.array([-7.5, -3.5, -1.25, 0.0, 1.25, 3.5, 7.5])
    curves["recorded, 3 days"] = np.array([17.5, 2.3, 0.75, 0.28, 0.10, 0.10, 0.05])
    curves["recorded, 10 days"] = np.array([52.23, 9.9, 1.65, 0.75, 0.55, 0.32, 0.15])
    title = "NIFTY: median spread"
    return Plot("spreads", title, "per cent out of the money", "rupees", middle, curves)


def write_table(figures: list[Figure], out: Path) -> None:
    """All figures as Markdown and as CSV."""
    outside = sum(not figure.is_inside for figure in figures)
    lines = [
        "# The simulated market beside the recorded one",
        "",
        f"{len(figures)} figures, {outside} outside of their bands.",
    ]
    for topic, group in groupby(figures, key=lambda figure: figure.topic):
        lines += [
            "",
            f"## {topic}",
            "",
            "| figure | recorded | band | simulated | |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [_row(figure) for figure in group]
    (out / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    header = ("topic", "name", "recorded", "low", "high", "simulated", "inside")
    rows = ((f.topic, f.name, f.recorded, f.low, f.high, f.simulated, f.is_inside) for f in figures)
    write_csv(out / "figures.csv", header, rows)


def _row(figure: Figure) -> str:
    mark = "" if figure.is_inside else "**outside**"
    band = f"{figure.low:.4g} to {figure.high:.4g}"
    return f"| {figure.name} | {figure.recorded} | {band} | {figure.simulated:.4g} | {mark} |"


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def write_plot(plot: Plot, out: Path, pyplot: Any | None) -> None:
    """The plot's data, and the plot where there is something to draw it with."""
    columns = zip(plot.x.tolist(), *(values.tolist() for values in plot.curves.values()), strict=True)
    write_csv(out / f"{plot.name}.csv", (plot.x_label, *plot.curves), columns)
    if pyplot is None:
        return
    drawing, axes = pyplot.subplots(figsize=(9, 5))
    width = 0.8 * float(np.median(np.diff(plot.x))) / len(plot.curves)
    for place, (label, values) in enumerate(plot.curves.items()):
        if plot.bars:
            axes.bar(plot.x + (place - (len(plot.curves) - 1) / 2) * width, values, width, label=label)
        else:
            axes.plot(plot.x, values, "o" if np.isnan(values).mean() > 0.6 else "-", label=label)
    if plot.name == "spreads":
        axes.set_yscale("log")
    axes.set(title=plot.title, xlabel=plot.x_label, ylabel=plot.y_label)
    axes.legend()
    drawing.tight_layout()
    drawing.savefig(out / f"{plot.name}.png", dpi=110)
    pyplot.close(drawing)


def find_pyplot() -> Any | None:
    """Matplotlib's pyplot drawing to files, if it is installed."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    import matplotlib.pyplot as pyplot

    return pyplot


def plots(seed: int, sessions: int) -> list[Callable[[], Plot]]:
    calendar = Calendar.load()
    catalogue = Catalogue.load(calendar)
    path = statistics.live_path(calendar, catalogue, seed=seed, sessions=sessions)
    live = LiveMarket.at(calendar, catalogue, RECORDED_DAY, seed=seed)
    return [
        lambda: variance_plot(path),
        lambda: clustering_plot(path),
        lambda: volatility_plot(path),
        lambda: smile_plot(live),
        lambda: strike_plot(live, "open_interest"),
        lambda: strike_plot(live, "volume"),
        lambda: spread_plot(live),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the report; made if it is not there"
    )
    parser.add_argument("--seed", type=int, default=27)
    parser.add_argument("--sessions", type=int, default=300, help="simulated days behind the path's figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    pyplot = find_pyplot()
    figures = statistics.all_figures(seed=options.seed, sessions=options.sessions)
    write_table(figures, options.out)
    for make in plots(options.seed, options.sessions):
        write_plot(make(), options.out, pyplot)
    outside = [figure for figure in figures if not figure.is_inside]
    print(f"{len(figures)} figures, {len(outside)} outside of their bands: {options.out / 'report.md'}")
    for figure in outside:
        print(f"  {figure.topic}, {figure.name}: {figure.simulated:.4g}, recorded {figure.recorded}")
    if pyplot is None:
        print("no plots: matplotlib is not installed; their data is in the CSV files")


if __name__ == "__main__":
    main()
