"""The statuses of an invitation: each has one record with everything that is said of it and that depends on it.

Pages, e-mails, exports and the admin read the record. To add a status, add its record here, and the code that
gives it to an invitation. Statuses are stored and exported by their code.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from typing import NamedTuple, Self

from integrations.core.act import Act
from integrations.core.vocabulary import LabelledEnum, ProgressTag, RecordEnum, Tone, lower_first, make_member

SENT_AUTOMATICALLY = "Nothing to do. The invitation is sent automatically."


class Phase(Enum):
    """How far an invitation is: not sent yet, being sent, sent and asked about, or over."""

    UNSENT = auto()
    BEING_SENT = auto()
    SENT = auto()
    OVER = auto()


class JourneyStep(IntEnum):
    """The steps of a candidate's journey, as a candidate's page shows them."""

    MOVED = 0
    INVITED = 1
    STARTED = 2
    SUBMITTED = 3
    RESULT = 4


class FollowingEnd(LabelledEnum):
    """Why the portal no longer asks CodeScreen about an invitation, after how many days, and the sentence about it.

    Without days, the organization's rule counts: how long a candidate may take to start. ERASED waits for no days.
    """

    days: int | None
    sentence: str

    def __new__(cls, code: str, label: str = "", days: int | None = None, sentence: str = "") -> Self:
        """Make the member; `sentence` may name {days}."""
        member = make_member(cls, code, label)
        member.days, member.sentence = days, sentence
        return member

    NOT_STARTED = "not_started", "Not started in time", None, "Not started within {days} days."
    NOT_FINISHED = "not_finished", "Not finished in time", 56, "Started, but not finished within {days} days."
    GONE = (
        "gone",
        "No longer in CodeScreen",
        7,
        "It has been missing in CodeScreen for {days} days, so it was deleted there.",
    )
    RESULT_SETTLED = "result_settled", "Result settled", 30, "The result hasn't changed for {days} days."
    WITHDRAWN = "withdrawn", "Cancelled", None, "Cancelled, and not completed within {days} days."
    ERASED = "erased", "The person's data was erased"


class PollPace(NamedTuple):
    """How often CodeScreen is asked: `times` the seconds that the setting states."""

    setting: str
    times: float


@dataclass(frozen=True, kw_only=True)
class StatusWords:
    """What is said of where an invitation stands.

    `label` is its name on every page; `title` is longer, for the head of a candidate's page; `phrase` is its name
    within a sentence, after “is”: the label unless stated. `waits_for` says in a few words what is next; `next_step`
    says in a sentence what a person can do; `meaning` explains it in the help.
    """

    label: str
    tone: Tone
    icon: str
    title: str = ""
    phrase: str = ""
    waits_for: str = ""
    next_step: str
    meaning: str = ""

    def __post_init__(self) -> None:
        """Make the phrase from the label, unless it is stated."""
        object.__setattr__(self, "phrase", self.phrase or lower_first(self.label))


@dataclass(frozen=True, kw_only=True)
class StatusRecord(StatusWords):
    """All about one status.

    `event` ends a line of a candidate's history, and is empty where another line says it. `wait_note` follows the
    assessment's name in the note in Lever about an invitation that waits so; empty where none is left. `step` is the
    step of the journey that is reached, `tags` the progress tags in Lever that it may have, the usual one first.
    `follows` are the statuses that it may follow. `act` is what a person does next, of what the status `allows`.
    """

    code: str
    event: str = ""
    wait_note: str = ""
    phase: Phase
    needs_person: bool = False
    step: JourneyStep | None = None
    tags: tuple[ProgressTag, ...] = ()
    poll: PollPace | None = None
    following_ends: FollowingEnd | None = None
    follows: tuple[str, ...]
    act: Act | None = None
    allows: tuple[Act, ...] = ()


class InvitationStatus(RecordEnum):
    """Where an invitation stands."""

    record: StatusRecord

    HELD = StatusRecord(
        code="held",
        label="On hold",
        tone=Tone.WARN,
        icon="pause",
        waits_for="An Admin sends or cancels it",
        next_step="An Admin decides whether it is sent.",
        meaning="Your rules ask for an approval. Nothing was sent.",
        wait_note="is on hold until an Admin decides. Nothing was sent yet.",
        phase=Phase.UNSENT,
        needs_person=True,
        follows=("pending",),  # an approval was taken back before it was sent
        act=Act.APPROVE,
        allows=(Act.APPROVE, Act.CANCEL),
    )
    PENDING = StatusRecord(
        code="pending",
        label="Waiting to be sent",
        tone=Tone.INFO,
        icon="clock",
        waits_for="Goes out automatically",
        next_step=SENT_AUTOMATICALLY,
        meaning="It is decided and will be sent within seconds.",
        phase=Phase.UNSENT,
        follows=("held", "sending", "uncertain", "failed", "withdrawn"),
        allows=(Act.CANCEL,),
    )
    SENDING = StatusRecord(
        code="sending",
        label="Being sent",
        tone=Tone.INFO,
        icon="send",
        waits_for="Goes out automatically",
        next_step=SENT_AUTOMATICALLY,
        meaning="CodeScreen is being asked to send it.",
        phase=Phase.BEING_SENT,
        follows=("pending",),
    )
    UNCERTAIN = StatusRecord(
        code="uncertain",
        label="Possibly sent",
        tone=Tone.WARN,
        icon="help",
        waits_for="An Admin checks in CodeScreen",
        next_step="An Admin checks in CodeScreen: was it sent? Then they press “Settle it” and answer.",
        meaning="CodeScreen was asked, but its answer never arrived. Nobody knows whether it was sent.",
        event="was possibly sent",
        wait_note="was possibly sent. An Admin checks in CodeScreen whether it was. The progress tag then says so. "
        "Don't invite the candidate yourself: they could be invited twice.",
        phase=Phase.BEING_SENT,
        needs_person=True,
        # pending: a call that is no longer on record, such as after a restore, may have sent it
        follows=("pending", "sending"),
        act=Act.SETTLE,
        allows=(Act.SETTLE, Act.CANCEL),
    )
    INVITED = StatusRecord(
        code="invited",
        label="Invited",
        title="Invited, not started",
        phrase="invited, not started",
        tone=Tone.INFO,
        icon="mail",
        waits_for="Waits for the candidate to start",
        next_step="Nothing to do. The candidate has the invitation. A start is seen within ten minutes, after two days "
        "within an hour.",
        meaning="CodeScreen has sent the e-mail. The candidate has not started.",
        phase=Phase.SENT,
        step=JourneyStep.INVITED,
        tags=(ProgressTag.INVITED, ProgressTag.NOT_STARTED_YET, ProgressTag.NOT_STARTED),
        poll=PollPace("POLL_NOT_STARTED_SECONDS", 1),
        following_ends=FollowingEnd.NOT_STARTED,
        # pending: the earlier call is confirmed before the retry
        follows=("pending", "sending", "uncertain", "withdrawn", "in_progress", "submitted", "completed"),
        allows=(Act.CANCEL,),
    )
    IN_PROGRESS = StatusRecord(
        code="in_progress",
        label="In progress",
        tone=Tone.INFO,
        icon="edit",
        waits_for="Waits for the candidate to finish",
        next_step="Nothing to do. The candidate is working on it.",
        meaning="The candidate has started.",
        phase=Phase.SENT,
        step=JourneyStep.STARTED,
        tags=(ProgressTag.IN_PROGRESS,),
        poll=PollPace("POLL_IN_PROGRESS_SECONDS", 1),
        following_ends=FollowingEnd.NOT_FINISHED,
        follows=("invited", "submitted", "completed", "withdrawn"),
    )
    SUBMITTED = StatusRecord(
        code="submitted",
        label="Submitted",
        title="Submitted, being evaluated",
        tone=Tone.INFO,
        icon="clock",
        waits_for="Waits for CodeScreen's result",
        next_step="Nothing to do. CodeScreen is evaluating it, and the result arrives automatically.",
        meaning="The candidate has handed in the work.",
        phase=Phase.SENT,
        step=JourneyStep.SUBMITTED,
        tags=(ProgressTag.IN_PROGRESS,),
        poll=PollPace("POLL_IN_PROGRESS_SECONDS", 1 / 3),
        following_ends=FollowingEnd.NOT_FINISHED,
        follows=("invited", "in_progress", "completed", "withdrawn"),
    )
    COMPLETED = StatusRecord(
        code="completed",
        label="Completed",
        title="Completed, result follows",
        tone=Tone.INFO,
        icon="clock",
        next_step="Nothing to do. The result is in Lever, or being written there.",
        meaning="CodeScreen says that the assessment is complete.",
        phase=Phase.OVER,
        step=JourneyStep.RESULT,
        tags=(ProgressTag.COMPLETED, ProgressTag.EXPIRED),
        poll=PollPace("POLL_NOT_STARTED_SECONDS", 24),
        following_ends=FollowingEnd.RESULT_SETTLED,
        follows=("invited", "in_progress", "submitted", "withdrawn"),
        allows=(Act.INVITE_AGAIN,),
    )
    WITHDRAWN = StatusRecord(
        code="withdrawn",
        label=FollowingEnd.WITHDRAWN.label,
        tone=Tone.NEUTRAL,
        icon="x",
        next_step="Nothing to do. If it is wanted after all, move the candidate out of the stage and back in.",
        meaning="A person cancelled it, or the candidate left the stage or was archived.",
        event="was cancelled",
        phase=Phase.OVER,
        poll=PollPace("POLL_NOT_STARTED_SECONDS", 24),
        following_ends=FollowingEnd.WITHDRAWN,
        follows=("held", "pending", "invited", "uncertain", "failed"),
        allows=(Act.INVITE_AGAIN,),
    )
    FAILED = StatusRecord(
        code="failed",
        label="Not sent",
        tone=Tone.BAD,
        icon="warning",
        waits_for="Fix the reason, then send again",
        next_step="Fix the reason. Then an Admin can send it again.",
        meaning="It could not be sent. The candidate's page shows the reason.",
        event="was not sent",
        phase=Phase.OVER,
        follows=("held", "pending", "sending", "uncertain"),
        act=Act.SEND_AGAIN,
        allows=(Act.SEND_AGAIN, Act.CANCEL),
    )


#: What is said instead of the status: the portal stopped asking without a result; data was erased.
NO_RESULT = StatusWords(
    label="No result",
    phrase="without a result",
    tone=Tone.WARN,
    icon="clock",
    waits_for="The portal no longer asks for it",
    next_step="If you still need the result, move the candidate out of the stage and back in. The portal then asks "
    "CodeScreen again. To send a new e-mail, an Admin cancels the invitation and sends a new one.",
)
ERASED = StatusWords(
    label="Data erased",
    phrase="erased",
    tone=Tone.NEUTRAL,
    icon="trash",
    next_step="Nothing to do. To send this person an assessment anyway, add them in Lever as a new opportunity.",
)


def _of_phases(*phases: Phase) -> tuple[InvitationStatus, ...]:
    return tuple(status for status in InvitationStatus if status.record.phase in phases)


UNSENT = _of_phases(Phase.UNSENT)
ON_THE_WAY = _of_phases(Phase.UNSENT, Phase.BEING_SENT)
FOLLOWED = _of_phases(Phase.SENT)
OPEN = (*ON_THE_WAY, *FOLLOWED)
NEED_PERSON = tuple(status for status in InvitationStatus if status.record.needs_person)
#: By the new status, the statuses that it may follow.
TRANSITIONS = {
    status: tuple(InvitationStatus(code) for code in status.record.follows) for status in InvitationStatus
}
