"""E-mails to the Super Admins about every change of the members; nobody can unsubscribe from them."""

from django.utils.crypto import get_random_string

from integrations.models import Actor, Effect, EmailKind, EmailTopic, Organization
from integrations.workflow.email.admin_requests import super_admins_with_address
from integrations.workflow.email.links import settings_link
from integrations.workflow.email.notices import render_notice
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail


def notify_super_admins(organization: Organization, who: str, what_happened: str, actor: Actor) -> None:
    """Enqueue an e-mail that says what happened to the membership of `who`, and by whom.

    It goes to the Super Admins of this moment, who may be fewer when it is sent.
    """
    recipients = {member.user.email for member in super_admins_with_address(organization)}
    if not recipients:
        return
    lines = (
        f"{who}: {what_happened}.",
        f"This was done by {actor}. If that isn't right, check the members.",
        f"Open the settings: {settings_link()}",
    )
    payload = EmailPayload(tuple(sorted(recipients)), f"Members changed: {who}", lines)
    enqueue_email(organization, EmailTopic.MEMBERS_CHANGED, get_random_string(16), payload)


def compose_member_notice(effect: Effect, payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail to those who are still Super Admins."""
    current = {member.user.email for member in super_admins_with_address(effect.organization)}
    addresses = [address for address in payload.recipients if address in current]
    return ComposedEmail(
        render_notice(effect.organization, EmailKind.ATTENTION, payload), dict.fromkeys(addresses, "")
    )
