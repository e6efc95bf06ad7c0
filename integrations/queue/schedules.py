"""What is done by the clock: reconcile, refresh, warn, tidy. The schedules are written from here."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.utils import timezone
from django_q.models import Schedule

from integrations.clients import provider, tokens
from integrations.http.errors import PlatformError
from integrations.models import CodeScreenConnection, Delivery, LeverConnection, LeverWebhook, Organization
from integrations.models.db_retry import DATABASE_OUTAGE
from integrations.models.leasing import masked_traceback
from integrations.queue import notify, worker
from integrations.workflow.catalog import sync
from integrations.workflow.email import connection_notices
from integrations.workflow.health import incidents, lever_probe, linter_history
from integrations.workflow.operations import retention, waiting
from integrations.workflow.operations.codescreen_connection import verify_codescreen_key

logger = logging.getLogger(__name__)

KEEP_ALIVE_AFTER = timedelta(hours=20)


def record_lint_findings() -> None:
    """Remember what the linter finds, so that people see what is new."""
    for organization in Organization.objects.all():
        linter_history.record_findings(organization)


def update_incidents() -> None:
    """Tell each organization's members what began to be broken or to wait for them, and what is over."""
    for organization in Organization.objects.with_connections():
        try:
            incidents.update_incidents(organization)
        except DATABASE_OUTAGE:
            raise
        except Exception as error:  # noqa: BLE001 - one organization's row must not silence the others
            logger.error("watching %s failed: %s", organization.slug, masked_traceback(error))


def sweep_all(is_full: bool = False) -> None:
    """Reconcile every organization; one that fails doesn't stop the others."""
    for organization in Organization.objects.filter(paused=False):
        try:
            worker.sweep_organization(organization, is_full)
        except PlatformError as error:
            logger.warning("sweep of %s: %s", organization.slug, error)
        except DATABASE_OUTAGE:
            raise
        except Exception as error:  # noqa: BLE001 - a bug on one row must not stop the others
            logger.error("sweep of %s failed: %s", organization.slug, masked_traceback(error))


def sweep_all_fully() -> None:
    """Reconcile with everybody in a trigger stage, whether Lever says that they changed or not."""
    sweep_all(is_full=True)


def refresh_grants() -> None:
    """Refresh each grant daily, so that a quiet customer's refresh token never dies of 90 idle days."""
    due = LeverConnection.objects.filter(
        state=LeverConnection.State.CONNECTED, refreshed_at__lt=timezone.now() - KEEP_ALIVE_AFTER
    )
    for grant in due.select_related("organization"):
        if not grant.refresh_token:  # encrypted, so it can't be asked for in the query
            continue
        try:
            tokens.token_manager(grant).renew(grant.access_token)
        except PlatformError as error:
            logger.warning("keep-alive of %s: %s", grant.organization.slug, error)
            connection_notices.notify_reconnect_needed(grant.organization)


def refresh_catalogs() -> None:
    """Read every organization's roles, stages and assessments again."""
    for organization in Organization.objects.filter(paused=False):
        clients = provider.clients_for(organization)
        try:
            sync.refresh_stages(organization, clients.lever())
            sync.refresh_roles(organization, clients.lever())
        except PlatformError as error:
            logger.info("Lever's lists of %s: %s", organization.slug, error)
        try:
            sync.refresh_assessments(organization, clients.codescreen())
        except PlatformError as error:
            logger.info("CodeScreen's list of %s: %s", organization.slug, error)


def probe_lever() -> None:
    """Look at every organization's Lever for what the doctor says: webhooks, feedback template, author, silence."""
    working = Organization.objects.filter(lever_connection__state=LeverConnection.State.CONNECTED)
    for organization in working.filter(paused=False):
        try:
            lever_probe.probe(organization, provider.clients_for(organization).lever())
        except PlatformError as error:
            logger.info("checkup of %s: %s", organization.slug, error)
        except DATABASE_OUTAGE:
            raise
        except Exception as error:  # noqa: BLE001 - one organization's row must not keep the others from being looked at
            logger.error("checkup of %s failed: %s", organization.slug, masked_traceback(error))


def refresh_catalog(organization_id: int) -> None:
    """Read one organization's lists now, because it was just connected or somebody waits for them.

    A key that was never tried is proved or refused by this. The worker goes on working due rows meanwhile.
    """
    with worker.keep_draining():
        _read_lists(Organization.objects.get(pk=organization_id))
    notify.notify_workers()


def _read_lists(organization: Organization) -> None:
    try:
        lever = provider.lever_client(organization)
        sync.refresh_stages(organization, lever)
        sync.refresh_roles(organization, lever)
    except PlatformError as error:
        logger.info("Lever's lists of %s: %s", organization.slug, error)
    try:
        verify_codescreen_key(organization, provider.codescreen_client(organization, allow_refused=True))
    except PlatformError as error:
        logger.info("CodeScreen's list of %s: %s", organization.slug, error)


def retry_refused_keys() -> None:
    """Ask CodeScreen now and then whether a refused key works again; what waited for it then goes on."""
    refused = Organization.objects.filter(codescreen_connection__state=CodeScreenConnection.State.REFUSED)
    for organization in refused.filter(paused=False):
        try:
            verify_codescreen_key(organization, provider.codescreen_client(organization, allow_refused=True))
            notify.notify_workers()
        except PlatformError as error:
            logger.info("the refused key of %s: %s", organization.slug, error)


def warn_expiry() -> None:
    """Tell Super Admins ahead when Lever's grant will end."""
    for grant in LeverConnection.objects.filter(state=LeverConnection.State.CONNECTED).select_related(
        "organization"
    ):
        connection_notices.notify_grant_ends(grant)


def requeue_waiting() -> None:
    """Decide again what waited for a connection that is back, even where the moment of its return was missed."""
    # what is awake and tried again is waited for: waking anew would cut short every effect's wait, Retry-After too
    asleep = Delivery.objects.waiting().filter(due_at__isnull=True)
    for organization in Organization.objects.filter(paused=False, deliveries__in=asleep).distinct():
        if not organization.disconnected_reason and waiting.requeue_waiting(organization):
            notify.notify_workers()


def cleanup() -> None:
    """Remove what is only needed for a while: expired sessions, half-finished OAuth states, tokens long retired."""
    LeverWebhook.objects.purge_retired()
    call_command("clearsessions")
    call_command("clearsocial", age=2)


def purge() -> None:
    """Remove what is older than each organization's retention."""
    for organization in Organization.objects.filter(retention_days__gt=0):
        count = retention.purge(organization)
        if count:
            logger.info("retention of %s: %s row(s)", organization.slug, count)


#: What is done by the clock, and every how many minutes.
DUTIES: dict[Callable[[], None], int] = {
    requeue_waiting: 1,
    update_incidents: 1,
    retry_refused_keys: 1,
    sweep_all: 10,
    refresh_catalogs: 60,
    probe_lever: 60,
    record_lint_findings: 60,
    refresh_grants: 60,
    warn_expiry: 12 * 60,
    sweep_all_fully: 24 * 60,
    cleanup: 24 * 60,
    purge: 24 * 60,
}
SCHEDULES = {f"{duty.__module__}.{duty.__name__}": minutes for duty, minutes in DUTIES.items()}


def perform_duty(name: str) -> None:
    """Do one duty; the worker goes on working due rows meanwhile."""
    duty = next(duty for duty in DUTIES if duty.__name__ == name)
    with worker.keep_draining():
        duty()


def ensure_schedules() -> None:
    """Write the schedules; safe to run at every start, by several nodes."""
    _schedule(
        "integrations.queue.worker.drain",
        func="integrations.queue.worker.drain",
        args=None,
        kwargs=None,
        minutes=1,
    )
    options = repr({"q_options": {"timeout": notify.LONG_SECONDS}})
    for name, minutes in SCHEDULES.items():
        duty = name.rpartition(".")[2]
        _schedule(
            name,
            func="integrations.queue.schedules.perform_duty",
            args=repr(duty),
            kwargs=options,
            minutes=minutes,
        )


def _schedule(name: str, **wanted: Any) -> None:
    defaults = {"schedule_type": Schedule.MINUTES, **wanted}
    schedule, created = Schedule.objects.get_or_create(name=name, defaults=defaults)
    changed = [column for column, value in wanted.items() if getattr(schedule, column) != value]
    if changed and not created:
        Schedule.objects.filter(pk=schedule.pk).update(**{column: wanted[column] for column in changed})
