"""Charts as SVG, for the market report: lines, points and bars over one axis."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 900, 480
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 50
COLOURS = ("#1f6fb4", "#d95f02", "#2a9d5c", "#8e5bb5", "#7a7a7a", "#b8336a", "#5d8aa8", "#c9a227")


@dataclass(frozen=True)
class Chart:
    """Curves over one axis: ``curves`` maps a label to values, (n,) as ``x``; NaN where there is none."""

    name: str
    title: str
    x_label: str
    y_label: str
    x: np.ndarray
    curves: dict[str, np.ndarray]
    bars: bool = False
    log: bool = False


@dataclass(frozen=True)
class Scale:
    """From values to pixels."""

    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        return self.first + (value - self.low) / (self.high - self.low) * (self.last - self.first)

    def ticks(self) -> list[float]:
        """Round values inside, about six."""
        raw = (self.high - self.low) / 6
        power = 10.0 ** np.floor(np.log10(raw))
        step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= raw)
        first = np.ceil(self.low / step) * step
        # adding 0.0 makes a minus zero a plain one
        return [float(value) + 0.0 for value in np.arange(first, self.high + step * 1e-9, step)]


def draw(chart: Chart) -> str:
    """The chart as the text of an SVG file."""
    curves = {label: np.log10(y) if chart.log else y for label, y in chart.curves.items()}
    values = np.concatenate(list(curves.values()))
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if chart.bars:
        low = min(low, 0.0)
    margin = (chart.x[-1] - chart.x[0]) * 0.03
    across = Scale(float(chart.x[0] - margin), float(chart.x[-1] + margin), LEFT, WIDTH - RIGHT)
    up = Scale(low, high + (high - low) * 0.05, HEIGHT - BOTTOM, TOP)
    parts = [_frame(chart), *_grid(chart, across, up)]
    for place, (label, y) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        if chart.bars:
            parts += _bars(chart.x, y, across, up, place, len(curves), colour)
        elif np.isnan(y).mean() > 0.6:
            parts += [
                _dot(across(a), up(b), colour) for a, b in zip(chart.x, y, strict=True) if np.isfinite(b)
            ]
        else:
            parts.append(_line(chart.x, y, across, up, colour))
        parts.append(_legend(label, place, colour))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _frame(chart: Chart) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        + _text(WIDTH / 2, 22, chart.title, "middle", 16)
        + _text(WIDTH / 2, HEIGHT - 10, chart.x_label, "middle")
        + _text(LEFT, 40, chart.y_label, "start")
    )


def _grid(chart: Chart, across: Scale, up: Scale) -> list[str]:
    parts = []
    for value in up.ticks():
        y = up(value)
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(_text(LEFT - 6, y + 4, f"{10**value if chart.log else value:.4g}", "end"))
    for value in across.ticks():
        x = across(value)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>')
        parts.append(_text(x, HEIGHT - BOTTOM + 16, f"{value:.6g}", "middle"))
    return parts


def _bars(
    x: np.ndarray, y: np.ndarray, across: Scale, up: Scale, place: int, count: int, colour: str
) -> list[str]:
    gap = across(float(np.median(np.diff(x)))) - across(0.0)
    width = 0.8 * gap / count
    left = -0.4 * gap + place * width
    base = up(max(up.low, 0.0))
    return [
        f'<rect x="{across(a) + left:.1f}" y="{up(b):.1f}" width="{width:.1f}" height="{base - up(b):.1f}" '
        f'fill="{colour}"/>'
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
        if np.isfinite(b)
    ]


def _line(x: np.ndarray, y: np.ndarray, across: Scale, up: Scale, colour: str) -> str:
    steps, pen = [], "M"
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if np.isfinite(b):
            steps.append(f"{pen}{across(a):.1f} {up(b):.1f}")
        pen = "L" if np.isfinite(b) else "M"
    return f'<path d="{"".join(steps)}" fill="none" stroke="{colour}" stroke-width="1.8"/>'


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def _legend(label: str, place: int, colour: str) -> str:
    y = TOP + 14 + 18 * place
    box = f'<rect x="{WIDTH - 230}" y="{y - 10}" width="12" height="12" fill="{colour}"/>'
    return box + _text(WIDTH - 212, y, label, "start")


def _text(x: float, y: float, text: str, anchor: str, size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
