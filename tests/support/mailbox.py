"""The e-mails that the workers sent."""

from typing import Any

from django.core import mail

from integrations.queue import worker


def sent_emails(to: str = "") -> list[Any]:
    """Let the workers send what is due; return all messages so far, or those to one address."""
    worker.work()
    return [message for message in mail.outbox if not to or message.to == [to]]
