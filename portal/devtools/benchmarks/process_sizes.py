"""What each process of a tree holds and used: memory, CPU, open files, as /proc states them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from portal.devtools.process_table import members, processes

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


KIB_PER_MIB = 1024
#: What a process of `serve` is, by a part of its command line; the first that fits. Forked ones look like their parent.
ROLES = (
    ("kill -KILL 0", "guard"),
    ("qcluster", "queue"),
    ("portal.asgi", "web"),
)
SUPERVISOR = "supervisor"


@dataclass(frozen=True)
class ProcessSize:
    """One process. `pss_mib` counts a page that several processes share in equal parts, `rss_mib` wholly."""

    pid: int
    role: str
    pss_mib: float
    rss_mib: float
    private_mib: float
    threads: int
    open_files: int
    cpu_seconds: float


def tree(root: int) -> list[ProcessSize]:
    """Return the process with all its descendants, parents first. Those that end meanwhile are left out."""
    children: dict[int, list[int]] = {}
    for process in processes():
        children.setdefault(process.parent, []).append(process.pid)
    found, pids = [], [root]
    for pid in pids:
        pids += children.get(pid, [])
        try:
            found.append(_size(pid))
        except (OSError, KeyError):  # it has ended
            continue
    return found


def _size(pid: int) -> ProcessSize:
    folder = Path("/proc", str(pid))
    kib = _kib(folder / "smaps_rollup")
    return ProcessSize(
        pid=pid,
        role=_role((folder / "cmdline").read_bytes().decode(errors="replace")),
        pss_mib=kib["Pss"] / KIB_PER_MIB,
        rss_mib=kib["Rss"] / KIB_PER_MIB,
        private_mib=(kib["Private_Clean"] + kib["Private_Dirty"]) / KIB_PER_MIB,
        threads=_count(folder / "task"),
        open_files=_count(folder / "fd"),
        cpu_seconds=_cpu_seconds(folder / "stat"),
    )


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _role(command_line: str) -> str:
    return next((role for part, role in ROLES if part in command_line), SUPERVISOR)


def _kib(smaps: Path) -> dict[str, int]:
    """Return the numbers of a smaps file by name; its first line is a heading."""
    lines = [line.split(":") for line in smaps.read_text().splitlines()[1:]]
    return {name: int(rest.split()[0]) for name, rest in lines}


def _cpu_seconds(stat: Path) -> float:
    """Return the process's user and system time so far, in seconds."""
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
