"""What a person can do about each verdict, and about the invitation that it led to."""

from collections.abc import Mapping

from integrations.vocabulary import INVITING_VERDICTS, InvitationStatus, VerdictCode

#: What to do about a verdict by itself. `noted` is missing: there is nothing to do about a CodeScreen webhook.
NEXT_STEPS: Mapping[str, str] = {
    VerdictCode.TEST_REQUEST: "Nothing to do: Lever reaches the portal.",
    VerdictCode.PAUSED: "Turn off the pause under Settings; this is decided again by itself.",
    VerdictCode.DISCONNECTED: "Connect again under Settings; this is decided again by itself.",
    VerdictCode.IGNORED_EVENT: "Nothing to do.",
    VerdictCode.ERASED: "Nothing to do. To assess this person all the same, add them in Lever as a new opportunity.",
    VerdictCode.NOT_A_TRIGGER_STAGE: (
        "To invite from this stage, let its name begin with the prefix or map it to an assessment."
    ),
    VerdictCode.NOT_VISIBLE: (
        "Open the candidate in Lever: it is confidential or was deleted. Invite from CodeScreen by hand."
    ),
    VerdictCode.LEFT_STAGE: "Move the candidate into the stage again if the assessment should be sent.",
    VerdictCode.ARCHIVED: (
        "Unarchive the candidate and move them into the stage again if the assessment should be sent."
    ),
    VerdictCode.ANONYMIZED: "Nothing can be sent: Lever removed this person's data.",
    VerdictCode.ENTERED_BEFORE: (
        "An Admin can invite everybody who stood in a stage before, under Activity; or move the candidate into the "
        "stage again."
    ),
    VerdictCode.CONTACT_NOT_ALLOWED: (
        "Ask the candidate for consent in Lever, then move them into the stage again."
    ),
    VerdictCode.NO_ASSESSMENT: (
        "Map the role to an assessment, or add the tag “CodeScreen {assessment name}”, then move the candidate into "
        "the stage again."
    ),
    VerdictCode.UNKNOWN_ASSESSMENT: (
        "Correct the tag or the mapping, then move the candidate into the stage again."
    ),
    VerdictCode.AMBIGUOUS_ASSESSMENT: (
        "Leave one assessment for this role, then move the candidate into the stage again."
    ),
    VerdictCode.NO_EMAIL: "Add an e-mail address in Lever, then move the candidate into the stage again.",
    VerdictCode.ALREADY_INVITED: (
        "Nothing to do: nobody is invited to the same assessment twice by itself. CodeScreen can resend the e-mail; "
        "when the invitation is over, an Admin can invite again from the candidate's page."
    ),
    VerdictCode.INVITED_ELSEWHERE: (
        "Nothing to do: the result of the other opportunity counts for this person too. When that invitation is over, "
        "an Admin can invite again from its page."
    ),
    VerdictCode.HELD_FOR_APPROVAL: "An Admin says yes or no under Activity.",
    VerdictCode.INVITE: "Nothing to do: the invitation goes out by itself.",
}

NOTED = "Nothing to do: the portal asks CodeScreen by itself about those it follows."

#: After a verdict that made an invitation, the next step depends on the invitation's status.
AFTER_INVITE: Mapping[InvitationStatus, str] = {
    InvitationStatus.HELD: NEXT_STEPS[VerdictCode.HELD_FOR_APPROVAL],
    InvitationStatus.PENDING: NEXT_STEPS[VerdictCode.INVITE],
    InvitationStatus.SENDING: NEXT_STEPS[VerdictCode.INVITE],
    InvitationStatus.UNCERTAIN: "CodeScreen's answer got lost: an Admin looks there and says whether it was sent.",
    InvitationStatus.INVITED: "Nothing to do: the invitation is with the candidate.",
    InvitationStatus.IN_PROGRESS: "Nothing to do: the candidate is at work on it.",
    InvitationStatus.SUBMITTED: "Nothing to do: CodeScreen evaluates it, and the result follows by itself.",
    InvitationStatus.COMPLETED: "Nothing to do: the result is in Lever, or on its way there.",
    InvitationStatus.WITHDRAWN: "Nothing to do: the portal no longer follows it.",
    InvitationStatus.FAILED: "It was not sent, for the reason shown. Mend that; then an Admin can invite again.",
}
#: After an invitation that the portal stopped asking about without a result.
FOLLOWED_IN_VAIN = (
    "If it is still wanted, move the candidate into the stage again: then CodeScreen is asked again. To send a new "
    "e-mail, an Admin stops following it and invites again."
)


def next_step(verdict: str, status: str | None = None) -> str:
    """Return the next step for a verdict and the status of its invitation; empty while there is no verdict."""
    if status and verdict in INVITING_VERDICTS:
        return AFTER_INVITE[InvitationStatus(status)]
    return NOTED if verdict == VerdictCode.NOTED else NEXT_STEPS.get(verdict, "")
