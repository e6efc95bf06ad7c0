"""The types around a decision: the facts that it depends on, trigger stages among them, and its result."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.mappings import Categories, MappingIndex
from integrations.core.rules.names import TAG_WORD, KnownAssessment, is_named, normalize
from integrations.core.verdict_code import VerdictCode, next_step
from integrations.core.vocabulary import (
    AssessmentSource,
    HoldReason,
    Origin,
)


class EnteredBefore(Enum):
    """Why an earlier invitation can't be ruled out, in a sentence that a recruiter can act on."""

    CONNECTING = "The candidate was in “{stage}” before Lever was connected, and may be invited already."
    RESTORE = (
        "The portal was restored from a backup. It has no record of what was sent just before, so the candidate may be "
        "invited already."
    )
    RESTORE_ELSEWHERE = (
        "The portal was restored from a backup. It has no record of what was sent just before. The same person may be "
        "invited already through another opportunity in Lever."
    )
    UNKNOWN_TIME = (
        "Lever doesn't say when the candidate entered “{stage}”. The portal may have no record of that time, so they "
        "may be invited already."
    )
    PROGRESS_TAG = (
        "The candidate has a progress tag (“CodeScreen: …”) in Lever, but no invitation here. So they may be invited "
        "already."
    )

    def explain(self, stage_name: str) -> str:
        """Return the sentence about this stage."""
        return self.value.format(stage=stage_name)


class Pause(Enum):
    """Why an organization sends nothing, although both platforms are connected: a sentence, and what ends it."""

    BY_ADMIN = "The portal is paused.", "It decides this when the pause ends."
    OTHER_INTEGRATION = (
        "CodeScreen's own Lever integration may be on too, and would invite the same people.",
        "The portal decides this once a Super Admin has said that it is off.",
    )

    def __init__(self, reason: str, end: str) -> None:
        self.reason = reason
        self.end = end


class NoCandidate(Enum):
    """Why there is no snapshot of the candidate."""

    UNREAD = auto()
    NOT_VISIBLE = auto()
    NO_SUCH_ID = auto()  # the id can't be one of Lever's


@dataclass(frozen=True)
class CandidateSnapshot:
    """What Lever shows now of the opportunity."""

    stage_id: str
    stage_name: str
    role_id: str = ""
    role_title: str = ""
    categories: Categories = frozenset()
    tags: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    is_archived: bool = False
    is_anonymized: bool = False
    may_contact: bool = True
    origin: Origin | None = None  # None where Lever says none, or one that the rules don't know
    needs_extra_time: bool = False  # by a tag

    @property
    def is_role_hidden(self) -> bool:
        """Whether Lever doesn't show the role, so that nothing is found by its title or categories."""
        return bool(self.role_id) and not self.role_title


@dataclass(frozen=True)
class TriggerPolicy:
    """An organization's stage prefix and mappings. Outside the prefix a stage triggers for a mapping's roles alone."""

    prefix: str
    mappings: MappingIndex = field(default_factory=MappingIndex)

    def has_prefix(self, stage_name: str) -> bool:
        """Whether a stage's name begins with the prefix; an empty prefix matches nothing."""
        prefix = normalize(self.prefix)
        return bool(prefix) and normalize(stage_name).startswith(prefix)

    def is_trigger(self, stage_id: str, stage_name: str, candidate: CandidateSnapshot | None = None) -> bool:
        """Whether this candidate may be invited by entering the stage; without a candidate, whether anybody may.

        Outside the prefix these are the roles and the categories that a mapping names together with the stage.
        """
        if self.has_prefix(stage_name):
            return True
        if candidate is None:
            return any(is_named(written, stage_id, stage_name) for written in self.mappings.stages)
        rules = self.mappings.for_posting(candidate.role_id, candidate.role_title, candidate.categories)
        return any(rule.names_stage(stage_id, stage_name) for rule in rules)


@dataclass(frozen=True)
class ExistingInvitation:
    """An invitation that exists already. `standing` says in the explanation where it stands, and since when."""

    id: int
    assessment_id: str
    status: InvitationStatus
    standing: str
    was_sent: bool
    assessment_name: str = ""
    chosen_in: str = ""  # the id of the stage in which a person chose it for the candidate
    opportunity_id: str = ""
    round: int = 1
    created_at: datetime | None = None
    completed_at: datetime | None = None
    days_since_completion: float | None = None
    was_reentered: bool = False  # the candidate entered the stage again after completing the assessment
    is_cancelled_by_person: bool = False  # and the candidate hasn't entered the stage since

    @property
    def blocks(self) -> bool:
        """Whether the person isn't invited to the assessment again because of it: it was sent, or may be."""
        return self.status != InvitationStatus.FAILED and (
            self.status != InvitationStatus.WITHDRAWN or self.was_sent
        )


@dataclass(frozen=True)
class LostElsewhere:
    """What Lever says of another opportunity of the same person: where it was at the time whose rows are lost."""

    opportunity_id: str
    stages: tuple[tuple[str, str], ...] = ()  # id, and name now or before
    has_progress_tag: bool = False


@dataclass(frozen=True)
class LostRows:
    """The rows that a restore lost, and what is known of the candidate at that time, until a person chose since."""

    until: datetime
    stages: tuple[tuple[str, str], ...] = ()  # in which Lever says they were then: id, and name now or before
    is_offered: bool = False  # since the restore
    elsewhere: tuple[LostElsewhere, ...] = ()

    def is_older(self, invitation: ExistingInvitation) -> bool:
        """Whether the invitation's row was made before the restore."""
        return invitation.created_at is None or invitation.created_at < self.until


@dataclass(frozen=True)
class Facts:
    """Everything a verdict depends on."""

    event: str
    is_test: bool = False
    pause: Pause | None = None
    other_integration_off: bool = False  # a person has said so
    disconnected_reason: str = ""
    is_erased: bool = False  # the person's data was erased, and nothing about them may be stored
    stage_prefix: str = TAG_WORD
    stage_id: str = ""
    stage_name: str = ""
    candidate: CandidateSnapshot | NoCandidate = NoCandidate.UNREAD
    entered_before: EnteredBefore | None = None  # why they may be invited already; None once a person chose
    lost: LostRows | None = None  # by a restore; None once a person chose
    mappings: MappingIndex = field(default_factory=MappingIndex)
    assessments: tuple[KnownAssessment, ...] = ()
    default_assessment: str = ""
    chosen_assessment: str = ""  # the id of the one that a person chose for the candidate
    in_any_stage: bool = False  # a person chose it wherever the candidate is
    released: frozenset[HoldReason] = (
        frozenset()
    )  # why nothing is held any more: a person has decided about that
    invitations_here: tuple[ExistingInvitation, ...] = ()
    invitations_elsewhere: tuple[ExistingInvitation, ...] = ()
    recently_invited: int = 0  # other candidates
    reentry_days: int = 0  # after so many a new round is sent; 0 for never
    bulk_limit: int = 0
    bulk_window: int = 10
    origins: Mapping[str, str] = field(default_factory=dict)  # the rules of origins; of others it is sent

    @property
    def trigger_policy(self) -> TriggerPolicy:
        return TriggerPolicy(self.stage_prefix, self.mappings)

    @property
    def shown(self) -> CandidateSnapshot | None:
        """The candidate, once they were read."""
        return self.candidate if isinstance(self.candidate, CandidateSnapshot) else None


@dataclass(frozen=True)
class Decision:
    """A verdict, a sentence a recruiter can act on, and what an invitation needs to know."""

    verdict: VerdictCode
    explanation: str
    assessment: KnownAssessment | None = None
    assessment_source: AssessmentSource | None = None
    mapping_id: int | None = None  # the stored mapping whose rules hold
    assessment_written: str = ""  # as the source names it; empty when nothing does, or several are possible
    email: str = ""
    existing_invitation_id: int | None = None
    held_for: tuple[HoldReason, ...] = ()
    round: int = 1

    @property
    def next_step(self) -> str:
        return next_step(self.verdict)


LONGEST_EMAIL = 320


def first_usable_email(emails: Iterable[str]) -> str:
    """Return the first address that an invitation can be sent to, empty when there is none."""
    return next((email for email in emails if "@" in email and len(email) <= LONGEST_EMAIL), "")
