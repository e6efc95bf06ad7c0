"""After the faults: let everything come to rest, without a person, and say what didn't."""

import time
from collections.abc import Callable, Collection
from io import StringIO

from django.core.management import call_command
from django.db import connections
from django.db.models import Q
from django.db.models.functions import Now

from integrations.models import Delivery, Effect, Invitation, db_clock
from integrations.models.db_retry import DATABASE_OUTAGE
from integrations.queue import notify
from portal.devtools.chaos import tenants
from portal.devtools.chaos.workload import pending
from portal.devtools.demo.environment import Stage

OVER = (Invitation.Status.COMPLETED, Invitation.Status.FAILED)
LOOK_EVERY = 0.5
HURRY_EVERY = 5.0


def patiently[Found](look: Callable[[], Found]) -> Found:
    """Ask the database, again when the connection was one of those that were cut."""
    for _ in range(60):
        try:
            return look()
        except DATABASE_OUTAGE:
            connections.close_all()
            time.sleep(0.5)
    return look()


def waiting() -> int:
    """Return how many rows still wait for a worker, now or later; not the e-mails that gather news for a while."""
    deliveries = Delivery.objects.filter(due_at__isnull=False).filter(Q(verdict="") | Q(due_at__lte=Now()))
    gathering = Q(kind=Effect.Kind.SEND_EMAIL, due_at__gt=Now(), attempts=0)
    return Effect.objects.filter(state=Effect.State.DUE).exclude(gathering).count() + deliveries.count()


def backlog() -> int:
    """Return how many rows a worker could take this moment."""
    return Effect.objects.due().count() + Delivery.objects.due().count()


def hurry() -> None:
    """Cut the waits of the backoff short: how long they are has tests of its own. Leases end by themselves."""
    for organization in tenants.organizations():
        Effect.objects.requeue(organization)
        Delivery.objects.filter(organization=organization, verdict="", due_at__gt=Now()).update(due_at=Now())
    Invitation.objects.filter(poll_failures__gt=0, next_poll_at__gt=Now()).update(next_poll_at=Now())
    notify.notify_workers()


def rest(stage: Stage, seconds: float, is_hurried: bool = True) -> int:
    """Return once nothing waits any more, or the time is up; how many rows are left waiting."""
    return _until_none(lambda: patiently(waiting) + pending(stage), seconds, is_hurried)


def _until_none(count: Callable[[], int], seconds: float, is_hurried: bool = True) -> int:
    deadline, hurried = time.monotonic() + seconds, 0.0
    while (left := count()) and time.monotonic() < deadline:
        if is_hurried and time.monotonic() - hurried > HURRY_EVERY:
            patiently(hurry)
            hurried = time.monotonic()
        time.sleep(LOOK_EVERY)
    return left


def sweep() -> int:
    """Sweep every organization; how many candidates that repaired, by the command's own words."""
    said = StringIO()
    for organization in tenants.organizations():
        call_command("sweep", organization.slug, stdout=said)
    return sum(int(line.rpartition(" ")[2]) for line in said.getvalue().splitlines() if line.strip())


def poll(addresses: Collection[str], seconds: float) -> int:
    """Have the workers ask CodeScreen about these people now; how many they haven't asked about in that time."""
    asked = patiently(db_clock.now)
    followed = Invitation.objects.filter(email__in=addresses).exclude(instance_id="").exclude(status__in=OVER)
    patiently(lambda: followed.update(next_poll_at=Now(), poll_failures=0))
    unasked = followed.exclude(polled_at__gte=asked)
    return _until_none(lambda: patiently(unasked.count), seconds)
