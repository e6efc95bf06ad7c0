"""Enqueue e-mails: to named people, or to the members who get a kind."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models.functions import Now

from integrations.core.finding_code import LEVER_SETTINGS
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import (
    EmailTopic,
    Line,
    Link,
    members_getting,
    page_link,
    timeline_link,
)
from integrations.notifications.notices import Condition, ConnectionUnchanged, EmailPayload, Notice
from integrations.notifications.rendering import OPEN
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import enqueue
from integrations.store import database
from integrations.store.columns import truncated_key

#: What Lever and CodeScreen are to be told goes first.
PRIORITY = 8

# Enqueue e-mails: to named people, or to the members who get a kind; the latter also for the chat room.


def enqueue_email(
    organization: Organization,
    topic: EmailTopic,
    key: str,
    payload: EmailPayload,
    *,
    member: Membership | None = None,
    invitation: Invitation | None = None,
    opportunity_id: str = "",
    priority: int = PRIORITY,
    wait: timedelta = timedelta(0),
) -> None:
    """Enqueue one e-mail, once per topic and key."""
    enqueue(
        organization.pk,
        Effect.Kind.SEND_EMAIL,
        effect_key(topic, key),
        email_topic=topic,
        member=member,
        invitation=invitation,
        opportunity_id=opportunity_id,
        payload=payload,
        priority=priority,
        wait=wait,
    )


def notify_members(
    organization: Organization,
    topic: EmailTopic,
    key: str,
    *,
    subject: str,
    lines: Sequence[Line],
    invitation: Invitation | None = None,
    holds_while: Condition | None = None,
    at_most_every: timedelta | None = None,
) -> None:
    """Enqueue an e-mail to the members who get the topic's kind, and a message to the chat room, once per key.

    One about an `invitation` gets the candidate's name when it is sent, before its subject, and ends with the link to
    the candidate's page. What `holds_while` says is looked at when it is sent: once it is no longer so, nobody is told.
    With `at_most_every`, nothing is enqueued while a message about another invitation is younger: in an outage hundreds
    would say the same.
    """
    kind = topic.record.kind
    if kind is None:
        raise TypeError(f"{topic} goes to named people")
    if at_most_every is not None and _told_of_another(organization, topic, invitation, at_most_every):
        return
    if invitation is not None:
        lines = [*lines, Link(OPEN, timeline_link(invitation.opportunity_id))]
    notice = Notice(subject, tuple(lines), holds_while)
    if organization.chat_url:
        enqueue(
            organization.pk,
            Effect.Kind.SEND_ALERT,
            f"{topic}:{key}",
            notice,
            PRIORITY,
            email_topic=topic,
            invitation=invitation,
        )
    if members := members_getting(organization, kind):
        recipients = tuple(sorted({member.user.email for member in members}))
        payload = EmailPayload(**vars(notice), recipients=recipients)
        enqueue_email(organization, topic, key, payload, invitation=invitation)


def _told_of_another(
    organization: Organization, topic: EmailTopic, invitation: Invitation | None, time: timedelta
) -> bool:
    """Whether a message of the topic about another invitation was enqueued within that time, and isn't cancelled."""
    recent = Effect.objects.filter(organization=organization, email_topic=topic, created_at__gt=Now() - time)
    return recent.exclude(state=Effect.State.CANCELLED).exclude(invitation=invitation).exists()


def effect_key(topic: EmailTopic, key: str) -> str:
    """Return the key of the effect that sends the e-mail of this topic and key."""
    return truncated_key(f"{topic}:{key}")


# E-mails about an organization's connection to Lever: it broke, it ends soon, it works again.


WARN_DAYS = (1, 7, 30)


def notify_reconnect_needed(organization: Organization) -> None:
    """Enqueue an e-mail that Lever no longer accepts the grant, once per grant; nothing while it is accepted."""
    grant = LeverConnection.objects.filter(
        organization=organization, state=LeverConnection.State.NEEDS_RECONNECT
    ).first()
    if grant is None:
        return
    notify_members(
        organization,
        EmailTopic.RECONNECT_NEEDED,
        str(grant.generation),
        subject="Lever needs to be reconnected",
        lines=[
            grant.state_reason,
            "Nothing is lost: what arrives is kept and processed when Lever is connected again.",
            page_link(LEVER_SETTINGS, "A Super Admin can reconnect Lever under Settings"),
        ],
        holds_while=ConnectionUnchanged.of(grant),
    )


def notify_grant_ends(grant: LeverConnection) -> None:
    """Enqueue an e-mail 30, 7 and 1 days before Lever's grant ends, once each."""
    if grant.ends_at is None or grant.connected_at is None:
        return
    days_left = (grant.ends_at - database.now()).total_seconds() / 86400
    step = next((days for days in WARN_DAYS if days_left <= days), None)
    if step is None:
        return
    end_date = f"{grant.ends_at:%-d %B %Y}"
    notify_members(
        grant.organization,
        EmailTopic.CONNECTION_ENDS,
        f"{grant.connected_at:%Y-%m-%dT%H:%M:%S}:{step}",
        subject=f"Lever must be reconnected by {end_date}",
        lines=[
            "Lever ends every connection after one year. Reconnecting takes a minute, and nothing is lost.",
            page_link(LEVER_SETTINGS, "A Super Admin can reconnect Lever under Settings"),
        ],
        holds_while=ConnectionUnchanged.of(grant),
    )


def notify_reconnected(organization: Organization) -> None:
    """Enqueue an e-mail that Lever works again, once for each e-mail that it didn't; nothing without one."""
    warning = (
        Effect.objects.filter(organization=organization, email_topic=EmailTopic.RECONNECT_NEEDED)
        .order_by("-pk")
        .first()
    )
    if warning is None:
        return
    notify_members(
        organization,
        EmailTopic.RECONNECTED,
        str(warning.pk),
        subject="Lever is connected again",
        lines=["What arrived in the meantime is being processed now."],
    )
