"""Enqueue e-mails and send those that are due."""

from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_members
from integrations.outbox.models.effect import Effect
from tests.support.mailbox import sent_emails

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def notify(
    organization, topic: EmailTopic = EmailTopic.INVITATION_FAILED, key: str = "1", **more: Any
) -> None:
    """Enqueue a notice that an invitation was not sent, or of another topic."""
    content = {"subject": "An invitation could not be sent", "lines": ["CodeScreen refused it."], **more}
    notify_members(organization, topic, key, **content)


def send_all() -> list[Any]:
    """Send every e-mail that waits, in the order in which they were enqueued; return all messages sent so far."""
    for number, effect in enumerate(Effect.objects.filter(state="due").order_by("pk")):
        Effect.objects.filter(pk=effect.pk).update(due_at=LONG_AGO + timedelta(seconds=number))
    return sent_emails()


def html_of(message: Any) -> str:
    """Return the HTML part of a message."""
    [(content, mimetype)] = message.alternatives
    assert mimetype == "text/html"
    return str(content)
