"""Requests to the Super Admins for what the member's own role may not do: one e-mail a day for each request."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from django.db import models, transaction
from django.utils import timezone

from integrations.models import (
    AuditAction,
    AuditTarget,
    Effect,
    EmailKind,
    EmailTopic,
    Membership,
    Organization,
    TargetKind,
    audit,
)
from integrations.workflow.email.links import settings_link
from integrations.workflow.email.notices import render_notice
from integrations.workflow.email.notify import enqueue_email
from integrations.workflow.email.payload import EmailPayload
from integrations.workflow.email.rendering import ComposedEmail

INTERVAL = timedelta(days=1)
MAX_MESSAGE_LENGTH = 500
MAX_RECIPIENTS = 20


class AdminRequest(models.TextChoices):
    """What a member may ask the Super Admins for."""

    ROLE = "role", "Give me a role that may do more"
    CONNECTION = "connection", "Connect Lever or CodeScreen, or fix a connection"
    SETTINGS = "settings", "Change the mappings or the rules"
    MEMBER = "member", "Invite somebody, or remove a member"


class Refusal(Enum):
    """Why a request isn't sent, in a sentence for the member."""

    NO_SUCH_REQUEST = "Choose what you want to ask for."
    NO_RECIPIENT = "No Super Admin has an e-mail address here. Please ask one in person."
    SENT_ALREADY = "You asked for this within the last day. They already have your e-mail."


@dataclass(frozen=True)
class SentRequest:
    """A request that is on its way, and the Super Admins who get it."""

    recipients: list[Membership]


def super_admins_with_address(organization: Organization) -> list[Membership]:
    """Return the active Super Admins who have an e-mail address, at most 20 of them."""
    super_admins = organization.memberships.filter(role=Membership.Role.SUPER_ADMIN, user__is_active=True)
    with_address = super_admins.exclude(user__email="").select_related("user")
    return list(with_address.order_by("user__username")[:MAX_RECIPIENTS])


def recent_requests(member: Membership) -> dict[str, Effect]:
    """Return by request code the e-mails of the member's requests within the last day that were or may be sent."""
    emails = Effect.objects.filter(
        member=member,
        email_topic=EmailTopic.ADMIN_REQUEST,
        created_at__gt=timezone.now() - INTERVAL,
    ).exclude(state__in=[Effect.State.FAILED, Effect.State.CANCELLED])
    return {EmailPayload.from_json(email.payload).requested: email for email in emails.order_by("created_at")}


def send_request(member: Membership, code: str, message: str = "") -> SentRequest | Refusal:
    """Enqueue one e-mail to the Super Admins and record it in the audit log, or return why not."""
    if code not in AdminRequest.values:
        return Refusal.NO_SUCH_REQUEST
    request = AdminRequest(code)
    with transaction.atomic():
        # two clicks at once are one request: the second waits for this lock and then finds the first one's e-mail
        Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=member.pk)
        super_admins = super_admins_with_address(member.organization)
        if not super_admins:
            return Refusal.NO_RECIPIENT
        if request in recent_requests(member):
            return Refusal.SENT_ALREADY
        message = " ".join(message.split())[:MAX_MESSAGE_LENGTH]
        _enqueue_request(member, request, message, super_admins)
        target = AuditTarget(TargetKind.ADMIN_REQUEST, None, str(request.label))
        audit(target, member.user, AuditAction.ASK_ADMINS, reason=message, organization=member.organization)
    return SentRequest(super_admins)


def _enqueue_request(
    member: Membership, request: AdminRequest, message: str, super_admins: list[Membership]
) -> None:
    name = member.user.get_full_name() or str(member.user)
    lines = [f"{name} ({member.get_role_display()}) asks for this: {request.label}."]
    if message:
        lines.append(f"In their words: {message}")
    lines.append(f"Open the settings: {settings_link()}")
    enqueue_email(
        member.organization,
        EmailTopic.ADMIN_REQUEST,
        f"{member.pk}:{request}:{timezone.now():%Y-%m-%dT%H:%M:%S.%f}",
        EmailPayload(
            recipients=tuple(super_admin.user.email for super_admin in super_admins),
            subject=f"{name} asks: {request.label}",
            lines=tuple(lines),
            requested=request.value,
        ),
        member=member,
    )


def compose_admin_request(effect: Effect, payload: EmailPayload) -> ComposedEmail | None:
    """Return the e-mail to those who are still Super Admins; None when the member has left."""
    if effect.member is None:
        return None
    current = {member.user.email for member in super_admins_with_address(effect.organization)}
    addresses = [address for address in payload.recipients if address in current]
    # members can't unsubscribe from requests
    return ComposedEmail(
        render_notice(effect.organization, EmailKind.ATTENTION, payload), dict.fromkeys(addresses, "")
    )
