"""Enqueueing: to the members who want the kind, once per topic and key."""

from datetime import timedelta

import pytest

from integrations.members.models.membership import Membership
from integrations.notifications.acts import choose_emails
from integrations.notifications.models.email_kind import EmailKind, EmailTopic
from integrations.notifications.notify import notify_reconnected
from integrations.outbox.models.effect import Effect
from tests.notifications.outgoing import notify
from tests.support import factories


def test_nothing_is_enqueued_when_nobody_wants_the_kind(organization, super_admin):
    member = Membership.objects.get(user=super_admin)
    choose_emails(member, {EmailKind.PROBLEMS: False}, super_admin)
    notify(organization)
    assert not Effect.objects.exists()


def test_the_same_topic_and_key_is_one_email(organization, super_admin):
    for _ in range(2):
        notify(organization, EmailTopic.INCIDENT_BEGUN, "7")
    notify(organization, EmailTopic.INCIDENT_BEGUN, "8")
    notify(organization, EmailTopic.INCIDENT_ENDED, "7")
    topics = Effect.objects.order_by("pk").values_list("email_topic", flat=True)
    assert list(topics) == ["incident_begun", "incident_begun", "incident_ended"]


def test_a_message_that_was_cancelled_keeps_no_other_back(organization, super_admin):
    def told(key: str) -> bool:
        invitation = factories.InvitationFactory.create(organization=organization)
        notify(organization, key=key, invitation=invitation, at_most_every=timedelta(minutes=30))
        return Effect.objects.filter(key__endswith=f":{key}").exists()

    assert [told("1"), told("2")] == [True, False]
    Effect.objects.update(state="cancelled", due_at=None)  # what it said was no longer true
    assert told("3")


@pytest.mark.parametrize("topic", [topic for topic in EmailTopic if topic.record.kind is None])
def test_a_topic_for_named_people_is_no_notice(organization, super_admin, topic):
    with pytest.raises(TypeError):
        notify(organization, topic)


def test_reconnected_is_sent_once_for_each_warning_of_the_organization(organization, super_admin, stranger):
    notify(stranger.memberships.get().organization, EmailTopic.RECONNECT_NEEDED)
    notify_reconnected(organization)
    assert not Effect.objects.filter(organization=organization).exists()
    for generation in ("1", "2"):
        notify(organization, EmailTopic.RECONNECT_NEEDED, generation)
        for _ in range(2):
            notify_reconnected(organization)
    assert Effect.objects.filter(email_topic=EmailTopic.RECONNECTED).count() == 2
