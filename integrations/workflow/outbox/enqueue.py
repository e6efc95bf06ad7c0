"""Put effects into the outbox; called inside the transaction that makes them true."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import (
    Delivery,
    Effect,
    EmailKind,
    Invitation,
    LeverConnection,
    NotificationPreference,
    Organization,
)
from integrations.models.truncated_keys import truncated_key

Kind = Effect.Kind


def enqueue(
    organization: Organization,
    kind: str,
    key: str,
    *,
    invitation: Invitation | None = None,
    delivery: Delivery | None = None,
    opportunity_id: str = "",
    payload: Mapping[str, Any] | None = None,
    priority: int = 5,
    wait: timedelta = timedelta(0),
) -> Effect:
    """Ask for an effect once: the same kind and key again returns the one that is there."""
    effect, _ = Effect.objects.get_or_create(
        organization=organization,
        kind=kind,
        key=truncated_key(key),
        defaults={
            "invitation": invitation,
            "delivery": delivery,
            "opportunity_id": opportunity_id or (invitation.opportunity_id if invitation else ""),
            "payload": dict(payload or {}),
            "priority": priority,
            # without a wait not `Now() + 0`, which SQLite writes finer than Now() and so a moment later
            "due_at": Now() + wait if wait else Now(),
        },
    )
    return effect


def enqueue_invitation(invitation: Invitation, delivery: Delivery | None = None) -> None:
    """Ask for the invitation to be sent; one effect per invitation, woken when it is asked for again."""
    effect = enqueue(
        invitation.organization,
        Kind.SEND_INVITATION,
        str(invitation.pk),
        invitation=invitation,
        delivery=delivery,
        priority=2,
    )
    Effect.objects.filter(pk=effect.pk).exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE,
        due_at=Now(),
        attempts=0,
        attempt_started_at=None,
        last_error="",
        done_at=None,
        retry_window_started_at=Now(),
    )


def enqueue_progress_tag(invitation: Invitation, tag: str) -> None:
    """Ask for the progress tag; an older wish for the same candidate that hasn't been carried out is cancelled.

    The tag follows the latest round that went out: what becomes of an earlier one no longer changes it.
    """
    later = Invitation.objects.filter(
        organization=invitation.organization,
        opportunity_id=invitation.opportunity_id,
        assessment_id=invitation.assessment_id,
        round__gt=invitation.round,
    )
    if later.exclude(instance_id="").exists():
        return
    mine = Effect.objects.filter(
        organization=invitation.organization,
        kind=Kind.SET_PROGRESS_TAG,
        opportunity_id=invitation.opportunity_id,
        state=Effect.State.DUE,
        leased_until__isnull=True,
    )
    mine.update(state=Effect.State.CANCELLED, due_at=None, last_error="A later progress took its place.")
    enqueue(
        invitation.organization,
        Kind.SET_PROGRESS_TAG,
        f"{invitation.opportunity_id}:{uuid.uuid4().hex}",  # every change is a wish of its own; the latest counts
        invitation=invitation,
        payload={"tag": tag},
        priority=3,
    )


def enqueue_note(organization: Organization, opportunity_id: str, code: str, text: str, **links: Any) -> None:
    """Ask for a note on the opportunity, once per opportunity and code."""
    enqueue(
        organization,
        Kind.LEAVE_NOTE,
        f"{opportunity_id}:{code}",
        opportunity_id=opportunity_id,
        payload={"text": text, "code": code},
        priority=6,
        **links,
    )


def notify_members(
    organization: Organization,
    key: str,
    subject: str,
    lines: list[str],
    *,
    kind: str = EmailKind.TROUBLE,
    variables: Mapping[str, str] | None = None,
    invitation: Invitation | None = None,
) -> None:
    """Ask for one e-mail to the members who want that kind; its wording is chosen when it is sent.

    One per `key`: a problem that goes on is told once. What happens to many candidates alike shares an e-mail: the
    first goes out after half a minute, what follows within half an hour of it is gathered into the next.
    """
    members = NotificationPreference.objects.members_who_want(organization, kind)
    recipients = sorted({member.user.email for member in members})
    if not recipients or _already_sent(organization, key):
        return
    if invitation is not None:
        about = {
            "assessment": invitation.assessment_name,
            "role": invitation.role_title,
            "timeline_link": candidate_link(invitation),
        }
        variables = {**about, **(variables or {})}
    group = _digest_of(organization, key)
    if group and _append_to_digest(organization, group, key, lines):
        return
    enqueue(
        organization,
        Kind.SEND_EMAIL,
        key,
        invitation=invitation,
        payload={
            "kind": str(kind),
            "subject": subject,
            "lines": lines,
            "variables": dict(variables or {}),
            "recipients": recipients,
        },
        priority=8,
        wait=_digest_wait(organization, group) if group else timedelta(0),
    )


#: What shares an e-mail, by the beginning of its key, and what that e-mail is called then.
DIGESTS = {
    "uncertain:": "Several invitations may or may not have been sent",
    "failed:": "Several invitations could not be sent",
    "bounced:": "Several invitations bounced",
    "regraded:": "Several results changed after the candidates were moved",
    "result:": "Several CodeScreen results",
}
DIGEST_WAIT = timedelta(seconds=30)
DIGEST_PAUSE = timedelta(minutes=30)
RESULTS_APART = 20


def _digest_of(organization: Organization, key: str) -> str:
    """Return what the e-mail is bundled with, empty when it stands alone; results do while they are few."""
    if not key.startswith(tuple(DIGESTS)):
        return ""
    group = key.split(":")[0]
    if group != "result":
        return group
    since = timezone.now() - DIGEST_PAUSE
    rows = Effect.objects.filter(organization=organization, kind=Kind.SEND_EMAIL, created_at__gte=since)
    lately = rows.filter(key__startswith="result:")[:RESULTS_APART].values("pk")
    return group if len(lately) >= RESULTS_APART else ""


def _digest_wait(organization: Organization, group: str) -> timedelta:
    """Return how long a new e-mail of a group gathers what follows: longer while one has just been sent."""
    rows = Effect.objects.filter(organization=organization, kind=Kind.SEND_EMAIL, key__startswith=f"{group}:")
    last = rows.order_by("-pk").values_list("created_at", flat=True).first()
    pause = last + DIGEST_PAUSE - timezone.now() if last else timedelta(0)
    return max(DIGEST_WAIT, pause)


def _already_sent(organization: Organization, key: str) -> bool:
    rows = Effect.objects.filter(organization=organization, kind=Kind.SEND_EMAIL)
    return rows.filter(key=truncated_key(key)).exists()


def _append_to_digest(organization: Organization, group: str, key: str, lines: list[str]) -> bool:
    """Add the lines to an e-mail of the same group that hasn't been taken up yet; whether there is one."""
    rows = Effect.objects.filter(
        organization=organization,
        kind=Kind.SEND_EMAIL,
        key__startswith=f"{group}:",
        state=Effect.State.DUE,
        due_at__gt=Now(),
        attempts=0,
        leased_until__isnull=True,
    )
    if connection.features.has_select_for_update and connection.in_atomic_block:
        # wait for who adds to it this moment, since what isn't added becomes an e-mail of its own
        rows = rows.select_for_update()
    waiting = rows.first()
    if waiting is None:
        return False
    payload = waiting.payload
    if key in payload.get("joined", []):
        return True
    is_full = len(payload["lines"]) + len(lines) > MAX_LINES
    payload = {
        **payload,
        "joined": [*payload.get("joined", []), key],
        "subject": DIGESTS[f"{group}:"],
        "lines": payload["lines"] if is_full else [*payload["lines"], *lines],
        "left_out": payload.get("left_out", 0) + is_full,
        "variables": {},  # they are one candidate's
    }
    return bool(rows.filter(pk=waiting.pk).update(payload=payload))


MAX_LINES = 300


def candidate_link(invitation: Invitation) -> str:
    """Return the address of the candidate's timeline."""
    return f"{settings.PORTAL_URL}/activity/{invitation.opportunity_id}/"


def notify_reconnect_needed(organization: Organization) -> None:
    """Tell the Admins, once per breakage, that Lever no longer accepts the grant."""
    grant = LeverConnection.objects.filter(
        organization=organization, state=LeverConnection.State.NEEDS_RECONNECT
    ).first()
    if grant is not None:
        notify_members(
            organization,
            f"reconnect:{grant.generation}",
            "Lever needs to be reconnected",
            [
                grant.state_reason,
                "What arrives meanwhile is kept, and decided when the connection is back.",
                f"A Super Admin can reconnect it here: {settings.PORTAL_URL}/settings/",
            ],
        )


WARN_DAYS = (1, 7, 30)


def notify_grant_ends(grant: LeverConnection) -> None:
    """Tell the Admins 30, 7 and 1 days before Lever's grant ends, once each."""
    if grant.ends_at is None or grant.connected_at is None:
        return
    left = (grant.ends_at - timezone.now()).total_seconds() / 86400
    step = next((days for days in WARN_DAYS if left <= days), None)
    if step is None:
        return
    notify_members(
        grant.organization,
        f"forecast:{grant.connected_at:%Y-%m-%dT%H:%M:%S}:{step}",
        f"Lever must be reconnected by {grant.ends_at:%-d %B %Y}",
        [
            "Lever ends every connection a year after it was made. Reconnecting takes a minute and loses nothing.",
            f"A Super Admin can do it here: {settings.PORTAL_URL}/settings/",
        ],
        kind=EmailKind.FORECAST,
        variables={"end_date": f"{grant.ends_at:%-d %B %Y}", "days_left": str(max(0, round(left)))},
    )


def notify_reconnected(organization: Organization) -> None:
    """Tell the Admins that Lever works again, where they were told that it didn't."""
    told = Effect.objects.filter(
        organization=organization, kind=Kind.SEND_EMAIL, key__startswith="reconnect:"
    )
    last = told.order_by("-pk").first()
    if last is not None:
        notify_members(
            organization,
            f"back:{last.key}",
            "Lever is connected again",
            ["What arrived meanwhile is being decided now."],
            kind=EmailKind.ALL_CLEAR,
        )
