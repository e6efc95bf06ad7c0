"""What a person can do about a verdict, as a sentence."""

from integrations.models import Invitation
from integrations.vocabulary import VerdictCode
from integrations.workflow.rules.next_steps import NEXT_STEPS

NOTED = "Nothing to do: the portal asks CodeScreen by itself about those it follows."

_STATUS = Invitation.Status
#: After the verdict "invite", the next step depends on the invitation's status.
AFTER_INVITE = {
    _STATUS.HELD: NEXT_STEPS[VerdictCode.HELD_FOR_APPROVAL],
    _STATUS.UNCERTAIN: "CodeScreen's answer got lost: an Admin looks there and says whether it was sent.",
    _STATUS.INVITED: "Nothing to do: the invitation is with the candidate.",
    _STATUS.IN_PROGRESS: "Nothing to do: the candidate is at work on it.",
    _STATUS.SUBMITTED: "Nothing to do: CodeScreen evaluates it, and the result follows by itself.",
    _STATUS.COMPLETED: "Nothing to do: the result is in Lever, or on its way there.",
    _STATUS.WITHDRAWN: "Nothing to do: the portal no longer follows it.",
    _STATUS.FAILED: "It was not sent, for the reason shown. Mend that; then an Admin can invite again.",
}


def next_step(verdict: str, invitation: Invitation | None = None) -> str:
    """Return the next step for a verdict and the invitation it led to; empty while there is no verdict."""
    if verdict == VerdictCode.INVITE and invitation is not None and invitation.status in AFTER_INVITE:
        return AFTER_INVITE[_STATUS(invitation.status)]
    return NOTED if verdict == VerdictCode.NOTED else NEXT_STEPS.get(verdict, "")
