"""Charts as inline SVG: no script, no outside file; colours come from the page's style sheet by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

_LABEL, _PLOT, _VALUE, _ROW = 190, 560, 110, 30  # pixels


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: float  # a share, 0 to 1
    stderr: float | None
    kind: str  # a CSS class: "checkpoint", "student", "twin"
    gap: bool = False  # stands apart from the bar before it


def bar_chart(bars: Sequence[Bar], *, title: str) -> str:
    """Horizontal bars with error bars of one standard error, on a scale from 0 to 100 %."""
    gaps = [sum(bar.gap for bar in bars[: place + 1]) for place in range(len(bars))]
    height = len(bars) * _ROW + (gaps[-1] if gaps else 0) * 12 + 34
    grid = "".join(_grid_line(share, height) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    rows = "".join(_bar(bar, place * _ROW + gaps[place] * 12 + 8) for place, bar in enumerate(bars))
    width = _LABEL + _PLOT + _VALUE
    return (
        f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{grid}{rows}</svg>"
    )


def _grid_line(share: float, height: int) -> str:
    x = _LABEL + share * _PLOT
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="4" y2="{height - 24}"/>'
        f'<text class="tick" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{share:.0%}</text>'
    )


def _bar(bar: Bar, y: int) -> str:
    length = max(0.0, min(1.0, bar.value)) * _PLOT
    middle = y + _ROW / 2 - 2
    text = f"{100 * bar.value:.1f}"
    parts = [
        f'<text class="label" x="{_LABEL - 12}" y="{middle + 4}" text-anchor="end">',
        f'{escape(bar.label)}</text><rect class="bar {escape(bar.kind)}" x="{_LABEL}" y="{y + 4}"',
        f' width="{max(length, 1):.1f}" height="{_ROW - 12}" rx="2"/>',
    ]
    end = length
    if bar.stderr:
        text += f" ± {100 * bar.stderr:.1f}"
        low = _LABEL + max(0.0, bar.value - bar.stderr) * _PLOT
        high = _LABEL + min(1.0, bar.value + bar.stderr) * _PLOT
        end = high - _LABEL
        whiskers = f"M{low:.1f} {middle - 4:.1f}v8M{high:.1f} {middle - 4:.1f}v8"
        parts.append(f'<path class="error" d="M{low:.1f} {middle:.1f}H{high:.1f}{whiskers}"/>')
    parts.append(f'<text class="value" x="{_LABEL + end + 10:.1f}" y="{middle + 4}">{text}</text>')
    return f"<g><title>{escape(bar.label)}: {text} %</title>{''.join(parts)}</g>"


def line_chart(values: Sequence[float], steps: Sequence[float], *, title: str) -> str:
    """A small curve with its first and last value; the faint line is the data, the strong one their mean."""
    points = [(step, value) for step, value in zip(steps, values, strict=True) if isfinite(value)]
    width, height, left, right, top, bottom = 210, 104, 2, 2, 14, 18
    low, high = min(value for _, value in points), max(value for _, value in points)
    first, last = points[0][0], points[-1][0]

    def place(step: float, value: float) -> str:
        x = left + (step - first) / ((last - first) or 1) * (width - left - right)
        y = top + (1 - (value - low) / ((high - low) or 1)) * (height - top - bottom)
        return f"{x:.1f},{y:.1f}"

    raw = " ".join(place(step, value) for step, value in points)
    smooth = " ".join(place(step, value) for step, value in running_mean(points))
    label = f"{title}: from {points[0][1]:.3g} to {points[-1][1]:.3g}, between {low:.3g} and {high:.3g}"
    return (
        f'<figure class="curve"><figcaption><b>{escape(title)}</b>'
        f"<span>{points[0][1]:.3g} → {points[-1][1]:.3g}</span></figcaption>"
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">'
        f"<title>{escape(label)}</title>"
        f'<line class="grid" x1="{left}" x2="{width - right}" y1="{height - bottom}" y2="{height - bottom}"/>'
        f'<polyline class="raw" points="{raw}"/><polyline class="smooth" points="{smooth}"/>'
        f'<text class="tick" x="{left}" y="{height - 5}">{first:g}</text>'
        f'<text class="tick" x="{width - right}" y="{height - 5}" text-anchor="end">step {last:g}</text>'
        f'<text class="tick" x="{width - right}" y="{top - 3}" text-anchor="end">{high:.3g}</text>'
        "</svg></figure>"
    )


def running_mean(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Over a tenth of the points, centred."""
    reach = max(1, len(points) // 20)
    return [
        (step, sum(value for _, value in near) / len(near))
        for place, (step, _) in enumerate(points)
        if (near := points[max(0, place - reach) : place + reach + 1])
    ]
