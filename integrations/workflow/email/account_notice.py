"""E-mails that tell a person what was changed about their account, in case it wasn't they who did it."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.crypto import get_random_string

from integrations.models import EmailTopic, Membership
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail

PRIORITY = 1  # a person who has to stop somebody must know at once


def tell_person(user: User, subject: str, lines: Sequence[str], *, key: str = "") -> bool:
    """Enqueue an e-mail to the person; return whether there is a way to send one. Call it in the change's transaction.

    E-mails belong to an organization: it goes through the person's first. Without one, or an address, there is none.
    With a key the e-mail is sent once for each person and key.
    """
    member = Membership.objects.filter(user=user).select_related("organization").order_by("pk").first()
    if member is None or not user.email:
        return False
    enqueue_email(
        member.organization,
        EmailTopic.ACCOUNT,
        f"{user.pk}:{key or get_random_string(12)}",
        EmailPayload(recipients=(user.email,), subject=subject, lines=tuple(lines)),
        member=member,
        priority=PRIORITY,
    )
    return True


def compose_account_notice(payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail. It goes to the address of that time: a thief of the account changes the address."""
    rendered = RenderedEmail(payload.subject, "\n\n".join(payload.lines))
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))
