"""Send one e-mail of the outbox."""

import smtplib

from django.core.mail import EmailMessage

from integrations.models import Effect
from integrations.platform import PlatformError
from integrations.workflow.facts import Platforms


def send_email(effect: Effect, platforms: Platforms) -> None:
    """Send the message; at least once, since no mail server can be asked whether it has it already."""
    lines = [str(line) for line in effect.payload["lines"]]
    message = EmailMessage(
        subject=" ".join(str(effect.payload["subject"]).split()),
        body="\n\n".join([*lines, f"— {effect.organization.name}, CodeScreen–Lever portal"]),
        bcc=list(effect.payload["recipients"]),
    )
    try:
        message.send()
    except (OSError, smtplib.SMTPException) as error:
        raise PlatformError(f"The mail server didn't take the message: {type(error).__name__}") from error
