"""A backup is put back: what happened since is looked for or offered, nobody is invited or written of twice."""

from datetime import datetime
from functools import partial
from io import StringIO

from django.core.management import call_command

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.core.verdict_code import VerdictCode
from portal.devtools.chaos.every_point import databases
from portal.devtools.chaos.every_point.jobs.job import Job, Phase, completed, evaluate, invited
from portal.devtools.chaos.every_point.platforms import ACCOUNT
from portal.devtools.chaos.every_point.world import (
    INVITED_TAG,
    Expected,
    World,
    connect,
)

#: Between a backup and what happens then, and between the portal's end and what it then misses.
A_WHILE = 600.0


def restore(world: World) -> None:
    """After the backup one candidate has a result and another is invited; a third moves while the portal is down."""
    invited(world, "Alder")
    world.move("Alder")
    world.rest()
    since = world.clock.now()
    databases.back_up()
    world.clock.advance(A_WHILE)
    completed(world, "Alder", score=90, result="Passed")
    evaluate(world, "Alder", score=90, result="Passed")
    world.move("Birch")
    world.rest()
    until = world.clock.now()
    databases.put_back()
    world.clock.advance(A_WHILE)
    _miss(world, "Cedar")
    _record(world, since, until)
    # no row says so: they are offered
    world.expected["Birch"] = Expected((VerdictCode.ENTERED_BEFORE,), 1, (), INVITED_TAG)
    invited(world, "Cedar")
    world.rest_after_polls("Alder")
    world.sweep()


def later(world: World) -> None:
    """Neither a regrade nor another sweep does anything twice."""
    completed(world, "Alder", score=40, result="Failed", reason="Unit Tests")
    world.candidate_does("Alder", "regrade", score=40, result="Failed", reason="Unit Tests")
    world.rest_after_polls("Alder")
    world.sweep()


def _miss(world: World, word: str) -> None:
    world.platforms.lever_does("settings", webhooks_enabled=False)
    world.move(word)
    world.platforms.lever_does("settings", webhooks_enabled=True)


def _record(world: World, since: datetime, until: datetime) -> None:
    """A person says that a backup was put back, and connects Lever again."""
    times = ("--since", since.isoformat(), "--until", until.isoformat())
    command = partial(call_command, "restored", ACCOUNT, *times, stdout=StringIO())
    entries = AuditEntry.objects.filter(action=AuditAction.RECORD_RESTORE)
    world.person_does(lambda: not entries.exists(), command)
    connect(world.platforms)


JOB = Job("restore", (Phase("restore", "restore", restore), Phase("later", "restore", later)))
