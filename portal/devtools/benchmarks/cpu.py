"""The CPU time of running programs, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

from portal.devtools.process_table import members

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(groups: Iterable[int]) -> float:
    """Return the CPU seconds of all processes of these process groups, with those of their ended children."""
    return sum(_of_process(pid) for group in groups for pid in members(group))


def _of_process(pid: int) -> float:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it has ended, and its parent counts it
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS
