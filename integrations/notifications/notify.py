"""Enqueue e-mails: to named people, or to the members who want a kind, several notices in one where they wish."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.members.models.membership import Membership
from integrations.notifications.links import settings_link, timeline_link
from integrations.notifications.models.email_kind import AlertTopic, EmailTopic, Line, Link
from integrations.notifications.models.preferences import AlertAddress, NotificationPreference
from integrations.notifications.payload import AlertPayload, Condition, EmailPayload, Notice
from integrations.notifications.rendering import OPEN
from integrations.organizations.models.organization import Organization
from integrations.outbox.effect_queries import EffectQuerySet
from integrations.outbox.enqueue import enqueue
from integrations.outbox.models import Effect
from integrations.store.columns import truncated_key

#: What Lever and CodeScreen are to be told goes first.
PRIORITY = 8

# What a candidate and a result are called in a subject.


#: What may stand before a name and isn't one.
_TITLES = frozenset({"candidate", "dr", "mr", "mrs", "ms", "prof"})
#: What stands for a name that isn't known. An erasure takes it for nobody's name.
UNNAMED = "A candidate"


def first_name(name: str) -> str:
    """Return the first word of a name after titles such as “Dr.”; without one, words that stand for it."""
    words = name.split()
    named = [word for word in words if word.casefold().rstrip(".") not in _TITLES]
    return next(iter(named or words), UNNAMED).rstrip(",")


def candidate_names(invitation: Invitation) -> dict[str, str]:
    """Return the variables with the candidate's name."""
    name = invitation.candidate_name
    return {"candidate": name or UNNAMED, "first_name": first_name(name)}


# Digests: notices of one topic that share an e-mail, how long it waits for more, and how one is appended.
#
# The first e-mail of a topic waits for half a minute; what follows within half an hour is gathered into the next one.


SHORTEST_WAIT = timedelta(seconds=30)
DIGEST_INTERVAL = timedelta(minutes=30)


def is_gathered(organization: Organization, topic: EmailTopic) -> bool:
    """Whether a new notice of the topic belongs in a digest; of some topics it does once there are many."""
    single_emails = topic.record.single_emails
    if not topic.record.digest_subject or not single_emails:
        return bool(topic.record.digest_subject)
    recent = _emails(organization, topic).filter(created_at__gte=timezone.now() - DIGEST_INTERVAL)
    return len(recent[:single_emails].values("pk")) >= single_emails


def gathering_time(organization: Organization, topic: EmailTopic) -> timedelta:
    """Return how long a new e-mail of the topic waits for what may follow: longer soon after another one."""
    latest = _emails(organization, topic).aggregate(at=Max("created_at"))["at"]
    if latest is None:
        return SHORTEST_WAIT
    until_next: timedelta = latest + DIGEST_INTERVAL - timezone.now()
    return max(SHORTEST_WAIT, until_next)


def append_to_waiting(
    organization: Organization, topic: EmailTopic, notice: Notice, invitation: Invitation | None
) -> bool:
    """Append the notice, once per key, to the topic's e-mail that still waits; False when there is none.

    The e-mail is found by the `invitation` that it is about then too.
    """
    waiting = _emails(organization, topic).not_begun().filter(state=Effect.State.DUE)
    if connection.in_atomic_block:
        # wait for a concurrent append to commit: without the lock this notice would become an e-mail of its own
        waiting = waiting.select_for_update(of=("self",), no_key=True)
    effect = waiting.first()
    if effect is None:
        return False
    payload = EmailPayload.from_json(effect.payload)
    if notice.key in {appended.key for appended in payload.appended}:
        return True
    payload = payload.with_appended(notice)
    with transaction.atomic():
        is_appended = bool(waiting.filter(pk=effect.pk).update(payload=payload.to_json()))
        if is_appended and invitation is not None:
            effect.also_about.add(invitation)
    return is_appended


def _emails(organization: Organization, topic: EmailTopic) -> EffectQuerySet:
    return Effect.objects.filter(organization=organization, kind=Effect.Kind.SEND_EMAIL, email_topic=topic)


# Enqueue e-mails: to named people, or to the members who want a kind; the latter also as alerts.


def enqueue_email(
    organization: Organization,
    topic: EmailTopic,
    key: str,
    payload: EmailPayload,
    *,
    member: Membership | None = None,
    invitation: Invitation | None = None,
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
    variables: Mapping[str, str] | None = None,
    invitation: Invitation | None = None,
    holds_while: Condition | None = None,
    alert_topic: AlertTopic | None = None,
    link: str = "",
) -> None:
    """Enqueue one e-mail to the members who want the topic's kind, and alerts, once per topic and key.

    Its wording is chosen when it is sent: there `subject` fills in {problem}, `lines` {details}, and `variables` those
    of the kind. The same event for many candidates shares one e-mail, which shows the lines of each.
    An e-mail about an `invitation` ends with the link to the candidate's page.
    What `holds_while` says is looked at when it is sent: once it is no longer so, nobody is told.
    `alert_topic` and `link` are those of the alerts, where they aren't the usual ones.
    """
    kind = topic.record.kind
    if kind is None:
        raise TypeError(f"{topic} goes to named people")
    notice = Notice(subject, tuple(lines), dict(variables or {}), holds_while, key)
    if invitation is not None:
        page = timeline_link(invitation.opportunity_id)
        own = {"assessment": invitation.assessment_name, "role": invitation.role_title, "timeline_link": page}
        notice = replace(
            notice,
            lines=(*lines, Link(OPEN, page)),
            variables=own | notice.variables,
            opportunity_id=invitation.opportunity_id,
        )
    if topic.record.alert is not None:
        _enqueue_alerts(organization, topic, notice, invitation, alert_topic or topic.record.alert, link)
    members = NotificationPreference.objects.members_who_want(organization, kind)
    enqueued = Effect.objects.filter(organization=organization, kind=Effect.Kind.SEND_EMAIL)
    if not members or enqueued.filter(key=effect_key(topic, key)).exists():
        return
    is_digest = is_gathered(organization, topic)
    if is_digest and append_to_waiting(organization, topic, notice, invitation):
        return
    recipients = tuple(sorted({member.user.email for member in members}))
    payload = EmailPayload(recipients=recipients).with_notices(notice)
    wait = gathering_time(organization, topic) if is_digest else timedelta(0)
    enqueue_email(organization, topic, key, payload, invitation=invitation, wait=wait)


def effect_key(topic: EmailTopic, key: str) -> str:
    """Return the key of the effect that sends the e-mail of this topic and key."""
    return truncated_key(f"{topic}:{key}")


# Enqueue alerts: one effect per address and event, in the transaction of what the members are notified of.


def _enqueue_alerts(
    organization: Organization,
    topic: EmailTopic,
    notice: Notice,
    invitation: Invitation | None,
    alert_topic: AlertTopic,
    link: str,
) -> None:
    """Enqueue the alert of an event to each address that gets its topic, once per address, topic and key.

    Lines with an address of the web are left out: an alert has the link.
    """
    # subject and lines of a result name the candidate
    is_result = alert_topic == AlertTopic.RESULT
    result = notice.variables if is_result else {}
    told = () if is_result else (line for line in notice.lines if isinstance(line, str) and "://" not in line)
    payload = AlertPayload(
        type=alert_topic.value,
        phase=topic.record.alert_phase.value,
        subject="" if is_result else notice.subject,
        lines=tuple(told),
        link=link or (timeline_link(invitation.opportunity_id) if invitation else settings_link()),
        result=result.get("result", ""),
        outcome=result.get("outcome", ""),
        score=result.get("score", ""),
        holds_while=notice.holds_while,
    )
    addresses = AlertAddress.objects.filter(organization=organization).getting(alert_topic)
    for pk in addresses.order_by("pk").values_list("pk", flat=True):
        enqueue(
            organization.pk,
            Effect.Kind.SEND_ALERT,
            f"{topic}:{notice.key}:{pk}",
            replace(payload, address=pk),
            PRIORITY,
            invitation=invitation,
        )


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
            Link("A Super Admin can reconnect Lever under Settings", settings_link()),
        ],
    )


def notify_grant_ends(grant: LeverConnection) -> None:
    """Enqueue an e-mail 30, 7 and 1 days before Lever's grant ends, once each."""
    if grant.ends_at is None or grant.connected_at is None:
        return
    days_left = (grant.ends_at - timezone.now()).total_seconds() / 86400
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
            Link("A Super Admin can reconnect Lever under Settings", settings_link()),
        ],
        variables={"end_date": end_date, "days_left": str(max(0, round(days_left)))},
    )


def notify_reconnected(organization: Organization) -> None:
    """Enqueue an e-mail that Lever works again, once for each e-mail that it didn't; nothing without one."""
    warning = _emails(organization, EmailTopic.RECONNECT_NEEDED).order_by("-pk").first()
    if warning is None:
        return
    notify_members(
        organization,
        EmailTopic.RECONNECTED,
        str(warning.pk),
        subject="Lever is connected again",
        lines=["What arrived in the meantime is being processed now."],
    )
