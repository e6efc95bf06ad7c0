"""The duties: what is done by the clock for each organization and for the whole portal, and how a run is recorded."""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.management import call_command
from django_q.models import OrmQ

from integrations.accounts.models.attempts import AttemptLimit
from integrations.case.waits import organizations_with_untold_waits, tell_waits
from integrations.catalog.lists import refresh_roles, refresh_stages
from integrations.clients import call_log
from integrations.clients.lever_tokens import token_source
from integrations.clients.limits import calls_only_until
from integrations.clients.provider import ClientProvider, codescreen_client, lever_client
from integrations.codescreen.models import CodeScreenConnection
from integrations.core import correlation
from integrations.health import incidents, lever_probe
from integrations.http import stop_signal
from integrations.http.redaction import without_addresses
from integrations.http.session import CallDeferred, NotConnected, PlatformError
from integrations.http.steps import SHORTEST_WAIT, Conflict, Crash, deferral, run_step
from integrations.inbox.sweep import sweep
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.transport import bearer
from integrations.members.end_access import end_access_of_deactivated
from integrations.members.models.membership import PendingMembership
from integrations.notifications.notify import notify_grant_ends, notify_reconnect_needed
from integrations.organizations.models.organization import Organization
from integrations.privacy import lever_changes, retention
from integrations.privacy.retention import erase_some_sign_ins, remove_old_records
from integrations.queue import waiting
from integrations.queue.models.duty_run import INTERVALS, Duty, DutyRun, Place
from integrations.queue.models.nodes import PortalDuty
from integrations.queue.notify import notify_workers
from integrations.store import database
from integrations.store.leasing import NO_OUTCOME

logger = logging.getLogger(__name__)

REFRESH_GRANT_AFTER = timedelta(hours=20)

#: A turn begins no call after so long; what is left is done by the next one.
TURN_SECONDS = 30.0
#: The place of a duty that looks anew for what is left to do, each turn.
AGAIN: Place = {"again": True}

#: It does a part of a duty, and returns from where the next turn goes on; nothing when all is done.
type Turn = Callable[[Organization, Place], Place]


def perform_duty(run: DutyRun) -> None:
    """Do one turn of a claimed duty and record how it went. What goes wrong for one organization concerns no other."""
    if run.is_poison:
        run.fail(0, NO_OUTCOME.format(count=run.consecutive_crashes - 1))
        return
    began = time.monotonic()
    outcome = run_step(f"{run.duty} of organization {run.organization_id}", partial(_turn, run))
    duration_ms = int((time.monotonic() - began) * 1000)
    match outcome:
        case NotConnected():
            run.succeed(duration_ms)
        case CallDeferred():
            run.defer(duration_ms, deferral(outcome), without_addresses(str(outcome)))
        case Conflict():
            run.defer(duration_ms, SHORTEST_WAIT, outcome.reason)
        case PlatformError():
            logger.info("%s of organization %s: %s", run.duty, run.organization_id, outcome)
            run.fail(duration_ms, without_addresses(str(outcome)))
        case Crash():
            run.fail(duration_ms, outcome.reason, outcome.traceback)
        case place if place:
            run.go_on(duration_ms, place)
        case _:
            run.succeed(duration_ms)


def _turn(run: DutyRun) -> Place:
    performance, organization = DUTIES[Duty(run.duty)], Organization.objects.reread(run.organization_id)
    if organization.pause and not performance.while_paused:
        return {}
    with correlation.use(), calls_only_until(time.monotonic() + TURN_SECONDS), call_log.collected():
        return performance.turn(organization, run.place)


def sweep_organization(organization: Organization, place: Place, is_full: bool = True) -> tuple[int, Place]:
    """Compare a part of an organization, read just now, with Lever; return how many invitations that repaired.

    Also return from where the next turn goes on. Raises PlatformError.
    """
    repaired, following = sweep(organization, ClientProvider(organization), place, is_full)
    if repaired:
        logger.warning("sweep repaired %s invitation(s) of %s", repaired, organization.slug)
        incidents.update_incidents(organization)
        notify_workers()
    return repaired, following


def refresh_lever_lists(organization: Organization) -> None:
    """Read Lever's stages and roles again. Raises PlatformError."""
    lever = lever_client(organization)
    refresh_stages(organization, lever)
    refresh_roles(organization, lever)


def refresh_assessments(organization: Organization) -> None:
    """Read CodeScreen's list again; the answer shows whether it accepts the key. Raises PlatformError."""
    waiting.verify_codescreen_key(organization, codescreen_client(organization))
    notify_workers()


def probe_lever(organization: Organization) -> None:
    """Probe Lever for what the doctor reports: the webhooks and the feedback template. Raises PlatformError.

    A webhook that couldn't be moved to a new address when that was made is moved now. What waited because CodeScreen's
    own integration had a webhook is taken up once that is gone.
    """
    lever = lever_client(organization)
    lever_probe.move_webhooks(organization, lever, "probe")
    lever_probe.probe(organization, lever)
    if organization.pause and not Organization.objects.reread(organization.pk).pause:
        waiting.requeue_waiting(organization)
        notify_workers()


def refresh_grant(organization: Organization) -> None:
    """Refresh the grant once a day: an idle refresh token expires after 90 days. Raises PlatformError."""
    grant = organization.working_lever
    if grant is None or not grant.refresh_token:
        return
    if grant.refreshed_at is None or grant.refreshed_at > database.now() - REFRESH_GRANT_AFTER:
        return
    try:
        token_source(grant).renew(bearer(grant.access_token))
    except PlatformError:
        notify_reconnect_needed(organization)
        raise


def retry_refused_key(organization: Organization) -> None:
    """Try an unusable key again; what waited for one that works again is requeued. One still unusable is no error."""
    try:
        waiting.verify_codescreen_key(organization, codescreen_client(organization, allow_refused=True))
    except PlatformError as error:
        if error.status not in {401, 404}:
            raise
    else:
        notify_workers()


def requeue_waiting(organization: Organization) -> None:
    """Requeue what waited for a connection that is back, in case reconnecting didn't."""
    if not organization.disconnected_reason and waiting.requeue_waiting(organization):
        notify_workers()


def follow_erasures(organization: Organization, place: Place) -> Place:
    """Complete some erasures, else erase some people that Lever deleted or anonymized. Raises PlatformError.

    Return from where the next turn goes on.
    """
    if lever_changes.repeat_erasures(organization):
        return place or AGAIN
    return lever_changes.follow_lever(organization, lever_client(organization), place)


def warn_expiry(organization: Organization) -> None:
    """Notify members ahead of time when Lever's grant will end."""
    if grant := organization.working_lever:
        notify_grant_ends(grant)


def whole(step: Callable[[Organization], object]) -> Turn:
    """Return the turn of a duty that is done as a whole."""

    def turn(organization: Organization, _: Place) -> Place:
        step(organization)
        return {}

    return turn


def in_batches(step: Callable[[Organization], int]) -> Turn:
    """Return the turn of a duty whose step returns how much it did; all is done when that is nothing."""
    return lambda organization, _: AGAIN if step(organization) else {}


@dataclass(frozen=True)
class Performance:
    """One turn of a duty, and whether it is done during a pause."""

    turn: Turn
    while_paused: bool = True


DUTIES: dict[Duty, Performance] = {
    Duty.SWEEP: Performance(
        lambda organization, place: sweep_organization(organization, place, is_full=False)[1],
        while_paused=False,
    ),
    Duty.SWEEP_FULLY: Performance(
        lambda organization, place: sweep_organization(organization, place)[1], while_paused=False
    ),
    Duty.REFRESH_LEVER_LISTS: Performance(whole(refresh_lever_lists), while_paused=False),
    Duty.REFRESH_ASSESSMENTS: Performance(whole(refresh_assessments), while_paused=False),
    Duty.PROBE_LEVER: Performance(whole(probe_lever)),
    Duty.REFRESH_GRANT: Performance(whole(refresh_grant)),
    Duty.WARN_EXPIRY: Performance(whole(warn_expiry)),
    Duty.PURGE: Performance(in_batches(retention.purge)),
    Duty.REMOVE_OLD_RECORDS: Performance(in_batches(remove_old_records)),
    Duty.FOLLOW_ERASURES: Performance(follow_erasures),
    Duty.UPDATE_INCIDENTS: Performance(whole(incidents.update_incidents)),
    Duty.REQUEUE_WAITING: Performance(whole(requeue_waiting), while_paused=False),
    Duty.NOTE_WAITS: Performance(whole(tell_waits)),
    Duty.FOLLOW_LEVER_USERS: Performance(whole(end_access_of_deactivated)),
    Duty.RETRY_REFUSED_KEY: Performance(whole(retry_refused_key), while_paused=False),
}

#: A task that no worker has fetched for so long is in the queue of a node that is gone.
TASKS_KEPT_FOR = timedelta(days=1)


def perform_portal_duties() -> None:
    """Do what is due. Any number of workers may call this at once."""
    PortalDuty.write_missing()
    while (duty := PortalDuty.claim()) is not None:
        outcome = run_step(duty.name, PORTAL_DUTIES[PortalDuty.Name(duty.name)])
        if isinstance(outcome, Crash | Conflict):
            duty.fail(outcome.reason)
        else:
            duty.succeed()


def plan_duties() -> None:
    """Write the missing rows, and request what something calls for; a few queries over all organizations."""
    now = database.now()
    for duty, interval in INTERVALS.items():  # due spread over the interval
        known = DutyRun.objects.filter(duty=duty).values("organization")
        runs = [
            DutyRun(organization_id=pk, duty=duty, due_at=now + interval * random.random())  # noqa: S311
            for pk in Organization.objects.exclude(pk__in=known).values_list("pk", flat=True)
        ]
        DutyRun.objects.bulk_create(runs, ignore_conflicts=True, batch_size=500)
    connections = CodeScreenConnection.objects.filter(organization__paused=False)
    refused = connections.exclude(state__in=CodeScreenConnection.USABLE)
    for duty, organization_ids in (
        (Duty.REQUEUE_WAITING, waiting.organizations_with_stranded_deliveries()),
        (Duty.NOTE_WAITS, organizations_with_untold_waits()),
        (Duty.RETRY_REFUSED_KEY, set(refused.values_list("organization", flat=True))),
    ):
        if organization_ids:
            DutyRun.objects.request(duty, sorted(organization_ids))
            notify_workers()


def clean_up() -> None:
    """Remove what says nothing any more.

    Sessions, limits, unanswered memberships, tasks of nodes that are gone, retired webhook tokens,
    unfinished consents, and addresses in old sign-ins.
    """
    ended = database.now() - timedelta(hours=settings.SESSION_MAX_HOURS)
    UserSession.objects.filter(last_seen_at__lt=ended).delete()
    AttemptLimit.purge()
    PendingMembership.objects.purge()
    OrmQ.objects.filter(lock__lt=database.now() - TASKS_KEPT_FOR).delete()  # unread
    LeverWebhook.objects.purge_retired()
    call_command("clearsessions")
    call_command("clearsocial", age=2)
    while not stop_signal.is_requested() and erase_some_sign_ins(None):
        pass


PORTAL_DUTIES: dict[PortalDuty.Name, Callable[[], object]] = {
    PortalDuty.Name.PLAN_DUTIES: plan_duties,
    PortalDuty.Name.CLEAN_UP: clean_up,
}
