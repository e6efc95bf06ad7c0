"""People are erased, by hand, by Lever and by age; and a backup is put back."""

from datetime import datetime
from functools import partial
from io import StringIO

from django.core.management import call_command
from django.db import connection

from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.clients.models import RECORDS_KEPT_FOR
from integrations.core.verdict_code import VerdictCode
from integrations.organizations.acts import set_policies
from integrations.privacy.models import Erasure
from integrations.queue.models.duty_run import Duty
from portal.devtools.chaos.every_point import databases
from portal.devtools.chaos.every_point.jobs.job import (
    FAILED,
    Status,
    evaluate,
    expect,
    invite,
    invited,
    skip,
)
from portal.devtools.chaos.every_point.platforms import ACCOUNT
from portal.devtools.chaos.every_point.world import (
    INVITED_TAG,
    PERSON,
    Expected,
    World,
    connect,
    email,
    opportunity_id,
)

DAY = 24 * 3600.0
RETENTION_DAYS = 30
#: An erasure is repeated once, for what a worker wrote that held a row meanwhile.
REPEATED_AFTER = 400.0
#: Longer than two runs overlap: what one run counts as read without having read it, no later one finds.
LATER = 1200.0


def forget(world: World) -> None:
    """A person is forgotten by the command, with a result and a report in Lever."""
    invite(world, "Alder")
    evaluate(world, "Alder")
    expect(world, "Alder", files=0)
    world.person_does(
        lambda: not _is_erased("Alder"), lambda: _command("forget", ACCOUNT, opportunity_id("Alder"))
    )
    world.rest()
    _leaves_nothing(world, "Alder")


def follow(world: World) -> None:
    """Lever anonymizes one person, while they are invited, and deletes another, whose webhook is lost."""
    invite(world, "Birch", "Cedar")
    world.platforms.lever_does("anonymize", opportunities=[opportunity_id("Birch")])
    world.platforms.lever_does("delete", opportunities=[opportunity_id("Cedar")])
    world.clock.advance(LATER)
    world.do_duty(Duty.FOLLOW_ERASURES)
    for word in ("Birch", "Cedar"):
        expect(world, word, statuses=None)
        _leaves_nothing(world, word)


def repeat(world: World) -> None:
    """The erasures are repeated once; people that Lever erased come back in no other way."""
    world.clock.advance(REPEATED_AFTER)
    world.do_duty(Duty.FOLLOW_ERASURES)
    world.sweep()


def retention(world: World) -> None:
    """What is older than the rules say goes: people who withdrew or were skipped, calls and bodies of webhooks."""
    skip(world)
    invite(world, "Dogwood")
    world.press("Dogwood", "cancel", Status.INVITED, Status.PENDING)
    # the note may not have been left before the erasure
    expect(world, "Dogwood", statuses=(Status.WITHDRAWN,), notes=frozenset({0, 1}))
    set_policies(world.organization, {"retention_days": RETENTION_DAYS}, PERSON)
    for _ in range(2):  # Lever's grant ends when it isn't used for as long
        world.clock.advance((RECORDS_KEPT_FOR.days / 2 + 1) * DAY)
        world.do_duty(Duty.REFRESH_GRANT)
    world.do_duty(Duty.PURGE)
    world.do_duty(Duty.REMOVE_OLD_RECORDS)
    for word in ("Nyssa", "Dogwood"):
        _leaves_nothing(world, word)


def _leaves_nothing(world: World, word: str) -> None:
    """Expect from now on that nothing in the database names the person."""
    if not _is_erased(word):
        world.violations.append(f"{word} wasn't erased")
    world.promises.append(partial(_traces_of, word))


def _traces_of(word: str) -> list[str]:
    """Return the tables in which the person's name or address stands."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            text = str(cursor.fetchall())
            found += [
                f"{table} names {word} after the erasure"
                for personal in (email(word), f"Candidate {word}")
                if personal in text
            ]
    return found


def _is_erased(word: str) -> bool:
    return Erasure.objects.filter(opportunity_id=opportunity_id(word)).exists()


def _command(*arguments: str) -> None:
    call_command(*arguments, stdout=StringIO(), stderr=StringIO())


#: Between a backup and what happens then, and between the portal's end and what it then misses.
A_WHILE = 600.0


def restore(world: World) -> None:
    """After the backup one candidate has a result and another is invited; a third moves while the portal is down."""
    invite(world, "Alder")
    since = world.clock.now()
    databases.back_up()
    world.clock.advance(A_WHILE)
    evaluate(world, "Alder")
    world.move("Birch")
    world.rest()
    until = world.clock.now()
    databases.put_back()
    world.clock.advance(A_WHILE)
    world.move_unnoticed("Cedar")
    _record(world, since, until)
    # no row says so: they are offered
    world.expected["Birch"] = Expected((VerdictCode.ENTERED_BEFORE,), 1, (), INVITED_TAG)
    invited(world, "Cedar")
    world.rest_after_polls("Alder")
    world.sweep()


def later(world: World) -> None:
    """Neither a regrade nor another sweep does anything twice."""
    evaluate(world, "Alder", FAILED, ("regrade",))
    world.sweep()


def _record(world: World, since: datetime, until: datetime) -> None:
    """A person says that a backup was put back, and connects Lever again."""
    times = ("--since", since.isoformat(), "--until", until.isoformat())
    command = partial(call_command, "restored", ACCOUNT, *times, stdout=StringIO())
    entries = AuditEntry.objects.filter(action=AuditAction.RECORD_RESTORE)
    world.person_does(lambda: not entries.exists(), command)
    connect(world.platforms)
