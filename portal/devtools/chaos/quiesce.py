"""Lets everything come to rest after the faults, without a person, and counts the rows that don't."""

import time
from collections.abc import Callable, Collection

from django.db import connections
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from integrations.core.invitation_status import InvitationStatus
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import notify
from integrations.store import database
from integrations.store.database import DATABASE_OUTAGE
from portal.devtools.chaos import tenants
from portal.devtools.chaos.load_generator import pending_deliveries
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed

NOT_POLLED = (InvitationStatus.COMPLETED, InvitationStatus.FAILED)
CHECK_EVERY = 0.5
SKIP_EVERY = 5.0
READ_ATTEMPTS = 60


def read_with_retry[Value](read: Callable[[], Value]) -> Value:
    """Return what is read from the database; it is read again when the connection was one of those that were cut."""
    for _ in range(READ_ATTEMPTS):
        try:
            return read()
        except DATABASE_OUTAGE:
            connections.close_all()
            time.sleep(0.5)
    return read()


def count_unfinished() -> int:
    """Return how many rows wait for a worker, now or later; not the e-mails that collect news before they are sent."""
    deliveries = Delivery.objects.filter(due_at__isnull=False).filter(Q(verdict="") | Q(due_at__lte=Now()))
    collecting = Q(kind=Effect.Kind.SEND_EMAIL, due_at__gt=Now(), attempts=0)
    return Effect.objects.filter(state=Effect.State.DUE).exclude(collecting).count() + deliveries.count()


def count_due() -> int:
    """Return how many rows a worker could claim now."""
    return Effect.objects.due().count() + Delivery.objects.due().count()


def skip_backoff() -> None:
    """Make everything that waits for its next attempt due now; leases still have to run out."""
    Effect.objects.requeue(tenants.organization())
    Delivery.objects.filter(verdict="", due_at__gt=Now()).update(due_at=Now())
    Invitation.objects.filter(poll_failures__gt=0, next_poll_at__gt=Now()).update(next_poll_at=Now())
    notify.notify_workers()


def wait_until_idle(environment: DemoEnvironment, seconds: float, skips_backoff: bool = True) -> int:
    """Return once nothing waits any more or the time is up; how many rows and webhooks still wait."""

    def count() -> int:
        return read_with_retry(count_unfinished) + pending_deliveries(environment)

    return _wait_until_none(count, seconds, skips_backoff)


def _wait_until_none(count: Callable[[], int], seconds: float, skips_backoff: bool = True) -> int:
    deadline, skipped_at = time.monotonic() + seconds, 0.0
    while (left := count()) and time.monotonic() < deadline:
        if skips_backoff and time.monotonic() - skipped_at > SKIP_EVERY:
            read_with_retry(skip_backoff)
            skipped_at = time.monotonic()
        time.sleep(CHECK_EVERY)
    return left


def sweep() -> int:
    """Sweep; return how many candidates that repaired. Raises RunFailed."""
    try:
        return queue_acts.sweep_organization(tenants.organization())
    except PlatformError as error:
        raise RunFailed(f"the sweep could not be done: {error}") from error


def poll(addresses: Collection[str], seconds: float) -> int:
    """Have the workers poll CodeScreen about these people now; return how many weren't polled in that time."""
    began = read_with_retry(database.now)
    followed = Invitation.objects.filter(email__in=addresses)
    followed = followed.exclude(instance_id="").exclude(status__in=NOT_POLLED)
    read_with_retry(lambda: followed.update(next_poll_at=Now(), poll_failures=0))
    unpolled: QuerySet[Invitation] = followed.exclude(polled_at__gte=began)
    return _wait_until_none(lambda: read_with_retry(unpolled.count), seconds)
