"""What an e-mail says is looked at again when it is sent: a notice that no longer holds is left out."""

from dataclasses import replace

from integrations.models import Incident, Invitation
from integrations.vocabulary import lower_first
from integrations.workflow.email.names import first_name
from integrations.workflow.email.payload import (
    Condition,
    EmailPayload,
    IncidentOngoing,
    InvitationUnchanged,
    Notice,
)


def keep_current(payload: EmailPayload) -> EmailPayload | None:
    """Return the payload with the notices that still hold, None when none does.

    Those about an invitation begin with the candidate's name and role as they are known now, and their subject with the
    first name.
    """
    conditions = [notice.holds_while for notice in payload.notices]
    ids = {one.invitation for one in conditions if isinstance(one, InvitationUnchanged)}
    invitations = Invitation.objects.in_bulk(ids) if ids else {}
    found = [_if_it_holds(notice, invitations) for notice in payload.notices]
    current = [notice for notice in found if notice is not None]
    return payload.with_notices(*current) if current else None


def still_holds(condition: Condition | None) -> bool:
    """Whether a condition is as it was when it was stored; no condition always is."""
    match condition:
        case None:
            return True
        case IncidentOngoing(incident):
            return Incident.objects.ongoing().filter(pk=incident).exists()
        case InvitationUnchanged(pk):
            invitation = Invitation.objects.filter(pk=pk).first()
            return invitation is not None and InvitationUnchanged.of(invitation) == condition


def _if_it_holds(notice: Notice, invitations: dict[int, Invitation]) -> Notice | None:
    match notice.holds_while:
        case None:
            return notice
        case IncidentOngoing() as condition:
            return notice if still_holds(condition) else None
        case InvitationUnchanged() as condition:
            return _with_name(notice, condition, invitations.get(condition.invitation))


def _with_name(
    notice: Notice, condition: InvitationUnchanged, invitation: Invitation | None
) -> Notice | None:
    """Return the notice with the candidate's name; None when the invitation isn't as it was."""
    if invitation is None or InvitationUnchanged.of(invitation) != condition:
        return None
    subject, name = notice.subject, invitation.candidate_name
    if name and subject:
        subject = f"{first_name(name)}: {lower_first(subject)}"
    who = " · ".join(filter(None, (name, invitation.role_title)))
    lines = (who, *notice.lines) if who and notice.lines else notice.lines
    return replace(notice, subject=subject, lines=lines)
