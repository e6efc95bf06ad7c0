"""Whether one node does every duty of thousands of organizations within its interval, and what a duty costs."""

import resource
import time
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import connections
from django.db.models import Avg, Max, Min
from django.utils import timezone

from integrations.models import DutyRun
from integrations.models.duty_run import INTERVALS, Duty
from portal.devtools.benchmarks.benchmark import Benchmark, Setup
from portal.devtools.benchmarks.customers import connected_organizations
from portal.devtools.benchmarks.platforms import pretend_platforms
from portal.devtools.benchmarks.report import Report, Table
from portal.devtools.demo.environment import DemoEnvironment
from portal.process.programs import queue_cluster
from portal.process.supervisor import Supervisor

ANSWER_SECONDS = 0.15
#: What must be done for every organization within its interval.
WATCHED = (Duty.SWEEP, Duty.REFRESH_LEVER_LISTS, Duty.REFRESH_ASSESSMENTS, Duty.PROBE_LEVER)


@dataclass(frozen=True)
class DutyAge:
    """One duty over all organizations: how many were done, how long ago the stalest one was, and the mean duration."""

    duty: Duty
    done: int
    stalest: timedelta
    mean_ms: float

    def as_row(self) -> tuple[str, ...]:
        """Return the row of the table."""
        interval = INTERVALS[self.duty]
        within = "within" if self.stalest <= interval else "BEYOND"
        return (
            self.duty.label,
            str(self.done),
            f"{self.stalest.total_seconds():.0f} s, {within} its {interval.total_seconds():.0f} s",
            f"{self.mean_ms:.0f} ms",
        )


class DutiesBenchmark(Benchmark):
    """One node does the duties of many organizations."""

    name = "duties"
    help = "one node does every duty of so many organizations: how stale each gets"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add how many organizations, and how long."""
        parser.add_argument("--organizations", type=int, default=5000, help="how many (default 5,000)")
        parser.add_argument("--minutes", type=float, default=15.0, help="how long (default 15)")

    def run(self, setup: Setup) -> Report:
        """Let one node work."""
        options = setup.options
        return _run(setup.environment, options.organizations, options.minutes * 60, setup.log)


def _run(environment: DemoEnvironment, count: int, seconds: float, log: Callable[[str], None]) -> Report:
    """Let one node's workers do the duties for so many seconds, and return what they reached."""
    connected_organizations(count)
    connections.close_all()
    began_at = timezone.now()
    with pretend_platforms(environment, ANSWER_SECONDS):
        began, cpu_before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        with Supervisor([queue_cluster()]) as supervisor:
            while (elapsed := time.monotonic() - began) < seconds:
                time.sleep(min(60.0, seconds - elapsed))
                supervisor.reconcile()
                log(_progress(time.monotonic() - began))
            ages = [_age(duty) for duty in WATCHED]
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = cpu.ru_utime + cpu.ru_stime - cpu_before.ru_utime - cpu_before.ru_stime
    attempts = sum(DutyRun.objects.values_list("attempts", flat=True))
    table = Table(
        f"{count:,} organizations, {seconds:.0f} s, platforms answer after {ANSWER_SECONDS * 1000:.0f} ms",
        ("duty", "done", "the stalest, ago", "each takes"),
        [age.as_row() for age in ages],
    )
    table.rows.append(
        ("all", f"{attempts:,}", "", f"{cpu_seconds / attempts * 1000:.0f} ms of the workers' CPU")
    )
    numbers = {
        "attempts": attempts,
        "cpu_seconds": cpu_seconds,
        "failed": DutyRun.objects.filter(failures__gt=0).count(),
        "began": began_at.isoformat(),
    }
    return Report([table], numbers)


def _progress(elapsed: float) -> str:
    late = DutyRun.objects.due()
    oldest = late.aggregate(at=Min("due_at"))["at"]
    waited = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    done = sum(DutyRun.objects.values_list("attempts", flat=True))
    return f"{elapsed:6.0f} s: {done:,} done, {late.count():,} due, the oldest for {waited:.0f} s"


def _age(duty: Duty) -> DutyAge:
    rows = DutyRun.objects.filter(duty=duty)
    figures = rows.aggregate(
        succeeded_at=Min("succeeded_at"), mean=Avg("duration_ms"), created_at=Max("created_at")
    )
    done = rows.filter(succeeded_at__isnull=False)
    is_complete = done.count() == rows.count()
    oldest = figures["succeeded_at"] if is_complete else figures["created_at"]
    return DutyAge(duty, done.count(), timezone.now() - (oldest or timezone.now()), figures["mean"] or 0.0)
