"""The links by which invited people accept: made when they are sent or shown, stored nowhere."""

from django.conf import settings
from django.core import signing

from integrations.models import PendingMembership

_SALT = "integrations.pending_membership"

#: Django's e-mail backends that write messages down instead of sending them.
_BACKENDS_WITHOUT_SENDING = frozenset(
    f"django.core.mail.backends.{name}.EmailBackend" for name in ("console", "dummy", "filebased")
)


def membership_link(pending: PendingMembership) -> str:
    """Return the address at which an invited person accepts or declines."""
    contents = [pending.pk, pending.organization_id, pending.email, pending.invited_at.isoformat()]
    return f"{settings.PORTAL_URL}/membership/{signing.dumps(contents, salt=_SALT)}/"


def read_membership_token(token: str) -> PendingMembership | None:
    """Return the pending membership that a link is for; None when the link isn't ours or has ended.

    It ends when the person answers, the invitation is withdrawn or sent again, and after a week.
    """
    try:
        pk, organization, email, invited_at = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = PendingMembership.objects.open().select_related("organization")
    pending = rows.filter(pk=pk, organization=organization, email=email).first()
    return pending if pending is not None and pending.invited_at.isoformat() == invited_at else None


def is_mail_sent() -> bool:
    """Whether the portal sends its e-mails; without EMAIL_URL it only writes them down."""
    return settings.MAILERS["default"]["BACKEND"] not in _BACKENDS_WITHOUT_SENDING
