"""The verdicts: one record each, with all that is said of a verdict but its explanation, and with what follows from it.

Pages, notes, exports, the admin and the rooms read the record. To add a verdict, add its record here, in the order
of deciding, and the place that decides and explains it (`core/rules/decide.py`). Verdicts are stored and exported by
their code.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from integrations.core.act import Act
from integrations.core.invitation_status import (
    ERASED,
    InvitationStatus,
    StatusWords,
)
from integrations.core.vocabulary import RecordEnum, Tone, lower_first

_THEN_AGAIN = "Then an Admin presses “Invite”, or you move the candidate out of the stage and back in."


class Consequence(Enum):
    """What follows from a verdict."""

    INVITES = auto()  # at once or after a person's approval
    WAITS = auto()  # it is decided again automatically when the pause is over or the connection is back
    NOT_INVITED = auto()
    HAS_IT = auto()  # nobody is invited, because the person has the assessment
    NOTHING = auto()  # it was never about inviting somebody


class Removal(NamedTuple):
    """A reason that can end, as it was at the decision, with a place for the role, and what is said once it ended."""

    was: str
    now: str


@dataclass(frozen=True, kw_only=True)
class VerdictRecord:
    """All about one verdict.

    `label` is its name on every page. `next_step` says what a person can do; `waits_for` the same in a few words, for
    a list; `act` is the button for it, which is offered where the candidate has no invitation. `is_correctable`:
    somebody can do something about it, so it is listed among what needs attention. `leaves_note`: a recruiter can
    correct it in Lever, so it leaves a note there. `is_about_candidate`: a candidate entered a CodeScreen stage.
    `removal` says the reason in the past tense, where it can end while the candidate stays in the stage.
    `names_nobody`: the person's data is removed, and the explanation says only that, so erasure keeps it.
    `is_refuted_by_list`: no longer so when Lever lists the candidate in the stage.
    """

    code: str
    label: str
    tone: Tone = Tone.NEUTRAL
    consequence: Consequence
    next_step: str = "Nothing to do."
    waits_for: str = ""
    act: Act | None = None
    is_correctable: bool = False
    leaves_note: bool = False
    is_about_candidate: bool = True
    removal: Removal | None = None
    names_nobody: bool = False
    is_refuted_by_list: bool = False

    @property
    def phrase(self) -> str:
        """The name within a sentence."""
        return lower_first(self.label)


class VerdictCode(RecordEnum):
    """Why a delivery did or didn't lead to an invitation; the order is the order of deciding."""

    record: VerdictRecord

    TEST_REQUEST = VerdictRecord(
        code="test_request",
        label="Test request",
        tone=Tone.INFO,
        consequence=Consequence.NOTHING,
        next_step="Nothing to do. Lever can reach the portal.",
        is_about_candidate=False,
    )
    PAUSED = VerdictRecord(
        code="paused",
        label="Paused",
        tone=Tone.WARN,
        consequence=Consequence.WAITS,
        next_step="On the overview an Admin presses “Resume”, or a Super Admin says that the other integration is off. "
        "This is then decided automatically.",
        waits_for="Decided when the pause ends",
        act=Act.END_PAUSE,
        is_correctable=True,
    )
    DISCONNECTED = VerdictRecord(
        code="disconnected",
        label="Not connected",
        tone=Tone.WARN,
        consequence=Consequence.WAITS,
        next_step="A Super Admin connects Lever or CodeScreen again under Settings. The portal then decides "
        "automatically.",
        waits_for="Decided when connected again",
        act=Act.CONNECT,
        is_correctable=True,
    )
    IGNORED_EVENT = VerdictRecord(
        code="ignored_event",
        label="Other event",
        consequence=Consequence.NOTHING,
        is_about_candidate=False,
    )
    ERASED = VerdictRecord(
        code="erased",
        label=ERASED.label,
        consequence=Consequence.NOT_INVITED,
        next_step=ERASED.next_step,
        names_nobody=True,
    )
    NOT_A_TRIGGER_STAGE = VerdictRecord(
        code="not_a_trigger_stage",
        label="Not a CodeScreen stage",
        consequence=Consequence.NOT_INVITED,
        is_about_candidate=False,
    )
    NOT_VISIBLE = VerdictRecord(
        code="not_visible",
        label="Could not be read",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step="Look for the candidate in Lever. If they are still in the stage, the portal decides automatically "
        "once it can read them. Don't invite them in CodeScreen yourself: they could be invited twice.",
        waits_for="Decided again once they can be read",
        act=Act.OPEN_IN_LEVER,
        is_correctable=True,
        is_refuted_by_list=True,
    )
    LEFT_STAGE = VerdictRecord(
        code="left_stage",
        label="Left the stage",
        consequence=Consequence.NOT_INVITED,
        next_step="To send the assessment, move the candidate out of the stage and back in.",
        act=Act.OPEN_IN_LEVER,
        is_refuted_by_list=True,
    )
    ARCHIVED = VerdictRecord(
        code="archived",
        label="Archived",
        consequence=Consequence.NOT_INVITED,
        next_step="To send the assessment, unarchive the candidate in Lever. Then move them out of the stage and "
        "back in.",
        act=Act.OPEN_IN_LEVER,
        removal=Removal("the candidate was archived in Lever", "they no longer are"),
    )
    ANONYMIZED = VerdictRecord(
        code="anonymized",
        label="Anonymized",
        consequence=Consequence.NOT_INVITED,
        next_step="Nothing to do. Lever has removed this person's data, so nothing can be sent.",
        names_nobody=True,
    )
    ENTERED_BEFORE = VerdictRecord(
        code="entered_before",
        label="May be invited already",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step="Check in CodeScreen whether the candidate is invited. If not, an Admin invites them under "
        "Candidates.",
        waits_for="Not in CodeScreen? An Admin invites them",
        act=Act.INVITE_TO,
    )
    CONTACT_NOT_ALLOWED = VerdictRecord(
        code="contact_not_allowed",
        label="Contact not allowed",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step=f"Ask the candidate for consent in Lever. {_THEN_AGAIN}",
        waits_for="Ask for consent in Lever",
        act=Act.OPEN_IN_LEVER,
        is_correctable=True,
        leaves_note=True,
        removal=Removal("Lever didn't allow contacting the candidate", "it does now"),
    )
    NO_ASSESSMENT = VerdictRecord(
        code="no_assessment",
        label="No assessment",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step="An Admin chooses an assessment for the role. Or add a tag to the candidate in Lever: “CodeScreen”, "
        f"a space, and the assessment's name. {_THEN_AGAIN}",
        waits_for="Choose an assessment for the role",
        act=Act.CHOOSE_ASSESSMENT,
        is_correctable=True,
        leaves_note=True,
        removal=Removal("{role} had no assessment", "it has one now"),
    )
    UNKNOWN_ASSESSMENT = VerdictRecord(
        code="unknown_assessment",
        label="Unknown assessment",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step=f"Correct the tag in Lever, or an Admin corrects the role's assessment. {_THEN_AGAIN}",
        waits_for="Correct the tag or the mapping",
        act=Act.OPEN_IN_LEVER,
        is_correctable=True,
        leaves_note=True,
        removal=Removal("CodeScreen didn't have the assessment for {role}", "it has one now"),
    )
    AMBIGUOUS_ASSESSMENT = VerdictRecord(
        code="ambiguous_assessment",
        label="Several assessments",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step=f"Keep one tag in Lever, or an Admin chooses one assessment for this role. {_THEN_AGAIN}",
        waits_for="Remove all tags but one in Lever, or choose one assessment",
        act=Act.OPEN_IN_LEVER,
        is_correctable=True,
        leaves_note=True,
        removal=Removal("more than one assessment fitted {role}", "one fits now"),
    )
    ORIGIN_EXCLUDED = VerdictRecord(
        code="origin_excluded",
        label="Origin left out",
        consequence=Consequence.NOT_INVITED,
        next_step="If the origin is wrong, correct it in Lever. Then move the candidate out of the stage and back in. "
        "To send an assessment anyway, an Admin presses “Invite to…” or “Send again” on the candidate's page.",
        waits_for="Left out by your rules",
        act=Act.INVITE_TO,
        leaves_note=True,
        removal=Removal("your rules left out the origin", "they no longer do"),
    )
    NO_EMAIL = VerdictRecord(
        code="no_email",
        label="No e-mail address",
        tone=Tone.WARN,
        consequence=Consequence.NOT_INVITED,
        next_step=f"Add an e-mail address in Lever. {_THEN_AGAIN}",
        waits_for="Add an e-mail address in Lever",
        act=Act.OPEN_IN_LEVER,
        is_correctable=True,
        leaves_note=True,
        removal=Removal("the candidate had no e-mail address", "they have one now"),
    )
    ALREADY_INVITED = VerdictRecord(
        code="already_invited",
        label="Already invited",
        consequence=Consequence.HAS_IT,
        next_step="The same assessment is never sent twice automatically. In CodeScreen you can send the e-mail again. "
        "Once this invitation is over, an Admin can send a new one from the candidate's page.",
    )
    INVITED_ELSEWHERE = VerdictRecord(
        code="invited_elsewhere",
        label="Invited elsewhere",
        consequence=Consequence.HAS_IT,
        next_step="The result there counts here too. Once that invitation is over, an Admin can send a new one from "
        "the candidate's page of that other opportunity.",
        waits_for="That result counts here too",
        leaves_note=True,
        removal=Removal("the person had the assessment through another opportunity", "they no longer do"),
    )
    HELD_FOR_APPROVAL = VerdictRecord(
        code="held_for_approval",
        label=InvitationStatus.HELD.label,
        tone=Tone.WARN,
        consequence=Consequence.INVITES,
        next_step=InvitationStatus.HELD.record.next_step,
    )
    INVITE = VerdictRecord(
        code="invite",
        label="Invite",
        tone=Tone.GOOD,
        consequence=Consequence.INVITES,
        next_step=InvitationStatus.PENDING.record.next_step,
    )
    NOTED = VerdictRecord(
        code="noted",
        label="Update received",
        consequence=Consequence.NOTHING,
        is_about_candidate=False,
    )


def _with(*consequences: Consequence) -> tuple[VerdictCode, ...]:
    return tuple(code for code in VerdictCode if code.record.consequence in consequences)


INVITING_VERDICTS = frozenset(_with(Consequence.INVITES))
WAITING_VERDICTS = _with(Consequence.WAITS)
#: Verdicts after which nobody was invited, as a candidate's list shows them.
NOT_INVITED_VERDICTS = _with(Consequence.NOT_INVITED, Consequence.HAS_IT)
CORRECTABLE_VERDICTS = tuple(code for code in VerdictCode if code.record.is_correctable)
ABOUT_NO_CANDIDATE = frozenset(code for code in VerdictCode if not code.record.is_about_candidate)
IMPERSONAL_VERDICTS = frozenset(code for code in VerdictCode if code.record.names_nobody)
REMOVABLE_VERDICTS = tuple(code for code in VerdictCode if code.record.removal)
REFUTED_BY_LIST = frozenset(code for code in VerdictCode if code.record.is_refuted_by_list)


def next_step(verdict: str, words: StatusWords | None = None) -> str:
    """Return what a person can do about a verdict, and about its invitation, which `words` describe, if it has one.

    Empty while there is no verdict.
    """
    if not verdict:
        return ""
    record = VerdictCode(verdict).record
    is_about_it = record.consequence is Consequence.INVITES
    return words.next_step if words is not None and is_about_it else record.next_step
