"""The periodic duties, one organization after another: reconcile, refresh, warn, clean up."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from django.core.management import call_command
from django.utils import timezone

from integrations.clients.provider import codescreen_client, lever_client
from integrations.clients.tokens import token_manager
from integrations.http.errors import PlatformError
from integrations.models import (
    CodeScreenConnection,
    Delivery,
    LeverConnection,
    LeverWebhook,
    Organization,
    ShapeDeviation,
)
from integrations.queue.notify import notify_workers
from integrations.queue.on_request import sweep_organization
from integrations.queue.worker import keep_draining
from integrations.workflow.catalog.sync import refresh_assessments, refresh_roles, refresh_stages
from integrations.workflow.email.connection_notices import notify_grant_ends, notify_reconnect_needed
from integrations.workflow.health import incidents, lever_probe, linter_history
from integrations.workflow.operations import retention, waiting
from integrations.workflow.operations.codescreen_connection import verify_codescreen_key
from integrations.workflow.outbox.run_step import Crash, run_step

logger = logging.getLogger(__name__)

REFRESH_GRANT_AFTER = timedelta(hours=20)


def _for_each(
    organizations: Iterable[Organization],
    duty: str,
    act: Callable[[Organization], object],
    error_level: int = logging.INFO,
) -> None:
    """Do the same for each organization; one that fails doesn't stop the others.

    `error_level` is the level at which a platform's error is logged.
    """
    for organization in organizations:
        match run_step(partial(act, organization)):
            case PlatformError() as error:
                logger.log(error_level, "%s of %s: %s", duty, organization.slug, error)
            case Crash(traceback=traceback):
                logger.error("%s of %s failed: %s", duty, organization.slug, traceback)


# reconcile with the platforms


def sweep_all() -> None:
    """Reconcile every organization with what has changed in Lever since the last sweep."""
    organizations = Organization.objects.filter(paused=False)
    _for_each(organizations, "sweep", partial(sweep_organization, is_full=False), logging.WARNING)


def sweep_all_fully() -> None:
    """Reconcile every organization with all candidates in a trigger stage, changed since the last sweep or not."""
    organizations = Organization.objects.filter(paused=False)
    _for_each(organizations, "full sweep", sweep_organization, logging.WARNING)


# refresh what is copied from the platforms


def refresh_catalogs() -> None:
    """Read every organization's roles, stages and assessments again."""
    organizations = Organization.objects.filter(paused=False)
    _for_each(organizations, "Lever's lists", _refresh_lever_lists)
    _for_each(organizations, "CodeScreen's list", _refresh_assessments)


def _refresh_lever_lists(organization: Organization) -> None:
    lever = lever_client(organization)
    refresh_stages(organization, lever)
    refresh_roles(organization, lever)


def _refresh_assessments(organization: Organization) -> None:
    refresh_assessments(organization, codescreen_client(organization))


def refresh_catalog(organization_id: int) -> None:
    """Read one organization's lists now, because it was just connected or a person waits for them.

    An untried CodeScreen key is verified by this. Due rows are worked in the background.
    """
    organization = [Organization.objects.get(pk=organization_id)]
    with keep_draining():
        _for_each(organization, "Lever's lists", _refresh_lever_lists)
        _for_each(organization, "CodeScreen's list", _verify_codescreen_key)
    notify_workers()


def _verify_codescreen_key(organization: Organization) -> None:
    verify_codescreen_key(organization, codescreen_client(organization, allow_refused=True))


def probe_lever() -> None:
    """Probe every organization's Lever for what the doctor reports: webhooks, feedback template, author, silence."""
    working = Organization.objects.filter(lever_connection__state=LeverConnection.State.CONNECTED)
    _for_each(working.filter(paused=False), "probe", _probe_lever)


def _probe_lever(organization: Organization) -> None:
    lever_probe.probe(organization, lever_client(organization))


# keep connections working, and requeue what waited for them


def refresh_grants() -> None:
    """Refresh each grant daily: an idle refresh token expires after 90 days."""
    due = LeverConnection.objects.filter(
        state=LeverConnection.State.CONNECTED, refreshed_at__lt=timezone.now() - REFRESH_GRANT_AFTER
    )
    for grant in due.select_related("organization"):
        if not grant.refresh_token:  # encrypted, so the query can't filter by it
            continue
        try:
            token_manager(grant).renew(grant.access_token)
        except PlatformError as error:
            logger.warning("refreshing the grant of %s: %s", grant.organization.slug, error)
            notify_reconnect_needed(grant.organization)


def retry_refused_keys() -> None:
    """Verify refused keys again; work that waited for one that works again is requeued."""
    refused = Organization.objects.filter(codescreen_connection__state=CodeScreenConnection.State.REFUSED)
    _for_each(refused.filter(paused=False), "refused key", _retry_refused_key)


def _retry_refused_key(organization: Organization) -> None:
    _verify_codescreen_key(organization)
    notify_workers()


def requeue_waiting() -> None:
    """Requeue deliveries that waited for a connection that is back, in case reconnecting didn't requeue them."""
    # skip deliveries already scheduled: requeueing would cut short every effect's wait, Retry-After too
    unscheduled = Delivery.objects.waiting().filter(due_at__isnull=True)
    for organization in Organization.objects.filter(paused=False, deliveries__in=unscheduled).distinct():
        if not organization.disconnected_reason and waiting.requeue_waiting(organization):
            notify_workers()


# notify people


def update_incidents() -> None:
    """Notify each organization's members of incidents that began or ended."""
    _for_each(Organization.objects.with_connections(), "incidents", incidents.update_incidents)


def record_lint_findings() -> None:
    """Record what the linter finds, so that pages show what is new."""
    _for_each(Organization.objects.all(), "linter", linter_history.record_findings)


def warn_expiry() -> None:
    """Notify members ahead of time when Lever's grant will end."""
    connected = LeverConnection.objects.filter(state=LeverConnection.State.CONNECTED)
    for grant in connected.select_related("organization"):
        notify_grant_ends(grant)


# clean up


def cleanup() -> None:
    """Remove expired sessions, unfinished OAuth states, long-retired tokens and deviations that ended."""
    LeverWebhook.objects.purge_retired()
    ShapeDeviation.purge_old()
    call_command("clearsessions")
    call_command("clearsocial", age=2)


def purge() -> None:
    """Remove rows that are older than each organization's retention."""
    for organization in Organization.objects.filter(retention_days__gt=0):
        count = retention.purge(organization)
        if count:
            logger.info("retention of %s: %s row(s)", organization.slug, count)
