"""The e-mail that invites a new member to choose a password."""

from django.utils.crypto import get_random_string

from integrations.models import Effect, EmailTopic, Membership
from integrations.workflow.email.links import choose_password_link
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail


def enqueue_welcome(member: Membership) -> None:
    """Enqueue the e-mail with the link; the link itself is made when it is sent, and stored nowhere."""
    enqueue_email(
        member.organization,
        EmailTopic.WELCOME,
        f"{member.pk}:{get_random_string(8)}",
        EmailPayload(recipients=(member.user.email,)),
        member=member,
    )


def compose_welcome(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when the member has left, has a password by now, or has another address."""
    member = effect.member
    if member is None or member.user.has_usable_password() or member.user.email not in payload.recipients:
        return None
    name = effect.organization.name
    rendered = RenderedEmail(
        f"Join {name} on the CodeScreen–Lever portal",
        f"{name} has made you {member.get_role_display()} on its portal between Lever and CodeScreen.\n\n"
        f"Your user name is {member.user}. Choose a password here; the link works once, for a week:\n"
        f"{choose_password_link(member.user)}",
    )
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))
