"""Which members want which kinds of e-mail, and the links by which they unsubscribe without signing in."""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.core import signing
from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    EmailKind,
    Membership,
    NotificationPreference,
    Organization,
    audit,
)
from integrations.models.notification_preference import WANTED_BY_DEFAULT

_SALT = "integrations.unsubscribe"


def unsubscribe_link(member: Membership, kind: EmailKind) -> str:
    """Return the address at which this member stops one kind of e-mail; it holds no name and doesn't expire."""
    token = signing.dumps([member.pk, kind.value], salt=_SALT)
    return f"{settings.PORTAL_URL}/unsubscribe/{token}/"


def read_token(token: str) -> tuple[Membership, EmailKind] | None:
    """Return the member and the kind of an unsubscribe link; None when it isn't ours or the member has left."""
    try:
        pk, kind = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    member = Membership.objects.filter(pk=pk).select_related("organization", "user").first()
    return (member, EmailKind(kind)) if member is not None and kind in EmailKind.values else None


def preferences_of(members: Iterable[Membership]) -> dict[int, dict[EmailKind, bool]]:
    """Return by member id whether the member gets each kind."""
    members = list(members)
    is_wanted = {
        member.pk: {kind: kind in WANTED_BY_DEFAULT[member.role] for kind in EmailKind} for member in members
    }
    for preference in NotificationPreference.objects.for_members([member.pk for member in members]):
        is_wanted[preference.membership_id][EmailKind(preference.kind)] = preference.is_wanted
    return is_wanted


def save_preferences(member: Membership, chosen: Mapping[EmailKind, bool], actor: Actor) -> list[EmailKind]:
    """Store which kinds a member gets; returns the kinds that changed."""
    before = preferences_of([member])[member.pk]
    changed = [kind for kind, is_wanted in chosen.items() if before[kind] != is_wanted]
    if not changed:
        return []
    with transaction.atomic():
        for kind in changed:
            NotificationPreference.objects.update_or_create(
                membership=member, kind=kind, defaults={"is_wanted": chosen[kind]}
            )
        changes = {str(kind.label): (before[kind], chosen[kind]) for kind in changed}
        audit(member, actor, AuditAction.CHOOSE_EMAILS, changes)
    return changed


def members_still_wanting(
    organization: Organization, addresses: Iterable[str], kind: EmailKind
) -> dict[str, Membership]:
    """Return those of the addresses' members who still want that kind, by address."""
    folded = {address.casefold() for address in addresses}
    return {
        member.user.email: member
        for member in NotificationPreference.objects.members_who_want(organization, kind)
        if member.user.email.casefold() in folded
    }
