"""What each status of an invitation means, and which tag the candidate then has in Lever."""

from collections.abc import Mapping
from dataclasses import dataclass

from integrations.vocabulary import InvitationStatus, ProgressTag, ResultOutcome
from integrations.workflow.rules.next_steps import AFTER_INVITE
from integrations.workflow.rules.tags import choose_progress_tag

MEANINGS: Mapping[InvitationStatus, str] = {
    InvitationStatus.HELD: "The limit of your rules is reached. Nothing was sent.",
    InvitationStatus.PENDING: "It is decided and will be sent within seconds.",
    InvitationStatus.SENDING: "CodeScreen is being asked to send it.",
    InvitationStatus.UNCERTAIN: "CodeScreen was asked, but its answer never arrived.",
    InvitationStatus.INVITED: "CodeScreen has sent the e-mail. The candidate has not started.",
    InvitationStatus.IN_PROGRESS: "The candidate has started.",
    InvitationStatus.SUBMITTED: "The candidate has handed in the work.",
    InvitationStatus.COMPLETED: "CodeScreen says that the assessment is complete.",
    InvitationStatus.WITHDRAWN: "A person cancelled it, or the candidate left the stage or was archived.",
    InvitationStatus.FAILED: "CodeScreen refused to send it. The candidate's page shows the reason.",
}


@dataclass(frozen=True)
class StatusHelp:
    """One status: its code and label, what it means, what to do, and the progress tags in Lever that go with it."""

    code: str
    label: str
    meaning: str
    next_step: str
    tags: tuple[str, ...]


def status_helps() -> list[StatusHelp]:
    """Return every status in the order of the journey."""
    return [
        StatusHelp(status.value, status.label, MEANINGS[status], AFTER_INVITE[status], _tags(status))
        for status in InvitationStatus
    ]


def _tags(status: InvitationStatus) -> tuple[str, ...]:
    """Return the tags of a status, the one for an expired result last; none where nothing has been sent."""
    try:
        tag = choose_progress_tag(status)
    except KeyError:
        return ()
    expired = choose_progress_tag(status, ResultOutcome.EXPIRED)
    return (tag, expired) if tag == ProgressTag.COMPLETED else (tag,)
