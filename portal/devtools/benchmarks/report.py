"""What a benchmark found: tables for people, and every measured number as JSON."""

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

type Json = dict[str, Any]


@dataclass(frozen=True)
class Spread:
    """The median of some rounds with its quartiles."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of at least one value."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        return cls(*statistics.quantiles(values, n=4, method="inclusive"))

    def as_text(self, digits: int = 2) -> str:
        """Return `median [lower quartile–upper quartile]`."""
        return f"{self.middle:.{digits}f} [{self.low:.{digits}f}–{self.high:.{digits}f}]"


def ratios(measured: Sequence[float], yardstick: Sequence[float]) -> list[float]:
    """Return, round by round, how many times the yardstick the measured value is."""
    return [one / other for one, other in zip(measured, yardstick, strict=True)]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least so many percent of the values don't exceed."""
    ordered = sorted(values)
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


@dataclass
class Table:
    """One table: a title, the names of the columns and a row of texts for each line."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)

    def as_text(self) -> str:
        """Return the table in Markdown, aligned for a terminal."""
        lines = [tuple(self.columns), *(tuple(row) for row in self.rows)]
        widths = [max(len(line[number]) for line in lines) for number in range(len(self.columns))]
        texts = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines
        ]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([f"{self.title}\n", texts[0], rule, *texts[1:]])


@dataclass
class Report:
    """The tables of one benchmark, and under `numbers` every single measurement."""

    tables: list[Table] = field(default_factory=list)
    numbers: Json = field(default_factory=dict)

    def as_text(self) -> str:
        """Return all tables."""
        return "\n\n".join(table.as_text() for table in self.tables)

    def as_json(self, machine: Json) -> str:
        """Return the numbers with the machine that they were measured on."""
        return json.dumps({"machine": machine, "numbers": self.numbers}, indent=1, default=str)
