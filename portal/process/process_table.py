"""What /proc says about processes: which of a group are suspended, and which ended ones nobody waits for."""

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SUSPENDED, ENDED = "T", "Z"


@dataclass(frozen=True)
class Process:
    """One process: its state is a letter, as in `ps`."""

    pid: int
    state: str
    parent: int
    group: int


def processes() -> Iterator[Process]:
    """Yield every process; none where there is no /proc."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = path.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):  # it has ended meanwhile
            continue
        yield Process(int(path.parent.name), state, int(parent), int(group))


def suspended_members(group: int) -> list[int]:
    """Return the processes of a group that are suspended, as by SIGSTOP."""
    return [item.pid for item in processes() if item.group == group and item.state == SUSPENDED]


def suspended_groups() -> set[int]:
    """Return the process groups of which a process is suspended."""
    return {item.group for item in processes() if item.state == SUSPENDED}


def reap_orphans(own: Collection[int]) -> None:
    """Reap ended children that this process hasn't started itself, as the first process of a container must."""
    for item in processes():
        if item.parent == os.getpid() and item.state == ENDED and item.pid not in own:
            with suppress(ChildProcessError):
                os.waitpid(item.pid, os.WNOHANG)
