"""The processes of a process group, as /proc shows them."""

from pathlib import Path


def members(group: int) -> dict[int, int]:
    """Return the ids of a group's living processes, each with its parent's id."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:  # it has ended
            continue
        state, parent, group_of_process = stat.rpartition(")")[2].split()[:3]
        if int(group_of_process) == group and state != "Z":
            parents[int(entry.name)] = int(parent)
    return parents


def leaves(parents: dict[int, int], group: int) -> list[int]:
    """Return the processes of a group that do its work: those without children of their own."""
    with_children = set(parents.values())
    return [pid for pid in parents if pid not in with_children and pid != group]
