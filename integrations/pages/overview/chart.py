"""A small bar chart by day, drawn by the server as SVG: the geometry and the table beneath it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 170, 46, 10, 12, 24
GAP = 0.25  # between two bars, as a share of a day's width
LABEL_EVERY = 4  # days


@dataclass(frozen=True)
class Bar:
    """One rectangle, in the SVG's units."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    tooltip: str


@dataclass(frozen=True)
class GridLine:
    """One horizontal line with its value."""

    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    """One chart: bars and scale, a summary sentence, and the same numbers as a table.

    `legend` holds (kind, label), `day_labels` (x, label), `rows` (day, cells).
    """

    code: str
    title: str
    summary: str
    legend: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    grid: tuple[GridLine, ...]
    day_labels: tuple[tuple[float, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]

    width = WIDTH
    height = HEIGHT
    left = LEFT
    label_y = HEIGHT - 6


def stacked_chart(
    code: str,
    title: str,
    summary: str,
    legend: tuple[tuple[str, str], ...],
    days: Sequence[date],
    counts: Mapping[date, Mapping[str, int]],
) -> Chart:
    """Return a chart that stacks each day's counts, one bar per kind of the legend."""
    top = max((sum(by_kind.values()) for by_kind in counts.values()), default=0) or 1
    bars = []
    for index, day in enumerate(days):
        base = 0
        for kind, label in legend:
            count = counts.get(day, {}).get(kind, 0)
            if count:
                tooltip = f"{count} {label.lower()} on {day_name(day)}"
                bars.append(bar(kind, index, len(days), base, count, top, tooltip))
                base += count
    return Chart(
        code,
        title,
        summary,
        legend,
        tuple(bars),
        grid(str(top)),
        tuple(day_labels(days)),
        tuple(label for _, label in legend),
        tuple(
            (day_name(day), tuple(str(counts.get(day, {}).get(kind, 0)) for kind, _ in legend))
            for day in days
        ),
    )


def bar(kind: str, index: int, days: int, base: float, value: float, top: float, tooltip: str) -> Bar:
    """Return the bar of the day at `index`, from `base` up by `value`, where `top` fills the chart's height."""
    day_width = (WIDTH - LEFT - RIGHT) / days
    full_height = HEIGHT - TOP - BOTTOM
    height = max(2.0, value / top * full_height)
    y = HEIGHT - BOTTOM - base / top * full_height - height
    return Bar(
        kind,
        round(LEFT + index * day_width + day_width * GAP / 2, 1),
        round(max(float(TOP), y), 1),
        round(day_width * (1 - GAP), 1),
        round(height, 1),
        tooltip,
    )


def grid(top_label: str) -> tuple[GridLine, ...]:
    """Return the lines at the highest value and at zero."""
    return GridLine(TOP, top_label), GridLine(HEIGHT - BOTTOM, "0")


def day_labels(days: Sequence[date]) -> Iterator[tuple[float, str]]:
    """Yield the x of every fourth day with its name, counted back from the last day."""
    day_width = (WIDTH - LEFT - RIGHT) / len(days)
    for index, day in enumerate(days):
        if (len(days) - 1 - index) % LABEL_EVERY == 0:
            yield round(LEFT + (index + 0.5) * day_width, 1), f"{day:%-d %b}"


def day_name(day: date) -> str:
    """Return a day as the charts show it, such as “3 March”."""
    return f"{day:%-d %B}"
