"""Ask the Super Admins for what one's own role may not do: one e-mail to them, on record, once a day for each wish."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.models import (
    AuditAction,
    AuditEntry,
    AuditTarget,
    Effect,
    EmailKind,
    Membership,
    Organization,
    TargetKind,
)
from integrations.workflow.outbox import enqueue

REQUESTS = {
    "role": "Give me a role that may do more",
    "connection": "Connect Lever or CodeScreen, or mend a connection",
    "settings": "Change the mappings or the policies",
    "member": "Invite somebody, or remove a member",
}
ONCE_EVERY = timedelta(days=1)
MAX_WORDS = 500


def recipients(organization: Organization) -> list[Membership]:
    """Return the Super Admins who can be written to."""
    holders = organization.memberships.filter(role=Membership.Role.SUPER_ADMIN, user__is_active=True)
    return list(holders.exclude(user__email="").select_related("user").order_by("user__username")[:20])


def recent_requests(member: Membership) -> dict[str, Effect]:
    """Return what the member asked for within the last day, and how its e-mail stands."""
    rows = Effect.objects.filter(
        organization=member.organization_id,
        kind=Effect.Kind.SEND_EMAIL,
        key__startswith=_key(member),
        created_at__gt=timezone.now() - ONCE_EVERY,
    ).exclude(state__in=[Effect.State.FAILED, Effect.State.CANCELLED])
    return {str(row.payload.get("wish", "")): row for row in rows.order_by("created_at")}


def _key(member: Membership) -> str:
    return f"asks:{member.pk}:"


def send_request(member: Membership, wish: str, words: str = "") -> list[Membership]:
    """Ask for one e-mail to the Super Admins; who gets it. Raises ValueError with why not."""
    organization, words = member.organization, " ".join(words.split())[:MAX_WORDS]
    if wish not in REQUESTS:
        raise ValueError("Choose what you want to ask for.")
    with transaction.atomic():
        # two clicks at once are one request: the second waits here, and finds the first
        Membership.objects.select_for_update().get(pk=member.pk)
        admins = recipients(organization)
        if not admins:
            raise ValueError("No Super Admin has an e-mail address here. Talk to them in person.")
        if wish in recent_requests(member):
            raise ValueError("You have asked for this within the last day. They have your e-mail.")
        name = member.user.get_full_name() or str(member.user)
        about = f"{name} ({member.get_role_display()}) asks you: {REQUESTS[wish]}."
        enqueue.enqueue(
            organization,
            Effect.Kind.SEND_EMAIL,
            f"{_key(member)}{wish}:{timezone.now():%Y-%m-%dT%H:%M:%S.%f}",
            payload={
                "kind": EmailKind.TROUBLE.value,
                "subject": f"{name} asks for something on the portal",
                "lines": [
                    about,
                    *([f"In their words: {words}"] if words else []),
                    f"Do it here: {settings.PORTAL_URL}/settings/",
                ],
                "asks": member.pk,
                "wish": wish,
                "recipients": [admin.user.email for admin in admins],
            },
            priority=8,
        )
        target = AuditTarget(TargetKind.ADMIN_REQUEST, None, REQUESTS[wish])
        AuditEntry.record(organization, member.user, AuditAction.ASK_ADMINS, target, reason=words)
    return admins
