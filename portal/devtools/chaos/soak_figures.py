"""What a node takes while it works: one sample a minute, and whether a figure grows without a bound."""

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection

from portal.devtools import databases
from portal.devtools.chaos import quiesce
from portal.devtools.databases import TableSize
from portal.devtools.processes import tree

MIB = 1024 * 1024
WEB, WORKERS, SUPERVISOR = "web_pss_mib", "workers_pss_mib", "supervisor_pss_mib"
FILES, THREADS, CONNECTIONS, DUE = "open_files", "threads", "connections", "rows_due"
DATABASE = "database_mib"


@dataclass(frozen=True)
class Bound:
    """How far a figure may grow from the middle of a run to its end: for 1,000 invitations, and in any case."""

    for_1000: float
    in_any_case: float


#: A figure breaks its bound when its growth is over both parts of it. A process that kept something of each invitation
#: would grow by more than the first part; the second allows for what a busy minute takes and gives back later.
BOUNDS = {
    WEB: Bound(1.0, 6.0),
    WORKERS: Bound(1.0, 6.0),
    SUPERVISOR: Bound(1.0, 2.0),
    FILES: Bound(1.0, 20.0),
    THREADS: Bound(1.0, 6.0),
    CONNECTIONS: Bound(1.0, 6.0),
    DUE: Bound(10.0, 100.0),
}
#: Rows of an invitation take as much at the end as before; PostgreSQL makes room in steps.
DATABASE_RATIO = 1.5
#: In the first minutes each process reaches its code, opens its connections and compiles its statements.
WARM_UP_SECONDS = 600.0
LEAST_SAMPLES = 9


@dataclass(frozen=True)
class Sample:
    """What the node took at one moment."""

    seconds: float  # since the run began
    invitations: int  # asked for until then
    figures: Mapping[str, float]
    tables: Sequence[TableSize] = ()

    def as_text(self) -> str:
        """Return the line of a minute."""
        known = self.figures
        mib = f"{known[DATABASE]:.1f} MiB"
        largest = ", ".join(
            f"{one.name} {one.bytes / MIB:.1f} + {one.index_bytes / MIB:.1f} ({one.rows:,} rows)"
            for one in self.tables[:4]
        )
        return (
            f"{self.seconds / 60:5.1f} min  {self.invitations:,} invitations, {known[DUE]:.0f} rows due; "
            f"PSS web {known[WEB]:.0f}, workers {known[WORKERS]:.0f}, supervisor {known[SUPERVISOR]:.0f} MiB "
            f"(RSS {known['rss_mib']:.0f}); {known[FILES]:.0f} files, {known[THREADS]:.0f} threads, "
            f"{known[CONNECTIONS]:.0f} connections; database {mib}: {largest}"
        )


def take_sample(root: int, began: float, invitations: int) -> Sample:
    """Measure the node whose supervisor is the process `root`, and its database."""
    processes = tree(root)
    url = os.environ["DATABASE_URL"]
    if settings.IS_SQLITE:
        tables = _rows_of_sqlite()
        database_bytes = _file_bytes()
    else:
        tables = databases.table_sizes(url)
        database_bytes = sum(table.all_bytes for table in tables)
    pss: defaultdict[str, float] = defaultdict(float)
    for process in processes:
        pss[process.role] += process.pss_mib
    figures: dict[str, float] = {
        WEB: pss["web"],
        WORKERS: pss["workers"],
        SUPERVISOR: pss["supervisor"] + pss["guard"],
        "rss_mib": sum(process.rss_mib for process in processes),
        FILES: sum(process.open_files for process in processes),
        THREADS: sum(process.threads for process in processes),
        CONNECTIONS: databases.count_connections(url) or 0,
        DUE: quiesce.count_due(),
        DATABASE: database_bytes / MIB,
    }
    return Sample(time.monotonic() - began, invitations, figures, tables)


def _rows_of_sqlite() -> list[TableSize]:
    """Return the rows of each table, the most first: SQLite is one file, and doesn't tell the size of each."""
    with connection.cursor() as cursor:
        counts = {}
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608
            (counts[name],) = cursor.fetchone()
    return [TableSize(name, 0, 0, rows, 0) for name, rows in sorted(counts.items(), key=lambda one: -one[1])]


def _file_bytes() -> int:
    file = Path(settings.DATABASES["default"]["NAME"])
    return sum(path.stat().st_size for path in file.parent.glob(f"{file.name}*"))


@dataclass
class Growth:
    """The samples of a run in order, and how each figure went."""

    samples: list[Sample] = field(default_factory=list)

    def course(self, name: str) -> dict[str, object]:
        """Return a figure at first, its median in each third of the run, at last, and what 1,000 more add to it."""
        first, middle, last = ([one.figures[name] for one in third] for third in _thirds(self.samples))
        return {
            "first": round(self.samples[0].figures[name], 1),
            "thirds": "/".join(f"{statistics.median(part):.1f}" for part in (first, middle, last)),
            "last": round(self.samples[-1].figures[name], 1),
            "for_1000_more": round(_for_1000(name, *_thirds(self._warm or self.samples)[1:]), 2),
        }

    @property
    def _warm(self) -> list[Sample]:
        """The samples after the first minutes; none where they are too few to tell growth from a busy minute."""
        warm = [one for one in self.samples if one.seconds >= WARM_UP_SECONDS]
        return warm if len(warm) >= LEAST_SAMPLES else []

    def unbounded(self) -> list[str] | None:
        """Return what keeps growing, with its growth for 1,000 invitations; None when the run was too short to tell."""
        if not self._warm:
            return None
        _, middle, last = _thirds(self._warm)
        found = []
        for name, bound in BOUNDS.items():
            grown = _median(last, name) - _median(middle, name)
            for_1000 = _for_1000(name, middle, last)
            if grown > bound.in_any_case and for_1000 > bound.for_1000:
                found.append(f"{name}: {for_1000:.1f} for 1,000 invitations")
        first, middle, last = _thirds(self.samples)
        before = _for_1000(DATABASE, first, middle)
        after = _for_1000(DATABASE, middle, last)
        if before > 0 and after > DATABASE_RATIO * before:
            found.append(f"{DATABASE}: {after:.1f} for 1,000 invitations, before {before:.1f}")
        return found


def _thirds(samples: Sequence[Sample]) -> tuple[Sequence[Sample], Sequence[Sample], Sequence[Sample]]:
    size = max(1, len(samples) // 3)
    return samples[:size], samples[size:-size] or samples[:size], samples[-size:]


def _median(samples: Sequence[Sample], name: str = "") -> float:
    return statistics.median(one.figures[name] if name else one.invitations for one in samples)


def _for_1000(name: str, earlier: Sequence[Sample], later: Sequence[Sample]) -> float:
    """Return by how much a figure grew for 1,000 invitations between two parts of a run."""
    more = _median(later) - _median(earlier)
    return 1000 * (_median(later, name) - _median(earlier, name)) / more if more else 0.0
