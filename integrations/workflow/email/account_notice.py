"""E-mails about what opens accounts and who is a member: to the person whose it is, and to Super Admins."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.crypto import get_random_string

from integrations.models import Actor, Effect, EmailKind, EmailTopic, Membership, Organization, db_clock
from integrations.workflow.email.admin_requests import super_admins_with_address
from integrations.workflow.email.links import forgotten_password_link, settings_link
from integrations.workflow.email.notices import render_notice
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


def tell_password_changed(user: User, factors: Sequence[str]) -> None:
    """Enqueue the e-mail, once for each change, with the second factors that stay. Call it in the transaction."""
    when = f"{db_clock.now():%d %B %Y at %H:%M} UTC"
    tell_person(
        user,
        "Your password for the CodeScreen–Lever portal was changed",
        [
            f"The password of {user} was changed on {when}. All other sessions were signed out.",
            "If it wasn't you, choose a new password now, and tell a Super Admin of your organization.",
            f"Choose a new password: {forgotten_password_link()}",
            *(
                [f"These second factors stay as they are; remove what isn't yours: {', '.join(factors)}."]
                if factors
                else []
            ),
        ],
    )


def tell_single_sign_on_changed(organization: Organization, what: str, line: str, actor: Actor) -> None:
    """Enqueue an e-mail that says what was changed about the organization's single sign-on, and who changed it.

    It goes to the Super Admins of this moment, whatever they are when it is sent. Call it in the change's transaction.
    """
    lines = (
        without_links(line),
        "Who runs the provider can sign in as each member with an address in a proven domain.",
        without_links(
            f"This was done by {actor}. If that isn't right, change it back, and tell the portal's operator."
        ),
        f"Open the settings: {settings_link()}sso/",
    )
    if payload := _for_super_admins(organization, f"{organization.name}: {what}", lines):
        enqueue_email(organization, EmailTopic.ACCOUNT, get_random_string(16), payload, priority=PRIORITY)


def tell_members_changed(organization: Organization, who: str, what_happened: str, actor: Actor) -> None:
    """Enqueue an e-mail that says what happened to the membership of `who`, and who did it.

    It goes to the Super Admins of this moment, who may be fewer when it is sent.
    """
    lines = (
        f"{who}: {what_happened}.",
        f"This was done by {actor}. If that isn't right, check the members.",
        f"Open the settings: {settings_link()}",
    )
    if payload := _for_super_admins(organization, f"Members changed: {who}", lines):
        enqueue_email(organization, EmailTopic.MEMBERS_CHANGED, get_random_string(16), payload)


def _for_super_admins(
    organization: Organization, subject: str, lines: tuple[str, ...]
) -> EmailPayload | None:
    addresses = _addresses_of_super_admins(organization)
    return EmailPayload(tuple(sorted(addresses)), subject, lines) if addresses else None


def _addresses_of_super_admins(organization: Organization) -> set[str]:
    return {member.user.email for member in super_admins_with_address(organization)}


def compose_account_notice(payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail. It goes to the address of that time: a thief of the account changes the address."""
    rendered = RenderedEmail(payload.subject, "\n\n".join(payload.lines))
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))


def compose_member_notice(effect: Effect, payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail to those who are still Super Admins."""
    current = _addresses_of_super_admins(effect.organization)
    addresses = [address for address in payload.recipients if address in current]
    return ComposedEmail(
        render_notice(effect.organization, EmailKind.ATTENTION, payload), dict.fromkeys(addresses, "")
    )
