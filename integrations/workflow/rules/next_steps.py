"""What a person can do about each verdict, and about the invitation that it led to."""

from collections.abc import Mapping

from integrations.vocabulary import INVITING_VERDICTS, InvitationStatus, VerdictCode

#: What to do about a verdict by itself. `noted` is missing: there is nothing to do about a CodeScreen webhook.
NEXT_STEPS: Mapping[str, str] = {
    VerdictCode.TEST_REQUEST: "Nothing to do. Lever can reach the portal.",
    VerdictCode.PAUSED: "An Admin ends the pause under Settings. This is then decided automatically.",
    VerdictCode.DISCONNECTED: "A Super Admin connects again under Settings. This is then decided automatically.",
    VerdictCode.IGNORED_EVENT: "Nothing to do.",
    VerdictCode.ERASED: (
        "Nothing to do. To send this person an assessment anyway, add them in Lever as a new opportunity."
    ),
    VerdictCode.NOT_A_TRIGGER_STAGE: "Nothing to do.",
    VerdictCode.NOT_VISIBLE: (
        "Look for the candidate in Lever. Once the portal can read them, and they are still in the stage, it decides "
        "about them automatically. Don't invite them in CodeScreen yourself: they would be invited twice."
    ),
    VerdictCode.LEFT_STAGE: "To send the assessment, move the candidate into the stage again.",
    VerdictCode.ARCHIVED: (
        "To send the assessment, unarchive the candidate in Lever and move them into the stage again."
    ),
    VerdictCode.ANONYMIZED: "Nothing to do. Lever has removed this person's data, so nothing can be sent.",
    VerdictCode.ENTERED_BEFORE: (
        "Look in CodeScreen whether the candidate is invited. If not, an Admin invites them under Candidates."
    ),
    VerdictCode.CONTACT_NOT_ALLOWED: (
        "Ask the candidate for consent in Lever, then move them into the stage again."
    ),
    VerdictCode.NO_ASSESSMENT: (
        "Let an Admin add a mapping for the role, or add the tag “CodeScreen {assessment name}” in Lever. Then move "
        "the candidate into the stage again."
    ),
    VerdictCode.UNKNOWN_ASSESSMENT: (
        "Correct the tag in Lever, or let an Admin correct the mapping. Then move the candidate into the stage again."
    ),
    VerdictCode.AMBIGUOUS_ASSESSMENT: (
        "Keep only one of these assessments, then move the candidate into the stage again."
    ),
    VerdictCode.NO_EMAIL: "Add an e-mail address in Lever, then move the candidate into the stage again.",
    VerdictCode.ALREADY_INVITED: (
        "Nothing to do. The same assessment is never sent twice automatically. CodeScreen can resend its e-mail. Once "
        "this invitation is over, an Admin can send it again from the candidate's page."
    ),
    VerdictCode.INVITED_ELSEWHERE: (
        "Nothing to do. The result of the other opportunity counts for this person too. Once that invitation is over, "
        "an Admin can send it again from its page."
    ),
    VerdictCode.HELD_FOR_APPROVAL: "An Admin decides whether it is sent.",
    VerdictCode.INVITE: "Nothing to do. The invitation is sent automatically.",
}

NOTED = "Nothing to do."

#: After a verdict that made an invitation, the next step depends on the invitation's status.
AFTER_INVITE: Mapping[InvitationStatus, str] = {
    InvitationStatus.HELD: NEXT_STEPS[VerdictCode.HELD_FOR_APPROVAL],
    InvitationStatus.PENDING: NEXT_STEPS[VerdictCode.INVITE],
    InvitationStatus.SENDING: NEXT_STEPS[VerdictCode.INVITE],
    InvitationStatus.UNCERTAIN: (
        "CodeScreen's answer never arrived. An Admin looks in CodeScreen, then says here whether it was sent."
    ),
    InvitationStatus.INVITED: "Nothing to do. The candidate has the invitation.",
    InvitationStatus.IN_PROGRESS: "Nothing to do. The candidate is working on it.",
    InvitationStatus.SUBMITTED: "Nothing to do. CodeScreen is evaluating it, and the result arrives automatically.",
    InvitationStatus.COMPLETED: "Nothing to do. The result is in Lever, or being written there.",
    InvitationStatus.WITHDRAWN: "Nothing to do. The portal neither sends nor tracks this invitation.",
    InvitationStatus.FAILED: "It was not sent. Fix the reason shown, then an Admin can send it again.",
}
#: After an invitation whose e-mail bounced.
BOUNCED = (
    "The invitation bounced. Correct the address in Lever, then an Admin presses “Correct and send again” on the "
    "candidate's page."
)
#: The verdicts about an invitation: one that was made, or that the person has already.
_OF_AN_INVITATION = INVITING_VERDICTS | {VerdictCode.ALREADY_INVITED, VerdictCode.INVITED_ELSEWHERE}
#: After an invitation that the portal stopped asking about without a result.
FOLLOWED_IN_VAIN = (
    "If you still need the result, move the candidate into the stage again, and the portal checks CodeScreen again. "
    "To send a new e-mail, an Admin cancels tracking and sends it again."
)


def next_step(verdict: str, status: str | None = None, *, is_bounced: bool = False) -> str:
    """Return the next step for a verdict and the status of its invitation; empty while there is no verdict."""
    if is_bounced and verdict in _OF_AN_INVITATION:
        return BOUNCED
    if status and verdict in INVITING_VERDICTS:
        return AFTER_INVITE[InvitationStatus(status)]
    return NOTED if verdict == VerdictCode.NOTED else NEXT_STEPS.get(verdict, "")
