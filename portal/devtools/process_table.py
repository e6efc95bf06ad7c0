"""What /proc says about processes: their parents and process groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ENDED = "Z"


@dataclass(frozen=True)
class Process:
    """One process: its state is a letter, as in `ps`."""

    pid: int
    state: str
    parent: int
    group: int


def processes() -> Iterator[Process]:
    """Yield every process that hasn't ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = path.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):  # it has ended meanwhile
            continue
        if state != ENDED:
            yield Process(int(path.parent.name), state, int(parent), int(group))


def members(group: int) -> dict[int, int]:
    """Return the ids of a group's processes, each with its parent's id."""
    return {one.pid: one.parent for one in processes() if one.group == group}


def leaves(parents: dict[int, int], group: int) -> list[int]:
    """Return the processes of a group that do its work: those without children of their own."""
    with_children = set(parents.values())
    return [pid for pid in parents if pid not in with_children and pid != group]


def descendants(pid: int) -> list[int]:
    """Return the processes that one has started, and those that they have started, and so on."""
    parents = {one.pid: one.parent for one in processes()}
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]
