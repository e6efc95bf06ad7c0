"""E-mails about what opens accounts: to the person whose it is, and to Super Admins about their organization's."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.crypto import get_random_string

from integrations.models import Actor, EmailTopic, Membership, Organization
from integrations.workflow.email.admin_requests import super_admins_with_address
from integrations.workflow.email.links import settings_link
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail, RenderedEmail, without_links

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


def tell_super_admins(organization: Organization, what: str, line: str, actor: Actor) -> None:
    """Enqueue an e-mail that says what was changed about the organization's single sign-on, and by whom.

    It goes to the Super Admins of this moment, whatever they are when it is sent. Call it in the change's transaction.
    """
    recipients = {member.user.email for member in super_admins_with_address(organization)}
    if not recipients:
        return
    lines = (
        without_links(line),
        "Who runs the provider can sign in as each member with an address in a proven domain.",
        without_links(
            f"This was done by {actor}. If that isn't right, change it back, and tell the portal's operator."
        ),
        f"Open the settings: {settings_link()}sso/",
    )
    payload = EmailPayload(tuple(sorted(recipients)), f"{organization.name}: {what}", lines)
    enqueue_email(organization, EmailTopic.ACCOUNT, get_random_string(16), payload, priority=PRIORITY)


def compose_account_notice(payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail. It goes to the address of that time: a thief of the account changes the address."""
    rendered = RenderedEmail(payload.subject, "\n\n".join(payload.lines))
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))
