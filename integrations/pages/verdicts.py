"""What a person can do about a verdict, in the words of the run that decided it."""

from collections.abc import Iterable
from typing import Any

from integrations.workflow.decide import NEXT_STEPS

NOTED = "Nothing to do: the portal asks CodeScreen by itself."


def next_step(verdict: str) -> str:
    """Return the next step for a verdict, empty while there is none."""
    return NOTED if verdict == "noted" else NEXT_STEPS.get(verdict, "")


def with_next_steps[Row: Any](rows: Iterable[Row]) -> list[Row]:
    """Give each row that has a verdict its `next_step`; the rows."""
    found = list(rows)
    for row in found:
        row.next_step = next_step(row.verdict or "")
    return found
