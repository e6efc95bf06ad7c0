"""What waits for a person, what failed or is late, and whether the workers run."""

import secrets
import time
from collections.abc import Iterator
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from integrations.catalog.lists import trigger_stages
from integrations.clients.models import ApiCall, CircuitBreaker, reason_of
from integrations.core.finding_code import ACTIVITY, UNDECIDED, FindingCode, Level
from integrations.core.vocabulary import RETRY_FOR_IN_WORDS, DeliveryEvent, Platform, ProgressTag
from integrations.health.findings import (
    MOST_NAMED,
    Finding,
    counted,
    finding,
    lasting,
    listed,
)
from integrations.inbox.models.delivery import STUCK, Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.tags import WHERE_LOCKED
from integrations.outbox.models.effect import Effect
from integrations.outbox.perform import MESSAGES
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import Heartbeat
from integrations.store import database

LONGEST_WAIT = timedelta(minutes=2)
UNDECIDED_FOR = timedelta(days=1)
UNSENT_FOR = timedelta(minutes=5)
HEARTBEAT_MAX_AGE = timedelta(seconds=90)
REPAIRS_SHOWN_FOR = timedelta(hours=24)
#: The sweep runs every few minutes. After a day a candidate whose webhook was lost has waited for too long.
SWEEP_WARNING, SWEEP_ERROR = timedelta(hours=1), timedelta(days=1)


def check_failed_effects(organization: Organization) -> Iterator[Finding]:
    """Yield how many steps of each kind failed for good."""
    failed = Effect.objects.failed_steps().filter(organization=organization)
    counts = failed.order_by("kind").values_list("kind").annotate(number=Count("pk"))
    by_kind = {Effect.Kind(kind).label.lower(): number for kind, number in counts}
    if by_kind:
        number = sum(by_kind.values())
        kinds = listed(f"{kind} ({times})" for kind, times in by_kind.items())
        yield finding(
            FindingCode.FAILED_EFFECTS,
            f"{counted(number, 'step')} failed and {'is' if number == 1 else 'are'} not tried again: {kinds}.",
            f"Read the reasons, fix them, and press Retry.{_refused_tags(organization)}",
        )


def _refused_tags(organization: Organization) -> str:
    """Return who makes which tags in Lever, where it refused one; else nothing. One that lacks is seldom alone."""
    refused = Effect.objects.failed_steps().filter(
        organization=organization, last_error__contains=WHERE_LOCKED
    )
    if not (tags := list(refused.values_list("payload__tag", flat=True).distinct())):
        return ""
    return f" {WHERE_LOCKED}: {listed(f'“{tag}”' for tag in dict.fromkeys([*ProgressTag, *tags]))}."


def check_messages(organization: Organization) -> Iterator[Finding]:
    """Yield how many e-mails and chat messages have been tried in vain for longer than UNSENT_FOR, and why."""
    late = Effect.objects.tried_in_vain().filter(organization=organization, kind__in=MESSAGES)
    late = late.filter(created_at__lt=Now() - UNSENT_FOR).order_by("-created_at")
    if number := late.count():
        yield finding(
            FindingCode.MESSAGES_UNSENT,
            f"{counted(number, 'e-mail or chat message')} could not be sent for more than "
            f"{lasting(UNSENT_FOR.total_seconds())}, and {'is' if number == 1 else 'are'} tried again. "
            f"{late.values_list('last_error', flat=True)[0]}",
            "Ask the portal's operator to look at the mail server, or check the chat room's address under Settings.",
        )


def check_undecided_deliveries(organization: Organization) -> Iterator[Finding]:
    """Yield the deliveries that the portal gave up deciding, and those that have waited longer than UNDECIDED_FOR.

    The candidates' names stand on the page alone: a finding is also sent to chat rooms, where none can be erased.
    """
    stuck = Delivery.objects.filter(STUCK, organization=organization)
    if number := stuck.count():
        ids = listed(stuck.order_by("pk").values_list("pk", flat=True)[:MOST_NAMED])
        yield finding(
            FindingCode.UNDECIDED_DELIVERIES,
            f"{counted(number, 'delivery')} could not be processed after many tries: {ids}.",
            "Open the delivery, read the reason, and retry it.",
        )
    rows = Delivery.objects.undecided_since(Now() - UNDECIDED_FOR).filter(organization=organization)
    if not (number := rows.count()):
        return
    shown = rows.order_by("received_at", "pk").values_list("opportunity_id", "last_error")[:MOST_NAMED]
    reasons = (
        listed(dict.fromkeys(error.rstrip(".") for _, error in shown if error)) or "no platform answered"
    )
    is_one = number == 1 and shown[0][0]
    yield finding(
        FindingCode.UNDECIDED_DELIVERIES,
        f"{counted(number, 'stage change')} could not be decided for more than a day. The reason: {reasons}.",
        "Fix what the reason says, in Lever or CodeScreen. The portal tries "
        f"for {RETRY_FOR_IN_WORDS} in all; then it decides about them again when it compares with Lever. Don't invite "
        "them in CodeScreen yourself: they would be invited twice.",
        page=ACTIVITY.at(f"{shown[0][0]}/") if is_one else UNDECIDED,
    )


def check_workers(organization: Organization) -> Iterator[Finding]:
    """Yield that no worker has written a heartbeat lately, and how many rows have been due for over LONGEST_WAIT."""
    if not Heartbeat.is_fresh(HEARTBEAT_MAX_AGE):
        yield finding(
            FindingCode.WORK_LATE,
            "The workers of no node have reported for 90 seconds.",
            "Ask the portal's operator to start the workers, with `manage.py serve` or `serve --workers`.",
        )
    late = Now() - LONGEST_WAIT
    number = Delivery.objects.due().filter(organization=organization, due_at__lt=late).count()
    number += Effect.objects.free().filter(organization=organization, due_at__lt=late).count()
    if number:
        yield finding(
            FindingCode.WORK_LATE,
            f"{counted(number, 'task')} {'is' if number == 1 else 'are'} more than two minutes late.",
            "Ask the portal's operator to check that the workers run (`manage.py serve`) and to read their log.",
            level=Level.ERROR,
        )


# Whether the database takes another row: one whose disk is full still answers what is read.

#: As large as a webhook's row, so that it needs as much room; random, since PostgreSQL compresses other text.
WRITTEN_BYTES = 4500
#: After a success nothing is written for so long: a balancer asks each second, and anyone may.
ROOM_AGAIN_SECONDS = 30.0

_next_at = 0.0


def require_room() -> None:
    """Store and remove a row, unless that was possible a moment ago. Raises DatabaseError."""
    global _next_at  # noqa: PLW0603
    if time.monotonic() < _next_at:
        return
    # an expired session: the daily clean-up removes it if this process is killed in between
    session = Session(
        session_key=f"probe{secrets.token_hex(12)}",
        session_data=secrets.token_urlsafe(WRITTEN_BYTES),
        expire_date=timezone.now() - timedelta(days=1),
    )
    with transaction.atomic():
        session.save(force_insert=True)
    session.delete()
    _next_at = time.monotonic() + ROOM_AGAIN_SECONDS


def check_room(organization: Organization) -> Iterator[Finding]:
    """Yield that the database takes no more rows, although it answers."""
    try:
        require_room()
    except database.DATABASE_OUTAGE as error:
        yield finding(
            FindingCode.WORK_LATE,
            f"Nothing can be stored: {database.trouble(error)}.",
            "Ask the portal's operator to make room for the database. Webhooks are refused meanwhile, and come again.",
            level=Level.ERROR,
        )


def check_platforms(organization: Organization) -> Iterator[Finding]:
    """Yield the platforms that don't answer and whose circuit breaker is open, with the last reason if one is known."""
    calls = ApiCall.objects.filter(organization=organization).unanswered()
    for breaker in CircuitBreaker.objects.opened().filter(organization=organization):
        name = Platform(breaker.platform).label
        last = calls.filter(platform=breaker.platform).values_list("status", "error").first()
        reason = reason_of(*last) if last else ""
        yield finding(
            FindingCode.PLATFORM_DOWN,
            f"{name} has not answered the last {breaker.failures} calls. The portal keeps trying."
            + (f" The last reason: {reason}." if reason else ""),
            f"If {name} is down, there is nothing to do. Everything is kept and continues when it is back. If a "
            "certificate is the reason, ask the portal's operator to look at the machine's clock and network.",
        )


def check_sweep(organization: Organization) -> Iterator[Finding]:
    """Yield how many candidates only the sweep found, because Lever's webhook missed them."""
    repaired = Delivery.objects.filter(
        organization=organization,
        event=DeliveryEvent.SWEEP,
        invitation__isnull=False,
        chosen_at__isnull=True,
        received_at__gte=Now() - REPAIRS_SHOWN_FOR,
    )
    if number := repaired.count():
        candidates = counted(number, "candidate")
        yield finding(
            FindingCode.SWEEP_REPAIRED,
            f"In the last day the portal took in no webhook for {candidates}. The portal found them by comparing with "
            "Lever.",
            "In Lever, check that the Candidate Stage Change webhook is switched on. If its log shows errors, the "
            "portal was away for longer than Lever repeats a webhook.",
        )


def check_sweep_age(organization: Organization) -> Iterator[Finding]:
    """Yield that the last sweep was long ago, although there is a stage to sweep and nothing forbids it."""
    connection = organization.lever
    if connection is None or organization.pause or organization.disconnected_reason:
        return
    swept_at = connection.swept_at or connection.connected_at
    age = database.now() - swept_at if swept_at else timedelta()
    if age > SWEEP_WARNING and trigger_stages(organization):
        yield finding(
            FindingCode.WORK_LATE,
            f"The portal has not compared its records with Lever for {lasting(age.total_seconds())}. Candidates whose "
            "webhook was lost are not found until it does.",
            "Ask the portal's operator to run `manage.py sweep` and to read the workers' log.",
            level=Level.ERROR if age > SWEEP_ERROR else None,
        )


def check_duties(organization: Organization) -> Iterator[Finding]:
    """Yield each duty that failed several times in a row, else each that is overdue and isn't under way."""
    runs = DutyRun.objects.filter(organization=organization)
    for run in runs.failing() | runs.overdue().filter(place={}):
        name, done_at = run.get_duty_display(), run.succeeded_at or run.created_at
        if run.is_failing:
            yield finding(
                FindingCode.DUTY_FAILING,
                f"“{name}” failed {run.failures} times in a row. {run.last_error}",
                "The portal tries again automatically. If this continues, fix what the error says. If it says that the "
                "time was over, check whether Lever and CodeScreen answer. Then ask the portal's operator whether the "
                "machine is overloaded.",
            )
        else:
            ago = lasting((database.now() - done_at).total_seconds())
            yield finding(
                FindingCode.WORK_LATE,
                f"“{name}” is late. It was last done {ago} ago.",
                "Check that the workers run. If they are too slow, start more of them.",
            )


def check_pause(organization: Organization) -> Iterator[Finding]:
    """Yield that the organization is paused."""
    if organization.paused:
        yield finding(
            FindingCode.PAUSED,
            "The portal is paused. Nothing is sent, and what arrives is kept.",
            "Press “Resume” on the overview when invitations may be sent again.",
        )


def check_super_admin(organization: Organization) -> Iterator[Finding]:
    """Yield that there is no Super Admin, or that Lever lists each of them as deactivated."""
    rows = organization.memberships.filter(role=Membership.Role.SUPER_ADMIN)
    super_admins = list(rows.values_list("deactivated_in_lever_at", flat=True))
    if super_admins and all(super_admins):
        yield finding(
            FindingCode.NO_SUPER_ADMIN,
            "The last Super Admin is deactivated in Lever, and keeps access until there is another.",
            "Make somebody else Super Admin under Settings › Team, or ask the portal's operator to. The operator has "
            "`manage.py configure` for that.",
        )
    if not super_admins:
        yield finding(
            FindingCode.NO_SUPER_ADMIN,
            "There is no Super Admin, so nobody can change the connections.",
            "Ask the portal's operator to give a member that role, for example with `manage.py configure`.",
        )


def check_waiting_invitations(organization: Organization) -> Iterator[Finding]:
    """Yield who waits for a person: by invitations not sent, uncertain, and held, and failed candidates."""
    counts = Invitation.objects.filter(organization=organization).candidates_waiting()
    if number := counts["not_sent"]:
        yield finding(
            FindingCode.FAILED_EFFECTS,
            f"{counted(number, 'candidate')} could not be sent an invitation.",
            "Read the reasons and fix them. Then an Admin sends the invitations again.",
            page=ACTIVITY.at("?status=not_sent"),
        )
    if number := counts["uncertain"]:
        yield finding(
            FindingCode.UNCERTAIN_INVITATIONS,
            f"Did {counted(number, 'candidate')} get the invitation? We don't know.",
            "An Admin checks in CodeScreen: was it sent? Then they answer on the candidate's page.",
        )
    if number := counts["held"]:
        yield finding(
            FindingCode.HELD_INVITATIONS,
            f"{counted(number, 'candidate')} {'needs' if number == 1 else 'need'} approval.",
            "An Admin sends or cancels their invitations.",
        )
