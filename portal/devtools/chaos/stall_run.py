"""Workers that stand still: idle ones killed, whole groups killed, and a cluster that wakes after its leases ended.

A django-q2 cluster often freezes when one of its idle processes is killed, and goes on looking alive.
"""

import os
import random
import signal
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass, field

from django.conf import settings

from integrations.models import Effect, Invitation
from integrations.models.leasing import LEASE
from portal.devtools.chaos import collect, quiesce, tenants
from portal.devtools.chaos.faults import Interruption
from portal.devtools.chaos.paused_worker import Zombie
from portal.devtools.chaos.processes import leaves, members
from portal.devtools.chaos.run import Run
from portal.devtools.chaos.table import Table
from portal.devtools.chaos.tenants import TRIGGER
from portal.devtools.chaos.verify import judge
from portal.devtools.demo.provisioning import NotReady, control

RECOVERY = {"idle": 10.0, "group": 60.0}  # seconds that are promised
GROUPS_IN = 2  # so many idle kills to each kill of the whole group
AUXILIARY = 2  # of the cluster's processes: one fetches tasks, one takes their results
SETTLED = 1.5  # seconds after which nobody works any more
LOOK_EVERY = 0.1


@dataclass
class Recoveries:
    """How long it took until the next candidate was invited, by what had been killed."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"idle": [], "group": []})
    wedged: int = 0


class Wedge(Run):
    """One run of kills, one at a time, each followed by a move."""

    def _prepare(self) -> None:
        self._chance = random.Random(self._options.seed)  # noqa: S311
        self._found = Recoveries()
        self._kills: list[Interruption] = []
        (self._slug,) = tenants.slugs(1)

    def run(self) -> Table:
        """Kill, move, measure; then let a cluster sleep through its leases. Raises NotReady."""
        groups = self._options.wedge // GROUPS_IN
        kinds = ["idle"] * self._options.wedge + ["group"] * groups
        self._chance.shuffle(kinds)
        everybody = tenants.generate(self._stage, self._slug, len(kinds) + Zombie.CANDIDATES)
        for number, kind in enumerate(kinds):
            self._turn(everybody[number], kind)
        self._say("The kills are over; now a cluster sleeps through its leases.")
        zombie = Zombie(self._stage, self._programs, self._slug)
        zombie.rise(everybody[len(kinds) :])
        self._kills.append(Interruption("workers", zombie.stopped_at))
        left = quiesce.rest(self._stage, self._options.phase_seconds)
        found = collect.collect(self._stage, self._slug, everybody, self._kills)
        return self._table(judge(found).broken, left, zombie)

    def _turn(self, opportunity: str, kind: str) -> None:
        if quiesce.rest(self._stage, self._options.phase_seconds, is_hurried=False):
            raise NotReady("the workers didn't come to rest")
        before = self._until_up()
        time.sleep(SETTLED)
        if kind == "idle":
            self._note(bool(self._programs.kill(self._chance, only="workers")))
        began = time.time()
        control(self._stage.lever_url, "move", account=self._slug, opportunities=[opportunity], stage=TRIGGER)
        if kind == "group":
            time.sleep(self._chance.random())  # somewhere between the webhook and the last tag
            self._kill_group()
            self._note(is_made=True)
        seconds = self._until_known(opportunity) - began
        self._found.seconds[kind].append(seconds)
        self._say(f"{kind}: {seconds:.1f} s")
        if kind == "idle" and self._programs.group("workers") != before:
            self._found.wedged += 1

    def _until_up(self) -> int:
        """Return the workers' process group once all of it has started."""
        deadline = time.monotonic() + self._options.phase_seconds
        while time.monotonic() < deadline:
            group = self._programs.group("workers")
            if group is not None and len(leaves(members(group), group)) >= settings.Q_WORKERS + AUXILIARY:
                return group
            time.sleep(LOOK_EVERY)
        raise NotReady("the workers didn't start")

    def _kill_group(self) -> None:
        while True:
            with suppress(ProcessLookupError):  # the supervisor has just replaced it: the next one then
                os.killpg(self._until_up(), signal.SIGKILL)
                return

    def _note(self, is_made: bool) -> None:
        if not is_made:
            raise NotReady("there was nobody to kill")
        self._kills.append(Interruption("workers", time.time()))

    def _until_known(self, opportunity: str) -> float:
        """Return when it was settled whether the candidate is invited: by CodeScreen's clock, or as uncertain."""
        deadline = time.monotonic() + self._options.phase_seconds
        rows = Invitation.objects.filter(opportunity_id=opportunity)
        while time.monotonic() < deadline:
            row = quiesce.patiently(rows.first)
            if row is not None and row.status in {"invited", "uncertain"}:
                return (row.invited_at or row.changed_at).timestamp()
            time.sleep(LOOK_EVERY)
        raise NotReady("nobody took the candidate up")

    def _table(self, broken: dict[str, list[str]], left: int, zombie: Zombie) -> Table:
        figures: dict[str, object] = {}
        for kind, promised in RECOVERY.items():
            seconds = self._found.seconds[kind] or [0.0]
            figures[f"{kind}_kills"] = len(self._found.seconds[kind])
            figures[f"median_recovery_after_{kind}_kill_seconds"] = statistics.median(seconds)
            figures[f"longest_recovery_after_{kind}_kill_seconds"] = max(seconds)
            if late := [f"{wait:.1f} s" for wait in seconds if wait > promised]:
                broken[f"late_after_{kind}_kill"] = late
            if kind == "idle":
                figures["clusters_wedged"] = self._found.wedged
        if zombie.changed:
            broken["fence"] = zombie.changed
        if left:
            broken["not_at_rest"] = [f"{left} rows"]
        uncertain = Invitation.objects.filter(status=Invitation.Status.UNCERTAIN).count()
        figures |= {
            "rows_held_by_the_sleeping_cluster": zombie.held,
            "seconds_until_they_were_taken_over": zombie.taken_over_after,
            "rows_changed_by_the_woken_cluster": len(zombie.changed),
            "told_by_its_late_answer": zombie.told,
            "lease_seconds": LEASE.total_seconds(),
            "invited_twice": len(broken.get("twice", [])),
            "lost": len(broken.get("lost", [])),
            "tags_wrong": len(broken.get("tags_wrong", [])),
            "uncertain": uncertain,
            "effects_failed": Effect.objects.filter(state=Effect.State.FAILED).count(),
        }
        return Table(
            f"{self._options.wedge} idle workers killed, and what else stands still", figures, broken
        )
