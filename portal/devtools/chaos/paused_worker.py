"""A cluster that is stopped in the midst of its calls, and wakes when others have its rows: it must change nothing."""

import os
import signal
import time
from collections.abc import Callable

from django.conf import settings
from django.db import OperationalError, connection

from integrations.models import Delivery, Effect, Heartbeat, Invitation
from integrations.models.leasing import LEASE
from portal.devtools.chaos.processes import Programs
from portal.devtools.chaos.tenants import TRIGGER
from portal.devtools.demo.environment import Stage
from portal.devtools.demo.provisioning import NotReady, control, wait_for
from portal.management.commands.serve import workers
from portal.process.supervisor import Program, Supervisor

SLOW_MS = 8000
LATE_ANSWERS = 8.0  # seconds a woken cluster gets to write whatever it would
PATIENCE = 60.0
LOOK_EVERY = 0.05

Row = tuple[str, int]


class Zombie:
    """The sleeping cluster, and what became of the rows it held."""

    CANDIDATES = 6

    def __init__(self, stage: Stage, programs: Programs, slug: str) -> None:
        self._stage = stage
        self._programs = programs
        self._slug = slug
        self.held = 0
        self.taken_over_after = 0.0
        self.told = 0
        self.changed: list[str] = []
        self.stopped_at = 0.0

    def rise(self, opportunities: list[str]) -> None:
        """Let a cluster that nobody watches take rows up, sleep, and wake when they are others'. Raises NotReady."""
        self._programs.stop_portal()
        self._programs.start_portal(has_workers=False)
        wait_for(f"{self._stage.portal_url}/healthz/live")
        rule = {"method": "POST", "path": "/api/assessments$", "kind": "delay", "delay_ms": SLOW_MS}
        control(self._stage.codescreen_url, "faults", seed=1, rules=[rule])
        unwatched = Program("sleeper", workers().argv)
        with Supervisor([unwatched]) as sleeper:
            move = {"account": self._slug, "opportunities": opportunities, "stage": TRIGGER}
            control(self._stage.lever_url, "move", **move)
            sending = Invitation.objects.filter(status="sending", opportunity_id__in=opportunities)
            self._wait_for(sending.all().exists)
            group = sleeper.groups[0].pid
            if group is None:
                raise NotReady("the cluster ended before it could sleep")
            self._stop(group)
            owners = holders()
            self.held = len(owners)
            control(self._stage.codescreen_url, "faults", seed=1, rules=[])
            self._programs.stop_portal()
            self._programs.start_portal()
            self._until_taken_over(owners)
            before = states(owners)
            os.killpg(group, signal.SIGCONT)
            time.sleep(LATE_ANSWERS)
            self._compare(before, states(owners))

    def _stop(self, group: int) -> None:
        """Stop the cluster, but not while it writes to SQLite: nobody else could, and no server ends that for it."""
        while True:
            os.killpg(group, signal.SIGSTOP)
            self.stopped_at = time.time()
            if is_writable():
                return
            os.killpg(group, signal.SIGCONT)
            time.sleep(LOOK_EVERY)

    def _wait_for(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > deadline:
                raise NotReady("the cluster that is to sleep took nothing up")
            time.sleep(LOOK_EVERY)

    def _until_taken_over(self, owners: dict[Row, str]) -> None:
        deadline = time.monotonic() + LEASE.total_seconds() + PATIENCE
        while any(holders().get(row) == owner for row, owner in owners.items()):
            if time.monotonic() > deadline:
                raise NotReady("what the sleeping cluster held wasn't taken over")
            time.sleep(LOOK_EVERY)
        self.taken_over_after = time.time() - self.stopped_at
        # let the others finish, so that every change after is the woken one's
        while time.monotonic() < deadline and owners.keys() & holders().keys():
            time.sleep(LOOK_EVERY)

    def _compare(self, before: dict[Row, object], after: dict[Row, object]) -> None:
        for row, state in before.items():
            if after[row] == state:
                continue
            if state == ("uncertain", "") and after[row] == ("done", ""):
                self.told += (
                    1  # the answer that nobody knew: CodeScreen's instance id, which only it had heard
                )
            else:
                self.changed.append(f"{row[0]} {row[1]}: {state} became {after[row]}")


def is_writable() -> bool:
    """Return whether nobody has SQLite's lock; a server's locks are a row's or end with their transaction."""
    if not settings.IS_SQLITE:
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=500")
        try:
            Heartbeat.beat("chaos")
        except OperationalError:
            return False
        finally:
            cursor.execute("PRAGMA busy_timeout=20000")
    return True


def holders() -> dict[Row, str]:
    """Return who holds which row."""
    found: dict[Row, str] = {}
    for model in (Effect, Delivery):
        rows = model._base_manager.exclude(lease_owner="").values_list("pk", "lease_owner")
        found |= {(model.__name__, pk): owner for pk, owner in rows}
    return found


def states(owners: dict[Row, str]) -> dict[Row, object]:
    """Return how the rows stand."""
    found: dict[Row, object] = {}
    for name, pk in owners:
        if name == "Effect":
            found[name, pk] = Effect.objects.values_list("state", "lease_owner").get(pk=pk)
        else:
            found[name, pk] = Delivery.objects.values_list("verdict", "lease_owner").get(pk=pk)
    return found
