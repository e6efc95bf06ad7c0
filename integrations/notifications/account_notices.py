"""E-mails about accounts and members, and members' requests to Super Admins."""

from collections.abc import Sequence
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils.crypto import get_random_string

from integrations.api.models import ApiToken
from integrations.audit.models.entry import Actor, AuditAction, AuditTarget, Changes, TargetKind, masked
from integrations.audit.record import audit, target_of
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import ActionNotAllowed
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailTopic, Line, settings_link
from integrations.notifications.notices import EmailPayload
from integrations.notifications.notify import PRIORITY as USUAL_PRIORITY
from integrations.notifications.notify import enqueue_email
from integrations.notifications.rendering import ComposedEmail, RenderedEmail, render, without_links
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.store import database

INTERVAL = timedelta(days=1)
MAX_MESSAGE_LENGTH = 500
MAX_RECIPIENTS = 20


class AdminRequest(models.TextChoices):
    """What a member may ask the Super Admins for."""

    ROLE = "role", "Give me a role with more rights"
    CONNECTION = "connection", "Connect Lever or CodeScreen, or fix a connection"
    SETTINGS = "settings", "Change the mappings or the rules"
    MEMBER = "member", "Invite somebody, or remove a member"


SENT_ALREADY = "You asked for this within the last day. They already have your e-mail."


def super_admins_with_address(organization: Organization) -> list[Membership]:
    """Return the active Super Admins who have an e-mail address, at most 20 of them."""
    return list(_all_with_address(organization)[:MAX_RECIPIENTS])


def _all_with_address(organization: Organization) -> QuerySet[Membership]:
    super_admins = organization.memberships.filter(role=Membership.Role.SUPER_ADMIN, user__is_active=True)
    return super_admins.exclude(user__email="").select_related("user").order_by("user__username")


def recent_requests(member: Membership) -> dict[str, Effect]:
    """Return by request code the e-mails of the member's requests within the last day that were or may be sent."""
    emails = Effect.objects.filter(
        member=member, email_topic=EmailTopic.ADMIN_REQUEST, created_at__gt=database.now() - INTERVAL
    ).exclude(state__in=[Effect.State.FAILED, Effect.State.CANCELLED])
    return {EmailPayload.from_json(email.payload).requested: email for email in emails.order_by("created_at")}


def send_request(member: Membership, code: str, message: str = "") -> list[Membership]:
    """Enqueue one e-mail to the Super Admins and record it in the audit log; return who gets it.

    Raises ActionNotAllowed with why nobody does.
    """
    if code not in AdminRequest.values:
        raise ActionNotAllowed("Choose what you want to ask for.")
    request = AdminRequest(code)
    with transaction.atomic():
        # two clicks at once are one request: the second waits for this lock and then finds the first one's e-mail
        Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=member.pk)
        super_admins = super_admins_with_address(member.organization)
        if not super_admins:
            raise ActionNotAllowed("No Super Admin has an e-mail address here. Please ask one in person.")
        if request in recent_requests(member):
            raise ActionNotAllowed(SENT_ALREADY)
        message = " ".join(message.split())[:MAX_MESSAGE_LENGTH]
        name = member.name
        lines: list[Line] = [f"{name} ({member.get_role_display()}) asks for this: {request.label}."]
        if message:
            lines.append(f"In their words: {message}")
        lines.append(settings_link())
        enqueue_email(
            member.organization,
            EmailTopic.ADMIN_REQUEST,
            f"{member.pk}:{request}:{database.now():%Y-%m-%dT%H:%M:%S.%f}",
            EmailPayload(
                recipients=tuple(super_admin.user.email for super_admin in super_admins),
                subject=f"{name} asks: {request.label}",
                lines=tuple(lines),
                requested=request.value,
            ),
            member=member,
        )
        target = AuditTarget(TargetKind.ADMIN_REQUEST, None, str(request.label))
        audit(target, member.user, AuditAction.ASK_ADMINS, reason=message, organization=member.organization)
    return super_admins


PRIORITY = 1  # a person who has to stop somebody must know at once


def tell_person(user: User, subject: str, lines: Sequence[Line], *, key: str = "") -> bool:
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


def audit_and_tell(
    about: Organization | LeverConnection | LeverWebhook | CodeScreenConnection | ApiToken,
    actor: Actor,
    action: AuditAction,
    changes: Changes | None = None,
    *,
    name: str = "",
) -> None:
    """Append the audit entry of an act that decides where candidates' data goes or who reads it, and tell of it.

    The e-mail goes to the Super Admins of this moment, who acted among them. Call it last in the act's transaction.
    """
    organization = about if isinstance(about, Organization) else about.organization
    details = "; ".join(
        f"{column.replace('_', ' ')}: {', '.join(after) if isinstance(after, list) else after}"
        for column, (_, after) in masked(changes or {}).items()
    )
    happened = f"{actor} {action.label}: {name or target_of(about).name}"
    lines = (
        without_links(
            f"{happened}{f' ({details})' if details else ''}, on {database.now():%d %B %Y at %H:%M} UTC."
        ),
        "It decides where candidates' data goes, or who reads it. If that isn't right, change it back.",
        settings_link(),
    )
    _tell_super_admins(
        organization, EmailTopic.ACCOUNT, without_links(f"{organization.name}: {happened}"), lines
    )
    audit(about, actor, action, changes, name=name)


def tell_members_changed(
    organization: Organization, who: str, what_happened: str, actor: Actor, *, ended: User | None = None
) -> str:
    """Enqueue an e-mail that says what happened to the membership of `who`, and who did it.

    It goes to the Super Admins of this moment, who may be fewer when it is sent. It names the tokens that the person
    whose access `ended` has made: programs read on with them. Return that sentence, for the log; empty without any.
    """
    tokens = ApiToken.objects.live().filter(organization=organization, made_by=ended) if ended else ()
    names = ", ".join(f"“{token}”" for token in tokens)
    left = (
        f"Programs still read with the tokens that they made: {names}. Revoke what you don't need."
        if names
        else ""
    )
    lines: list[Line] = [
        f"{who}: {what_happened}.",
        f"This was done by {actor}. If that isn't right, check the members.",
    ]
    if left:
        lines.append(without_links(left))
    lines.append(settings_link())
    topic = EmailTopic.MEMBERS_CHANGED
    subject = f"Members changed: {who}"
    _tell_super_admins(organization, topic, subject, tuple(lines), USUAL_PRIORITY)
    return left


def _tell_super_admins(
    organization: Organization,
    topic: EmailTopic,
    subject: str,
    lines: tuple[Line, ...],
    priority: int = PRIORITY,
) -> None:
    # all of them: else others could hide a change by names that sort earlier
    addresses = {member.user.email for member in _all_with_address(organization)}
    if addresses:
        payload = EmailPayload(recipients=tuple(sorted(addresses)), subject=subject, lines=lines)
        enqueue_email(organization, topic, get_random_string(16), payload, priority=priority)


def compose_account_notice(payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail. It goes to the address of that time: a thief of the account changes the address."""
    rendered = RenderedEmail(payload.subject, tuple((line,) for line in payload.lines))
    return ComposedEmail(rendered, dict.fromkeys(payload.recipients, ""))


def compose_for_super_admins(effect: Effect, payload: EmailPayload) -> ComposedEmail:
    """Return the e-mail to those of its recipients who are still Super Admins; they can't unsubscribe from it."""
    current = {member.user.email for member in _all_with_address(effect.organization)}
    addresses = [address for address in payload.recipients if address in current]
    return ComposedEmail(render(payload.subject, payload.lines), dict.fromkeys(addresses, ""))
