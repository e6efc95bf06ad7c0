"""Lever reconnected: an e-mail for each that it was broken, and none otherwise."""

from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_reconnected
from integrations.outbox.models.effect import Effect
from tests.notifications.outgoing import notify


def test_reconnected_is_sent_once_for_each_warning(organization, super_admin):
    notify_reconnected(organization)
    assert not Effect.objects.exists()
    for generation in ("1", "2"):
        notify(organization, EmailTopic.RECONNECT_NEEDED, generation)
        for _ in range(2):
            notify_reconnected(organization)
    assert Effect.objects.filter(email_topic=EmailTopic.RECONNECTED).count() == 2


def test_another_organizations_warning_does_not_count(organization, super_admin, stranger):
    notify(stranger.memberships.get().organization, EmailTopic.RECONNECT_NEEDED)
    notify_reconnected(organization)
    assert not Effect.objects.filter(organization=organization).exists()
