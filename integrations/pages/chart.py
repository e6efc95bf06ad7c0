"""A small bar chart by day or month, drawn by the server as SVG: the geometry and the table beneath it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 400, 170, 58, 10, 12, 24
GAP = 0.25  # between two bars, as a share of a column's width
DAY_LABEL_EVERY = 4


class Column(NamedTuple):
    """One day or month: its name, its label below the chart (empty for none), and the words that follow a count."""

    name: str
    label: str
    when: str


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
class Chart:
    """One chart: bars and scale, a summary sentence, and the same numbers as a table.

    `legend` holds (kind, label), `grid` (y, value), `labels` (x, label), `rows` (name, cells). `unit`: what each column
    stands for.
    """

    code: str
    title: str
    summary: str
    legend: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    grid: tuple[tuple[float, str], ...]
    labels: tuple[tuple[float, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    unit: str = "Day"

    width = WIDTH
    height = HEIGHT
    left = LEFT
    label_y = HEIGHT - 6


def stacked_chart(
    code: str,
    title: str,
    summary: str,
    legend: tuple[tuple[str, str], ...],
    columns: Sequence[Column],
    counts: Sequence[Mapping[str, int]],
    unit: str = "Day",
) -> Chart:
    """Return a chart that stacks each column's counts, one bar per kind of the legend."""
    top = max((sum(by_kind.values()) for by_kind in counts), default=0) or 1
    bars = []
    for index, (column, by_kind) in enumerate(zip(columns, counts, strict=True)):
        base = 0
        for kind, label in legend:
            count = by_kind.get(kind, 0)
            if count:
                tooltip = f"{count} {label.lower()} {column.when}"
                bars.append(bar(kind, index, len(columns), base, count, top, tooltip))
                base += count
    return Chart(
        code,
        title,
        summary,
        legend,
        tuple(bars),
        grid(str(top)),
        tuple(labels(columns)),
        tuple(label for _, label in legend),
        tuple(
            (column.name, tuple(str(by_kind.get(kind, 0)) for kind, _ in legend))
            for column, by_kind in zip(columns, counts, strict=True)
        ),
        unit,
    )


def bar(kind: str, index: int, columns: int, base: float, value: float, top: float, tooltip: str) -> Bar:
    """Return the bar of the column at `index`, from `base` up by `value`, where `top` fills the chart's height."""
    column_width = (WIDTH - LEFT - RIGHT) / columns
    full_height = HEIGHT - TOP - BOTTOM
    height = max(2.0, value / top * full_height)
    y = HEIGHT - BOTTOM - base / top * full_height - height
    return Bar(
        kind,
        round(LEFT + index * column_width + column_width * GAP / 2, 1),
        round(max(float(TOP), y), 1),
        round(column_width * (1 - GAP), 1),
        round(height, 1),
        tooltip,
    )


def grid(top_label: str) -> tuple[tuple[float, str], ...]:
    """Return the horizontal lines at the highest value and at zero, each with its value."""
    return (TOP, top_label), (HEIGHT - BOTTOM, "0")


def labels(columns: Sequence[Column]) -> Iterator[tuple[float, str]]:
    """Yield the x and the text of each column that has a label."""
    column_width = (WIDTH - LEFT - RIGHT) / len(columns)
    for index, column in enumerate(columns):
        if column.label:
            yield round(LEFT + (index + 0.5) * column_width, 1), column.label


def day_columns(days: Sequence[date]) -> list[Column]:
    """Return a column for each day; every fourth has a label, counted back from the last."""
    return [
        Column(
            day_name(day),
            f"{day:%-d %b}" if (len(days) - 1 - index) % DAY_LABEL_EVERY == 0 else "",
            f"on {day_name(day)}",
        )
        for index, day in enumerate(days)
    ]


def month_columns(months: Sequence[date]) -> list[Column]:
    """Return a column for each month, given by its first day; of more than six, every second has a label."""
    every = 2 if len(months) > 6 else 1
    return [
        Column(
            f"{month:%B %Y}",
            f"{month:%b}" if (len(months) - 1 - index) % every == 0 else "",
            f"in {month:%B %Y}",
        )
        for index, month in enumerate(months)
    ]


def day_name(day: date) -> str:
    """Return a day as the charts show it, such as “3 March”."""
    return f"{day:%-d %B}"
