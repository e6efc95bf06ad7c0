"""Who gets which kind of e-mail, and the links by which members unsubscribe."""

from django.conf import settings
from django.core import signing

from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import EmailKind
from integrations.organizations.models.organization import Organization

_SALT = "integrations.unsubscribe"


def gets(member: Membership, kind: EmailKind) -> bool:
    """Whether the member gets that kind, by their choice or else by their role."""
    chosen: bool | None = getattr(member, kind.record.column)
    return member.role in kind.record.roles if chosen is None else chosen


def members_getting(organization: Organization, kind: EmailKind) -> list[Membership]:
    """Return the active members with an address who get that kind."""
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    members = members.exclude(user__email="").select_related("user").order_by("user__email")
    return [member for member in members if gets(member, kind)]


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
    return (member, EmailKind(kind)) if member is not None and kind in EmailKind else None
