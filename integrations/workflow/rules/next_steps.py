"""What a person can do about each verdict."""

from collections.abc import Mapping

from integrations.vocabulary import Verdict

#: `noted` is missing: there is nothing to do about a CodeScreen webhook.
NEXT_STEPS: Mapping[str, str] = {
    Verdict.TEST_REQUEST: "Nothing to do: Lever reaches the portal.",
    Verdict.PAUSED: "Turn off the pause under Settings; this is decided again by itself.",
    Verdict.DISCONNECTED: "Connect again under Settings; this is decided again by itself.",
    Verdict.IGNORED_EVENT: "Nothing to do.",
    Verdict.NOT_A_TRIGGER_STAGE: (
        "To invite from this stage, let its name begin with the prefix or map it to an assessment."
    ),
    Verdict.NOT_VISIBLE: (
        "Open the candidate in Lever: it is confidential or was deleted. Invite from CodeScreen by hand."
    ),
    Verdict.LEFT_STAGE: "Move the candidate into the stage again if the assessment should be sent.",
    Verdict.ARCHIVED: (
        "Unarchive the candidate and move them into the stage again if the assessment should be sent."
    ),
    Verdict.ANONYMIZED: "Nothing can be sent: Lever removed this person's data.",
    Verdict.CONTACT_NOT_ALLOWED: (
        "Ask the candidate for consent in Lever, then move them into the stage again."
    ),
    Verdict.NO_ASSESSMENT: (
        "Map the role to an assessment, or add the tag “CodeScreen {assessment name}”, then move the candidate into "
        "the stage again."
    ),
    Verdict.UNKNOWN_ASSESSMENT: (
        "Correct the tag or the mapping, then move the candidate into the stage again."
    ),
    Verdict.AMBIGUOUS_ASSESSMENT: (
        "Leave one assessment for this role, then move the candidate into the stage again."
    ),
    Verdict.NO_EMAIL: "Add an e-mail address in Lever, then move the candidate into the stage again.",
    Verdict.ALREADY_INVITED: (
        "Nothing to do: nobody is invited to the same assessment twice by itself. CodeScreen can resend the e-mail; "
        "when the invitation is over, an Admin can invite again from the candidate's page."
    ),
    Verdict.INVITED_ELSEWHERE: (
        "Nothing to do: the result of the other opportunity counts for this person too."
    ),
    Verdict.HELD_FOR_APPROVAL: "An Admin says yes or no under Activity.",
    Verdict.INVITE: "Nothing to do: the invitation goes out by itself.",
}
