"""The e-mail by which an Admin tries out a wording before it is saved."""

from django.utils.crypto import get_random_string

from integrations.models import EmailKind, EmailTopic, Organization
from integrations.workflow.email.kinds import EmailWording, sample_values
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, render


def enqueue_sample(organization: Organization, kind: EmailKind, wording: EmailWording, address: str) -> None:
    """Enqueue an e-mail with that wording and sample values to one address."""
    enqueue_email(
        organization,
        EmailTopic.TEST,
        get_random_string(16),
        EmailPayload(
            recipients=(address,),
            wording=EmailWording(f"[Test] {wording.subject}", wording.body),
            variables=sample_values(kind, organization),
        ),
    )


def compose_sample(payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when its content was removed after the organization's retention."""
    if payload.wording is None:
        return None
    return ComposedEmail(render(payload.wording, payload.variables), dict.fromkeys(payload.recipients, ""))
