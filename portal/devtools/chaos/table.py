"""The table that a run prints at its end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from portal.devtools.chaos.violations import Violation

MOST_CASES = 5


@dataclass
class Table:
    """Named figures, and the promises that were broken."""

    title: str
    figures: Mapping[str, object] = field(default_factory=dict)
    broken: Mapping[Violation, Sequence[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether no promise was broken."""
        return not self.broken

    def as_json(self) -> str:
        """Return the table for programs."""
        return json.dumps(
            {"run": self.title, **self.figures, "broken": self.broken, "holds": self.holds},
            default=str,
            indent=2,
        )

    def as_text(self) -> str:
        """Return the table for people."""
        width = max(len(name) for name in self.figures)
        lines = [self.title, ""]
        lines += [
            f"  {name.replace('_', ' '):<{width}}  {_as_text(value)}" for name, value in self.figures.items()
        ]
        lines.append("")
        for promise, cases in self.broken.items():
            some = ", ".join(cases[:MOST_CASES]) + (" …" if len(cases) > MOST_CASES else "")
            lines.append(f"  BROKEN  {promise.replace('_', ' ')}: {len(cases)} ({some})")
        lines.append("  Every promise held." if self.holds else "  Promises were broken.")
        return "\n".join(lines)


def _as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
