"""What an e-mail says is looked at again when it is sent: a notice that no longer holds is left out."""

from dataclasses import replace

from integrations.models import Invitation
from integrations.workflow.email.payload import EmailPayload, Notice


def keep_current(payload: EmailPayload) -> EmailPayload | None:
    """Return the payload with the notices that still hold, None when none does.

    Those about an invitation begin with the candidate's name and role as they are known now.
    """
    conditions = [notice.holds_while for notice in payload.notices if notice.holds_while]
    ids = {condition.invitation for condition in conditions}
    invitations = Invitation.objects.in_bulk(ids) if ids else {}
    found = [_with_name(notice, invitations) for notice in payload.notices]
    current = [notice for notice in found if notice is not None]
    return payload.with_notices(*current) if current else None


def _with_name(notice: Notice, invitations: dict[int, Invitation]) -> Notice | None:
    """Return the notice, with the candidate's name if it is about one; None when it no longer holds."""
    condition = notice.holds_while
    if condition is None:
        return notice
    invitation = invitations.get(condition.invitation)
    if invitation is None or type(condition).of(invitation) != condition:
        return None
    who = " · ".join(filter(None, (invitation.candidate_name, invitation.role_title)))
    return replace(notice, lines=(who, *notice.lines)) if who and notice.lines else notice
