"""A message whose header to unsubscribe mail programs can read, however long its address is."""

import email.policy
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage, Message
from email.policy import EmailPolicy, Policy

from django.core.mail import EmailMultiAlternatives


class WholeHeader(UnstructuredHeader, BaseHeader):
    """A header that stays on one line: an address that is folded becomes an encoded word, which RFC 2369 forbids."""

    def fold(self, *, policy: "Policy[Message[str, str]]") -> str:
        """Return the header as it is sent."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", WholeHeader)


class WholeAddresses(EmailMultiAlternatives):
    """A message in text and HTML, with the address to unsubscribe in one piece."""

    def message(self, *, policy: "Policy[Message[str, str]] | None" = None) -> EmailMessage:
        """Return the message as the mail server gets it."""
        chosen = policy if isinstance(policy, EmailPolicy) else email.policy.default
        message: EmailMessage = super().message(policy=chosen.clone(header_factory=_HEADERS))
        return message
