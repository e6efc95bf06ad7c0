"""Enqueue e-mails and send those that are due."""

from typing import Any

from django.core import mail

from integrations.models import Effect, EmailTopic
from integrations.queue import worker
from integrations.workflow.email.notify import notify_members


def notify(
    organization, topic: EmailTopic = EmailTopic.INVITATION_BOUNCED, key: str = "1", **more: Any
) -> None:
    """Enqueue a notice that an invitation bounced, or of another topic."""
    content = {"subject": "An invitation bounced", "lines": ["It came back."], **more}
    notify_members(organization, topic, key, **content)


def send_all() -> list[Any]:
    """Send every e-mail that waits; return all messages sent so far."""
    Effect.objects.filter(state="due").update(due_at="2020-01-01T00:00:00Z")
    worker.work()
    return mail.outbox


def html_of(message: Any) -> str:
    """Return the HTML part of a message."""
    [(content, mimetype)] = message.alternatives
    assert mimetype == "text/html"
    return str(content)
