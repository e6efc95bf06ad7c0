"""The queue's table of contents: load, call one step, ring the next bell. Joins the steps with their clients."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from integrations.clients import provider
from integrations.clients.context import CallContext
from integrations.clients.provider import clients_for
from integrations.http.errors import CallDeferred, NotConnected, PlatformError
from integrations.lever.payloads import Opportunity
from integrations.models import Delivery, Effect, Heartbeat, Invitation, LeverConnection, Organization
from integrations.models.db_retry import DATABASE_OUTAGE
from integrations.models.leasing import MAX_CONSECUTIVE_CRASHES, NO_OUTCOME, masked_traceback
from integrations.queue import liveness, notify
from integrations.workflow.catalog import sync
from integrations.workflow.effects import perform
from integrations.workflow.email import connection_notices
from integrations.workflow.health import incidents
from integrations.workflow.inbox import delivery_handling, facts, sweep
from integrations.workflow.operations.replay import replay_delivery
from integrations.workflow.outbox.retry_policy import backoff
from integrations.workflow.results import poll as poll_step
from integrations.workflow.results import poll_schedule
from integrations.workflow.results.poll import PollOutcome
from integrations.workflow.rules.facts import Decision

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 20.0
MEANWHILE_SECONDS, MEANWHILE_PAUSE = 5.0, 1.0
#: What a worker that does something long works meanwhile must be over before it is killed: its last jobs may be in the
#: midst of slow calls, whose outcome nobody would know.
LAST_JOBS_SECONDS = 130.0

Job = Callable[[], None]


def _read(organization_id: int) -> Organization:
    return Organization.objects.with_connections().get(pk=organization_id)


# the worker


def drain(seconds: float = DRAIN_SECONDS) -> None:
    """Work every due row until nothing is due or the time is up; any number may run at once."""
    deadline = time.monotonic() + seconds
    workers: list[threading.Thread] = []
    try:
        while time.monotonic() < deadline:
            Heartbeat.beat(liveness.DRAIN)
            workers = [worker for worker in workers if worker.is_alive()]
            is_due = liveness.has_due()
            if not is_due and not workers:
                return
            if is_due and len(workers) < settings.DRAIN_THREADS:
                worker = threading.Thread(target=_work_in_thread, args=(deadline,), daemon=True)
                worker.start()
                workers.append(worker)
            time.sleep(0.05)
    finally:
        for worker in workers:
            while worker.is_alive():
                worker.join(1.0)
                Heartbeat.beat(liveness.DRAIN)


@contextmanager
def keep_draining() -> Iterator[None]:
    """Go on working due rows in a thread of its own while this worker does something long.

    Otherwise a few long tasks at once would leave nobody for the candidates, and look like a cluster that froze. It
    ends early enough that a worker which is killed for taking too long isn't in the midst of somebody's invitation.
    """
    is_over = threading.Event()
    deadline = time.monotonic() + notify.LONG_SECONDS - LAST_JOBS_SECONDS
    worker = threading.Thread(target=_drain_until, args=(is_over, deadline), daemon=True)
    worker.start()
    try:
        yield
    finally:
        is_over.set()
        worker.join()


def _drain_until(is_over: threading.Event, deadline: float) -> None:
    try:
        while not is_over.is_set() and time.monotonic() < deadline:
            try:
                drain(MEANWHILE_SECONDS)
            except (DatabaseError, InterfaceError):
                logger.warning("the database went away while something long was done", exc_info=True)
                connection.close()
            is_over.wait(MEANWHILE_PAUSE)
    finally:
        connection.close()


def _work_in_thread(deadline: float) -> None:
    try:
        work(deadline)
    except (DatabaseError, InterfaceError):
        logger.warning("the database went away; the leases end by themselves", exc_info=True)
    finally:
        connection.close()


def work(deadline: float | None = None, most: int | None = None) -> int:
    """Work due rows in this thread until none is left, the deadline passes or `most` are worked; how many."""
    count = 0
    while (deadline is None or time.monotonic() < deadline) and (most is None or count < most):
        job = _next_job(count)
        if job is None:
            break
        job()
        count += 1
    return count


def _next_job(turn: int) -> Job | None:
    """Claim one due row; the kinds take turns, so that many of one don't keep the others waiting."""
    owner = uuid.uuid4().hex
    kinds: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
        (lambda: Effect.claim(owner), _perform),
        (lambda: Delivery.claim(owner), decide),
        (poll_schedule.claim_poll, poll),
    ]
    for step in range(len(kinds)):
        claim, work_on = kinds[(turn + step) % len(kinds)]
        row = claim()
        if row is not None:
            return partial(work_on, row)
    return None


def _perform(effect: Effect) -> None:
    effect.organization = _read(effect.organization_id)
    context = CallContext(effect=effect, opportunity_id=effect.opportunity_id)
    perform.perform(effect, clients_for(effect.organization, context))


def decide(delivery: Delivery) -> None:
    """Bring one claimed delivery to its verdict, or say why not yet and when it is tried again."""
    if delivery.is_poison:
        logger.error("delivery %s is given up: its workers don't live to tell why", delivery.pk)
        delivery.release(due_at=None, last_error=NO_OUTCOME.format(count=MAX_CONSECUTIVE_CRASHES))
        return
    organization = delivery.organization = _read(delivery.organization_id)
    clients = clients_for(
        organization, CallContext(delivery=delivery, opportunity_id=delivery.opportunity_id)
    )
    try:
        delivery_handling.handle_delivery(delivery, clients)
    except delivery_handling.LeaseLost:
        return
    except CallDeferred as error:
        delivery.release(
            due_at=Now() + timedelta(seconds=error.retry_after or 1), attempts=delivery.attempts - 1
        )
    except PlatformError as error:
        connection_notices.notify_reconnect_needed(organization)
        if error.status == 401 and error.permanent:
            _notice_refused_key(organization)
        wait = timedelta(seconds=1) if isinstance(error, NotConnected) else backoff(delivery.attempts)
        if error.retry_after is not None:
            wait = timedelta(seconds=max(1.0, error.retry_after))
        delivery.release(due_at=Now() + wait, last_error=str(error))
    except DATABASE_OUTAGE:
        raise  # the lease ends by itself, and another worker decides it when the database is back
    except Exception as error:  # noqa: BLE001 - a bug on one row must not stop the others
        logger.error("delivery %s could not be decided\n%s", delivery.pk, masked_traceback(error))
        is_poison = delivery.consecutive_crashes >= MAX_CONSECUTIVE_CRASHES
        delivery.release(
            due_at=None if is_poison else Now() + backoff(delivery.consecutive_crashes),
            last_error=f"The portal failed on this: {type(error).__name__}.",
            traceback=masked_traceback(error),
            consecutive_crashes=0 if is_poison else delivery.consecutive_crashes,
        )


def _notice_refused_key(organization: Organization) -> None:
    """A 401 while gathering facts is CodeScreen's when Lever's connection still works."""
    lever = LeverConnection.objects.filter(organization=organization).first()
    if lever is None or not lever.is_working:
        return
    try:
        sync.refresh_assessments(organization, provider.codescreen_client(organization))
    except PlatformError as error:
        if error.status == 401:
            sync.mark_key_refused(organization, str(error))


def poll(invitation: Invitation) -> PollOutcome:
    """Ask CodeScreen about one claimed invitation."""
    organization = invitation.organization = _read(invitation.organization_id)
    return poll_step.poll(
        invitation, clients_for(organization, CallContext(opportunity_id=invitation.opportunity_id))
    )


# what people ask for, and the schedules of upkeep.py


def poll_organization(organization: Organization, everything: bool = False) -> int:
    """Ask CodeScreen about every open invitation now, with `everything` about completed ones too; how many."""
    rows = Invitation.objects.followed().filter(organization=organization)
    if not everything:
        rows = rows.exclude(status__in=[Invitation.Status.COMPLETED, Invitation.Status.FAILED])
    count = 0
    for invitation in rows.iterator():
        poll(invitation)
        count += 1
    notify.notify_workers()
    return count


def sweep_organization(organization: Organization, is_full: bool = True) -> int:
    """Reconcile one organization with Lever now; how many it repaired. Raises PlatformError."""
    organization = _read(organization.pk)
    repaired = sweep.sweep(organization, clients_for(organization), is_full)
    if repaired:
        logger.warning("sweep repaired %s invitation(s) of %s", repaired, organization.slug)
        incidents.update_incidents(organization)
    notify.notify_workers()
    return repaired


def replay(delivery: Delivery, actor: Any) -> Decision:
    """Decide a stored delivery again. Raises actions.NotPossible and PlatformError."""
    decision = replay_delivery(
        delivery, clients_for(_read(delivery.organization_id), CallContext(delivery=delivery)), actor
    )
    notify.notify_workers()
    return decision


def preview(delivery: Delivery) -> Decision:
    """Return the verdict a delivery would get now; writes nothing. Raises PlatformError."""
    return facts.preview(
        delivery, clients_for(_read(delivery.organization_id), CallContext(delivery=delivery))
    )


def opportunities_of(organization: Organization, address: str, most: int) -> list[Opportunity]:
    """Return the opportunities in Lever of who has that e-mail address. Raises PlatformError."""
    lever = clients_for(_read(organization.pk)).lever()
    return list(islice(lever.opportunities(email=address), most))


def dry_run(organization: Organization, opportunity_id: str, stage_id: str) -> delivery_handling.DryRun:
    """Return what would follow if the candidate entered the stage now.

    Writes nothing but the copies of the platforms' lists and the record of its calls. Raises PlatformError.
    """
    organization = _read(organization.pk)
    clients = clients_for(organization)
    delivery, gathered = facts.dry_run_facts(organization, opportunity_id, stage_id, clients)
    return delivery_handling.dry_run(delivery, gathered)
