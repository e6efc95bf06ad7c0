"""Who gets which e-mail: what a member wants, and the way out that works without signing in."""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.core import signing
from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    EmailKind,
    Membership,
    NotificationPreference,
    Organization,
    TargetKind,
)
from integrations.models.email import WANTED_BY_DEFAULT

_SALT = "integrations.unsubscribe"


def unsubscribe_link(member: Membership, kind: str) -> str:
    """Return the address at which this member stops one kind of e-mail; it names nobody and doesn't expire."""
    token = signing.dumps([member.pk, kind], salt=_SALT)
    return f"{settings.PORTAL_URL}/unsubscribe/{token}/"


def read_token(token: str) -> tuple[Membership, str] | None:
    """Return whom and what an unsubscribe link is about; None when it isn't ours or the member has gone."""
    try:
        pk, kind = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    member = Membership.objects.filter(pk=pk).select_related("organization", "user").first()
    return (member, kind) if member is not None and kind in EmailKind.values else None


def preferences_of(members: Iterable[Membership]) -> dict[int, dict[str, bool]]:
    """Return for each member whether they get each kind."""
    members = list(members)
    found = {
        member.pk: {kind: kind in WANTED_BY_DEFAULT[member.role] for kind in EmailKind.values}
        for member in members
    }
    for row in NotificationPreference.objects.of([member.pk for member in members]):
        found[row.membership_id][row.kind] = row.is_wanted
    return found


def save_preferences(member: Membership, chosen: Mapping[str, bool], actor: Actor) -> list[str]:
    """Store what a member is to get; the kinds that changed."""
    before = preferences_of([member])[member.pk]
    changed = [kind for kind, wanted in chosen.items() if before[kind] != wanted]
    if not changed:
        return []
    with transaction.atomic():
        for kind in changed:
            NotificationPreference.objects.update_or_create(
                membership=member, kind=kind, defaults={"is_wanted": chosen[kind]}
            )
        changes = {str(EmailKind(kind).label): (before[kind], chosen[kind]) for kind in changed}
        target = AuditTarget(TargetKind.MEMBER, member.pk, str(member.user))
        AuditEntry.record(member.organization, actor, AuditAction.CHOOSE_EMAILS, target, changes)
    return changed


def members_still_wanting(
    organization: Organization, addresses: Iterable[str], kind: str
) -> dict[str, Membership]:
    """Return which of these addresses belong to members who still want that kind, with the member."""
    wanted = {address.casefold() for address in addresses}
    return {
        member.user.email: member
        for member in NotificationPreference.objects.members_who_want(organization, kind)
        if member.user.email.casefold() in wanted
    }
