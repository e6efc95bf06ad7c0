"""What a person can do about each verdict."""

from collections.abc import Mapping

from integrations.vocabulary import VerdictCode

#: `noted` is missing: there is nothing to do about a CodeScreen webhook.
NEXT_STEPS: Mapping[str, str] = {
    VerdictCode.TEST_REQUEST: "Nothing to do: Lever reaches the portal.",
    VerdictCode.PAUSED: "Turn off the pause under Settings; this is decided again by itself.",
    VerdictCode.DISCONNECTED: "Connect again under Settings; this is decided again by itself.",
    VerdictCode.IGNORED_EVENT: "Nothing to do.",
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
        "Nothing to do: the result of the other opportunity counts for this person too."
    ),
    VerdictCode.HELD_FOR_APPROVAL: "An Admin says yes or no under Activity.",
    VerdictCode.INVITE: "Nothing to do: the invitation goes out by itself.",
}
