"""Digests: notices of one topic that share an e-mail, how long it waits for more, and how one is appended.

The first e-mail of a topic waits for half a minute; what follows within half an hour is gathered into the next one.
"""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Effect, EmailTopic, Invitation, Organization
from integrations.models.effect import EffectQuerySet
from integrations.workflow.email.payload import EmailPayload, Notice

#: The topics that share an e-mail, and its subject then.
DIGEST_SUBJECTS = {
    EmailTopic.INVITATION_UNCERTAIN: "Several invitations may or may not have been sent",
    EmailTopic.INVITATION_FAILED: "Several invitations could not be sent",
    EmailTopic.INVITATION_BOUNCED: "Several invitations bounced",
    EmailTopic.FOLLOWING_ENDED: "Several invitations ended without a result",
    EmailTopic.RESULT_CHANGED: "Several results changed after the candidates were moved",
    EmailTopic.SUBMITTED: "Several assessments were submitted",
    EmailTopic.RESULT: "Several CodeScreen results",
}
SHORTEST_WAIT = timedelta(seconds=30)
DIGEST_INTERVAL = timedelta(minutes=30)
#: The first results within `DIGEST_INTERVAL`, this many, are e-mails of their own.
SINGLE_RESULTS = 20


def is_gathered(organization: Organization, topic: EmailTopic) -> bool:
    """Whether a new notice of the topic belongs in a digest; results do once there are many."""
    if topic != EmailTopic.RESULT:
        return topic in DIGEST_SUBJECTS
    recent = _emails(organization, topic).filter(created_at__gte=timezone.now() - DIGEST_INTERVAL)
    return len(recent[:SINGLE_RESULTS].values("pk")) >= SINGLE_RESULTS


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
    waiting = _emails(organization, topic).filter(
        state=Effect.State.DUE, due_at__gt=Now(), attempts=0, leased_until__isnull=True
    )
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
