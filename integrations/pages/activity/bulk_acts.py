"""What can be done to many rows at once, in words."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """One thing that is done to many rows: its words, whether it can be undone for a while, and who may do it."""

    code: str
    question: str
    consequence: str
    button: str
    may_undo: bool
    needs_admin: bool


ACTS: Mapping[str, Act] = {
    act.code: act
    for act in (
        Act(
            "send",
            "Send these invitations?",
            "CodeScreen e-mails the assessment to each of them. You can undo this for 30 seconds.",
            "Send invitations",
            may_undo=True,
            needs_admin=True,
        ),
        Act(
            "cancel",
            "Cancel these invitations?",
            "Nobody is e-mailed. To invite one of them later, use “Send again” on the candidate's page.",
            "Cancel invitations",
            may_undo=False,
            needs_admin=True,
        ),
        Act(
            "invite",
            "Invite these candidates?",
            "Each is read from Lever once more, and decided by your rules. You can undo this for 30 seconds.",
            "Invite",
            may_undo=True,
            needs_admin=True,
        ),
        Act(
            "retry",
            "Retry these effects?",
            "Each is tried again. You can undo this for 30 seconds.",
            "Retry",
            may_undo=True,
            needs_admin=False,
        ),
    )
}
