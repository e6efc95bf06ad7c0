"""A cluster that is paused in the midst of its calls and resumed when others have its rows: it must change nothing."""

import os
import signal
import time
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db import OperationalError, connection

from integrations.invitation_status import InvitationStatus
from integrations.models import Delivery, Effect, Heartbeat, Invitation
from integrations.models.leasing import LEASE
from portal.devtools.chaos import tenants
from portal.devtools.chaos.processes import Processes
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.waiting import wait_for_url, wait_until
from portal.process.programs import queue_cluster
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
