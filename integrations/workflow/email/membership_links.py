"""The links by which invited people accept: made when they are sent or shown, stored nowhere."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing

from integrations.models import PendingMembership

_SALT = "integrations.pending_membership"

#: Django's e-mail backends that write messages down instead of sending them.
_BACKENDS_WITHOUT_SENDING = frozenset(
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased")
)


@dataclass(frozen=True)
class MembershipLink:
    """What a link is for, and whether it was made to be sent: only then it proves that its reader has the address."""

    pending: PendingMembership
    was_sent: bool


def membership_link(pending: PendingMembership) -> str:
    """Return the address at which an invited person accepts or declines."""
    row = [pending.pk, pending.organization_id, pending.email, pending.invited_at.isoformat()]
    return f"{settings.PORTAL_URL}/membership/{signing.dumps([*row, is_mail_sent()], salt=_SALT)}/"


def read_membership_token(token: str) -> MembershipLink | None:
    """Return what a link is for; None when the link isn't ours or has ended.

    It ends when the person answers, the invitation is withdrawn or sent again, and after a week.
    """
    try:
        pk, organization, email, invited_at, was_sent = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = PendingMembership.objects.open().select_related("organization")
    pending = rows.filter(pk=pk, organization=organization, email=email).first()
    if pending is None or pending.invited_at.isoformat() != invited_at:
        return None
    return MembershipLink(pending, was_sent is True)


def is_mail_sent() -> bool:
    """Whether the portal sends its e-mails; without EMAIL_URL it only writes them down."""
    return settings.MAILERS["default"]["BACKEND"] not in _BACKENDS_WITHOUT_SENDING
