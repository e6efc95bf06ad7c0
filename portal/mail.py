"""The e-mail backend of a public portal that has no mail server."""

from collections.abc import Sequence
from typing import Never

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class RefusingEmailBackend(BaseEmailBackend):
    """Refuses every message, so that it stays due until a mail server is configured; nothing of it is printed."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> Never:
        """Raise OSError, as an unreachable mail server does."""
        raise OSError("No mail server is configured. Set EMAIL_URL.")
