"""What a person can do about a verdict, in the words of the run that decided it."""

from collections.abc import Iterable
from typing import Any

from integrations.models import Delivery, Invitation
from integrations.vocabulary import Verdict
from integrations.workflow.rules.next_steps import NEXT_STEPS

NOTED = "Nothing to do: the portal asks CodeScreen by itself about those it follows."

_STATUS = Invitation.Status
#: A verdict to invite is told further by what became of the invitation.
AFTER_INVITE = {
    _STATUS.HELD: NEXT_STEPS[Verdict.HELD_FOR_APPROVAL],
    _STATUS.UNCERTAIN: "CodeScreen's answer got lost: an Admin looks there and says whether it was sent.",
    _STATUS.INVITED: "Nothing to do: the invitation is with the candidate.",
    _STATUS.IN_PROGRESS: "Nothing to do: the candidate is at work on it.",
    _STATUS.SUBMITTED: "Nothing to do: CodeScreen evaluates it, and the result follows by itself.",
    _STATUS.COMPLETED: "Nothing to do: the result is in Lever, or on its way there.",
    _STATUS.WITHDRAWN: "Nothing to do: the portal no longer follows it.",
    _STATUS.FAILED: "It was not sent, for the reason shown. Mend that; then an Admin can invite again.",
}


def next_step(verdict: str, status: str = "") -> str:
    """Return the next step for a verdict, empty while there is none; `status` is its invitation's by now."""
    if verdict == Verdict.INVITE and status in AFTER_INVITE:
        return AFTER_INVITE[_STATUS(status)]
    return NOTED if verdict == Verdict.NOTED else NEXT_STEPS.get(verdict, "")


def with_next_steps[Row: Any](rows: Iterable[Row]) -> list[Row]:
    """Give each invitation, or delivery with its invitation, its `next_step`; the rows."""
    found = list(rows)
    for row in found:
        row.next_step = next_step(row.verdict or "", _status(row))
    return found


def _status(row: Any) -> str:
    invitation = row.invitation if isinstance(row, Delivery) else row
    return invitation.status if isinstance(invitation, Invitation) else ""
