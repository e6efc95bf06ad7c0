"""What a person did, as a line of a candidate's history."""

from collections.abc import Mapping

from integrations.models import AuditAction, AuditEntry
from integrations.pages.candidate.event import Event

#: What follows the person's name. Other actions are said by their label.
_SENTENCES: Mapping[str, str] = {
    AuditAction.APPROVE: "approved the invitation",
    AuditAction.CANCEL_INVITATION: "cancelled the invitation",
    AuditAction.RESOLVE_AS_SENT: "confirmed that the invitation was sent",
    AuditAction.SEND_AGAIN: "had the invitation sent again",
    AuditAction.INVITE_AGAIN: "had the assessment sent again",
    AuditAction.INVITE_OFFERED: "chose to invite this candidate",
    AuditAction.INVITE_CANDIDATE: "chose to invite this candidate",
    AuditAction.TAKE_BACK: "took it back before it began",
    AuditAction.RECORD_DECISION: "recorded a decision",
    AuditAction.RETRY: "retried what had failed",
    AuditAction.REPLAY: "had the stage change decided again",
    AuditAction.SUBJECT_ACCESS: "downloaded the data about this candidate",
    AuditAction.LOOK_AT_DATA: "looked at the data about this candidate",
    AuditAction.EXPORT_EVIDENCE: "exported the evidence about this candidate",
    AuditAction.ERASE: "erased the personal data",
}


def action_event(entry: AuditEntry) -> Event:
    """Return who did what, with the reason that they gave."""
    did = _SENTENCES.get(entry.action, entry.get_action_display())
    reason = f": “{entry.reason}”" if entry.reason else ""
    icon = "trash" if entry.action == AuditAction.ERASE else "user"
    return Event(entry.at, f"{entry.actor_name} {did}{reason}", icon=icon)
