"""The e-mail that tells a person that their password was changed, so that they notice when somebody else did it."""

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.crypto import get_random_string

from integrations.models import Effect, EmailTopic, Membership
from integrations.workflow.email.links import forgotten_password_link
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail

PRIORITY = 2  # a person may have to act on it at once


def enqueue_password_changed(user: User) -> None:
    """Enqueue the e-mail, once for each change. Without an address, or an organization that sends it, there is none."""
    member = Membership.objects.filter(user=user).select_related("organization").order_by("pk").first()
    if member is not None and user.email:
        enqueue_email(
            member.organization,
            EmailTopic.PASSWORD_CHANGED,
            f"{member.pk}:{get_random_string(8)}",
            EmailPayload(
                recipients=(user.email,), variables={"when": f"{timezone.now():%d %B %Y at %H:%M} UTC"}
            ),
            member=member,
            priority=PRIORITY,
        )


def compose_password_changed(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail; None when the member has left, or retention has emptied it."""
    when = payload.variables.get("when")
    if effect.member is None or when is None:
        return None
    rendered = RenderedEmail(
        "Your password for the CodeScreen–Lever portal was changed",
        f"The password of {effect.member.user} was changed on {when}, and the other sessions ended.\n\n"
        "If it wasn't you, choose another one at once, and tell a Super Admin of your organization:\n"
        f"{forgotten_password_link()}",
    )
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))
