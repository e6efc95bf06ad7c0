"""Workers that stand still: idle ones killed, whole clusters killed, and a cluster paused beyond its leases.

A django-q2 cluster often stops working when one of its idle processes is killed, and still looks alive.
"""

import os
import random
import signal
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.db import OperationalError, connection

from integrations.core.invitation_status import InvitationStatus
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue.models.nodes import Heartbeat
from integrations.store.leasing import LEASE
from portal.devtools.chaos import quiesce, tenants
from portal.devtools.chaos.environment import Interrupted, Interruption
from portal.devtools.chaos.processes import WORKERS, Processes
from portal.devtools.chaos.run import Run, Table, Verification, Violation
from portal.devtools.chaos.verification import collect_evidence, verify
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed, leaves, members, wait_for_url, wait_until
from portal.process.startup import queue_cluster
from portal.process.supervisor import Program, Supervisor

SLOW_CALL_MS = 8000
LATE_ANSWER_SECONDS = 8.0  # that a resumed cluster gets to write whatever it would
WAIT_SECONDS = 60.0
CHECK_EVERY = 0.05


class LeasedTable(StrEnum):
    """The tables whose rows are leased."""

    DELIVERY = "Delivery"
    EFFECT = "Effect"


@dataclass(frozen=True)
class LeasedRow:
    """A row that a worker held."""

    table: LeasedTable
    pk: int

    def __str__(self) -> str:
        return f"{self.table} {self.pk}"


@dataclass(frozen=True)
class RowState:
    """A row's verdict or effect state, and who holds it."""

    state: str
    lease_owner: str


UNCERTAIN, DONE = RowState(Effect.State.UNCERTAIN, ""), RowState(Effect.State.DONE, "")


class PausedCluster:
    """The paused cluster, and what became of the rows it held."""

    CANDIDATES = 6

    def __init__(self, environment: DemoEnvironment, processes: Processes, slug: str) -> None:
        self._environment = environment
        self._processes = processes
        self._slug = slug
        self.held = 0
        self.taken_over_after = 0.0
        self.resolved = 0
        self.changed: list[str] = []
        self.paused_at = 0.0

    def run(self, opportunities: list[str]) -> None:
        """Let a cluster without supervision claim rows, pause it, and resume it when others have them.

        Raises RunFailed.
        """
        lever, codescreen = self._environment.lever, self._environment.codescreen
        self._processes.stop_portal()
        self._processes.start_portal(has_workers=False)
        wait_for_url(f"{self._environment.portal_url}/healthz/live")
        slow_calls = {
            "method": "POST",
            "path": "/api/assessments$",
            "kind": "delay",
            "delay_ms": SLOW_CALL_MS,
        }
        codescreen.set_faults(1, [slow_calls])
        # its silence isn't watched, so that it isn't replaced while it is paused
        with Supervisor([Program("paused", queue_cluster().argv)]) as supervisor:
            tenants.move(lever, self._slug, opportunities)
            sending = Invitation.objects.filter(
                status=InvitationStatus.SENDING, opportunity_id__in=opportunities
            )
            wait_until(
                sending.all().exists, WAIT_SECONDS, "the cluster to be paused claimed nothing", CHECK_EVERY
            )
            group = supervisor.runs["paused"].pid
            self._pause(group)
            owners = read_owners()
            self.held = len(owners)
            codescreen.set_faults(1, [])
            self._processes.stop_portal()
            self._processes.start_portal()
            self._wait_until_taken_over(owners)
            before = {row: read_state(row) for row in owners}
            os.killpg(group, signal.SIGCONT)
            time.sleep(LATE_ANSWER_SECONDS)
            self._compare(before)

    def _pause(self, group: int) -> None:
        """Stop the cluster, but not while it holds SQLite's write lock, which no server would end for the others."""
        while True:
            os.killpg(group, signal.SIGSTOP)
            self.paused_at = time.time()
            if is_writable():
                return
            os.killpg(group, signal.SIGCONT)
            time.sleep(CHECK_EVERY)

    def _wait_until_taken_over(self, owners: dict[LeasedRow, str]) -> None:
        def are_taken_over() -> bool:
            current = read_owners()
            return not any(current.get(row) == owner for row, owner in owners.items())

        seconds = LEASE.total_seconds() + WAIT_SECONDS
        deadline = time.monotonic() + seconds
        failure = "no other worker took over what the paused cluster held"
        wait_until(are_taken_over, seconds, failure, CHECK_EVERY)
        self.taken_over_after = time.time() - self.paused_at
        # let the others finish, so that every later change is the resumed cluster's
        while time.monotonic() < deadline and owners.keys() & read_owners().keys():
            time.sleep(CHECK_EVERY)

    def _compare(self, before: dict[LeasedRow, RowState]) -> None:
        for row, old in before.items():
            new = read_state(row)
            if new == old:
                continue
            if (old, new) == (UNCERTAIN, DONE):
                self.resolved += 1  # by CodeScreen's answer, which only the paused cluster received
            else:
                self.changed.append(f"{row}: {old} became {new}")


def is_writable() -> bool:
    """Whether no process holds SQLite's write lock; a server's locks are a row's, or end with their transaction."""
    if not settings.IS_SQLITE:
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=500")
        try:
            Heartbeat.beat()
        except OperationalError:
            return False
        finally:
            cursor.execute("PRAGMA busy_timeout=20000")
    return True


def read_owners() -> dict[LeasedRow, str]:
    """Return the owner of each lease."""
    effects = Effect.objects.exclude(lease_owner="").values_list("pk", "lease_owner")
    deliveries = Delivery.objects.exclude(lease_owner="").values_list("pk", "lease_owner")
    owners = {LeasedRow(LeasedTable.EFFECT, pk): owner for pk, owner in effects}
    return owners | {LeasedRow(LeasedTable.DELIVERY, pk): owner for pk, owner in deliveries}


def read_state(row: LeasedRow) -> RowState:
    """Return the present state of a row."""
    if row.table is LeasedTable.EFFECT:
        return RowState(*Effect.objects.values_list("state", "lease_owner").get(pk=row.pk))
    return RowState(*Delivery.objects.values_list("verdict", "lease_owner").get(pk=row.pk))


IDLE_KILLS_PER_GROUP_KILL = 2
AUXILIARY = 2  # of the cluster's processes: one fetches tasks, one takes their results
IDLE_AFTER = 1.5  # seconds after which no worker is busy any more
KNOWN = (InvitationStatus.INVITED, InvitationStatus.UNCERTAIN)


class Kill(StrEnum):
    """What is killed at once."""

    IDLE = "idle"
    GROUP = "group"


#: The seconds within which work has to go on, and the violation if it doesn't.
PROMISED = {
    Kill.IDLE: (10.0, Violation.LATE_AFTER_IDLE_KILL),
    Kill.GROUP: (60.0, Violation.LATE_AFTER_GROUP_KILL),
}


@dataclass
class Recoveries:
    """The seconds until the next candidate was invited, by what had been killed."""

    seconds: dict[Kill, list[float]] = field(default_factory=lambda: {kill: [] for kill in Kill})
    replaced_clusters: int = 0


class StallRun(Run):
    """One run of kills, one at a time, each followed by a move."""

    def _prepare(self) -> None:
        self._random = random.Random(self._options.seed)  # noqa: S311
        self._recoveries = Recoveries()
        self._interruptions: list[Interruption] = []
        (self._slug,) = tenants.slugs(1)

    def run(self) -> Table:
        """Kill, move, measure; then pause a cluster until its leases have run out. Raises RunFailed."""
        kills = [Kill.IDLE] * self._options.stall
        kills += [Kill.GROUP] * (self._options.stall // IDLE_KILLS_PER_GROUP_KILL)
        self._random.shuffle(kills)
        count = len(kills) + PausedCluster.CANDIDATES
        candidates = tenants.create_candidates(self._lever, self._slug, count)
        for opportunity, kill in zip(candidates, kills, strict=False):
            self._kill_and_move(opportunity, kill)
        self._log("The kills are over; now a cluster is paused until its leases have run out.")
        paused = PausedCluster(self._environment, self._processes, self._slug)
        paused.run(candidates[len(kills) :])
        self._interruptions.append(Interruption(Interrupted.WORKERS, paused.paused_at))
        unfinished = quiesce.wait_until_idle(self._environment, self._options.phase_seconds)
        verification = verify(
            collect_evidence(self._environment, self._slug, candidates, self._interruptions)
        )
        verification.record_rows_not_at_rest(unfinished)
        return self._table(verification, paused)

    def _kill_and_move(self, opportunity: str, kill: Kill) -> None:
        if quiesce.wait_until_idle(self._environment, self._options.phase_seconds, skips_backoff=False):
            raise RunFailed("the workers didn't come to rest")
        group = self._wait_for_workers()
        time.sleep(IDLE_AFTER)
        if kill is Kill.IDLE and not self._processes.kill(self._random, only=WORKERS):
            raise RunFailed("there was no idle worker to kill")
        began = time.time()
        if kill is Kill.IDLE:
            self._interruptions.append(Interruption(Interrupted.WORKERS, began))
        tenants.move(self._lever, self._slug, [opportunity])
        if kill is Kill.GROUP:
            time.sleep(self._random.random())  # somewhere between the webhook and the last tag
            self._kill_group()
            self._interruptions.append(Interruption(Interrupted.WORKERS, time.time()))
        seconds = self._wait_until_known(opportunity) - began
        self._recoveries.seconds[kill].append(seconds)
        self._log(f"{kill}: {seconds:.1f} s")
        if kill is Kill.IDLE and self._processes.group(WORKERS) != group:
            self._recoveries.replaced_clusters += 1

    def _wait_for_workers(self) -> int:
        """Return the workers' process group once all of its processes have started."""

        def started_group() -> int | None:
            group = self._processes.group(WORKERS)
            if group is None or len(leaves(members(group), group)) < settings.Q_WORKERS + AUXILIARY:
                return None
            return group

        return wait_until(started_group, self._options.phase_seconds, "the workers didn't start")

    def _kill_group(self) -> None:
        while True:
            with suppress(ProcessLookupError):  # the supervisor has just replaced it: kill the new one
                os.killpg(self._wait_for_workers(), signal.SIGKILL)
                return

    def _wait_until_known(self, opportunity: str) -> float:
        """Return when the candidate was invited, by CodeScreen's clock, or the invitation became uncertain."""
        invitations = Invitation.objects.filter(opportunity_id=opportunity, status__in=KNOWN)
        invitation = wait_until(
            lambda: quiesce.read_with_retry(invitations.all().first),
            self._options.phase_seconds,
            "no worker sent the invitation",
        )
        return (invitation.invited_at or invitation.changed_at).timestamp()

    def _table(self, verification: Verification, paused: PausedCluster) -> Table:
        figures: dict[str, object] = {}
        for kill, (promised, violation) in PROMISED.items():
            seconds = self._recoveries.seconds[kill]
            figures[f"{kill}_kills"] = len(seconds)
            figures[f"median_recovery_after_{kill}_kill_seconds"] = statistics.median(seconds or [0.0])
            figures[f"longest_recovery_after_{kill}_kill_seconds"] = max(seconds, default=0.0)
            late = [f"{value:.1f} s" for value in seconds if value > promised]
            verification.record_violation(violation, *late)
        verification.record_violation(Violation.CHANGED_AFTER_LEASE, *paused.changed)
        figures |= {
            "clusters_replaced_after_an_idle_kill": self._recoveries.replaced_clusters,
            "rows_held_by_the_paused_cluster": paused.held,
            "seconds_until_they_were_taken_over": paused.taken_over_after,
            "rows_changed_by_the_resumed_cluster": len(paused.changed),
            "resolved_by_its_late_answer": paused.resolved,
            "lease_seconds": LEASE.total_seconds(),
            **verification.numbers_of(Violation.INVITED_TWICE, Violation.LOST, Violation.TAGS_WRONG),
            "uncertain": Invitation.objects.filter(status=InvitationStatus.UNCERTAIN).count(),
            "effects_failed": Effect.objects.filter(state=Effect.State.FAILED).count(),
        }
        title = f"{self._options.stall} idle workers killed, whole clusters killed, and one paused"
        return Table(title, figures, verification.broken)
