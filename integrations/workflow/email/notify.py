"""Enqueue e-mails: to named people, or to the members who want a kind; the latter also as alerts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from integrations.models import (
    AlertTopic,
    Effect,
    EmailTopic,
    Invitation,
    Membership,
    NotificationPreference,
    Organization,
)
from integrations.models.truncated_keys import truncated_key
from integrations.workflow.email import digests
from integrations.workflow.email.alerts.enqueue import enqueue_alerts
from integrations.workflow.email.blocks import OPEN
from integrations.workflow.email.links import candidate_link
from integrations.workflow.email.payload import Condition, EmailPayload, Notice
from integrations.workflow.outbox import enqueue


def enqueue_email(
    organization: Organization,
    topic: EmailTopic,
    key: str,
    payload: EmailPayload,
    *,
    member: Membership | None = None,
    invitation: Invitation | None = None,
    priority: int = 8,
    wait: timedelta = timedelta(0),
) -> None:
    """Enqueue one e-mail, once per topic and key."""
    enqueue.enqueue(
        organization.pk,
        Effect.Kind.SEND_EMAIL,
        effect_key(topic, key),
        email_topic=topic,
        member=member,
        invitation=invitation,
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
    lines: Sequence[str],
    variables: Mapping[str, str] | None = None,
    invitation: Invitation | None = None,
    holds_while: Condition | None = None,
    alert_topic: AlertTopic | None = None,
    link: str = "",
) -> None:
    """Enqueue one e-mail to the members who want the topic's kind, and alerts, once per topic and key.

    Its wording is chosen when it is sent: there `subject` fills in {problem}, `lines` {details}, and `variables` those
    of the kind. The same event for many candidates shares one e-mail, which shows the lines of each (see `digests`).
    An e-mail about an `invitation` ends with the link to the candidate's page.
    What `holds_while` says is looked at when it is sent: once it is no longer so, nobody is told.
    `alert_topic` and `link` are those of the alerts, where they aren't the usual ones.
    """
    kind = topic.kind
    if kind is None:
        raise TypeError(f"{topic} goes to named people")
    enqueue_alerts(
        organization,
        topic,
        key,
        subject=subject,
        lines=lines,
        variables=variables or {},
        invitation=invitation,
        holds_while=holds_while,
        alert_topic=alert_topic,
        link=link,
    )
    members = NotificationPreference.objects.members_who_want(organization, kind)
    if not members or _is_enqueued(organization, topic, key):
        return
    values = {**_candidate_variables(invitation), **(variables or {})}
    page = [f"{OPEN}: {candidate_link(invitation)}"] if invitation else []
    notice = Notice(subject, (*lines, *page), values, holds_while, key)
    is_digest = digests.is_gathered(organization, topic)
    if is_digest and digests.append_to_waiting(organization, topic, notice, invitation):
        return
    recipients = tuple(sorted({member.user.email for member in members}))
    payload = EmailPayload(recipients).with_notices(notice)
    wait = digests.gathering_time(organization, topic) if is_digest else timedelta(0)
    enqueue_email(organization, topic, key, payload, invitation=invitation, wait=wait)


def effect_key(topic: EmailTopic, key: str) -> str:
    """Return the key of the effect that sends the e-mail of this topic and key."""
    return truncated_key(f"{topic}:{key}")


def _is_enqueued(organization: Organization, topic: EmailTopic, key: str) -> bool:
    rows = Effect.objects.filter(organization=organization, kind=Effect.Kind.SEND_EMAIL)
    return rows.filter(key=effect_key(topic, key)).exists()


def _candidate_variables(invitation: Invitation | None) -> dict[str, str]:
    if invitation is None:
        return {}
    return {
        "assessment": invitation.assessment_name,
        "role": invitation.role_title,
        "timeline_link": candidate_link(invitation),
    }
