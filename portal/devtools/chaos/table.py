"""The one table a run ends with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SHOWN = 5


@dataclass
class Table:
    """Named figures, and the promises that were broken."""

    title: str
    rows: dict[str, Any] = field(default_factory=dict)
    broken: dict[str, list[str]] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether no promise was broken."""
        return not self.broken

    def as_json(self) -> str:
        """Return the table for programs."""
        return json.dumps(
            {"run": self.title, **self.rows, "broken": self.broken, "holds": self.holds},
            default=str,
            indent=2,
        )

    def as_text(self) -> str:
        """Return the table for people."""
        width = max(len(name) for name in self.rows)
        lines = [self.title, ""]
        lines += [
            f"  {name.replace('_', ' '):<{width}}  {_shown(value)}" for name, value in self.rows.items()
        ]
        lines.append("")
        for promise, opportunities in self.broken.items():
            some = ", ".join(opportunities[:SHOWN]) + (" …" if len(opportunities) > SHOWN else "")
            lines.append(f"  BROKEN  {promise.replace('_', ' ')}: {len(opportunities)} ({some})")
        lines.append("  Every promise held." if self.holds else "  Promises were broken.")
        return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(value)
