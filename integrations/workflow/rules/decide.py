"""Facts → verdict. Pure: no Django, no I/O, so that a replay, a preview and the real run can't differ."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from integrations.vocabulary import (
    DeliveryEvent,
    InvitationStatus,
    ProgressTag,
    ReentryPolicy,
    ResultOutcome,
    Verdict,
)
from integrations.workflow.rules.next_steps import NEXT_STEPS

TAG_WORD = "CodeScreen"


@dataclass(frozen=True)
class KnownAssessment:
    """A live assessment in CodeScreen."""

    id: str
    name: str


@dataclass(frozen=True)
class MappingRule:
    """One role mapping as it was written: each part a name or an id; an empty stage means any trigger stage."""

    role: str
    stage: str
    assessment: str


@dataclass(frozen=True)
class CandidateSnapshot:
    """What Lever says now of the opportunity."""

    stage_id: str
    stage_name: str
    role_id: str = ""
    role_title: str = ""
    tags: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    is_archived: bool = False
    is_anonymized: bool = False
    may_contact: bool = True


@dataclass(frozen=True)
class ExistingInvitation:
    """An invitation that exists already: where it stands, in words, and since when."""

    id: int
    assessment_id: str
    status: InvitationStatus
    words: str
    since: str
    was_sent: bool
    stage_id: str = ""
    round: int = 1
    outcome: ResultOutcome | None = None
    days_since_completion: float | None = None
    was_left: bool = False  # the candidate entered the stage anew after it was completed

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of inviting again."""
        return self.status != InvitationStatus.FAILED and (
            self.status != InvitationStatus.WITHDRAWN or self.was_sent
        )


@dataclass(frozen=True)
class Facts:
    """Everything a verdict depends on."""

    event: str
    is_test: bool = False
    is_paused: bool = False
    disconnected: str = ""
    stage_prefix: str = TAG_WORD
    stage_id: str = ""
    stage_name: str = ""
    candidacy: CandidateSnapshot | Literal["unread", "not_visible"] = "unread"
    mappings: tuple[MappingRule, ...] = ()
    assessments: tuple[KnownAssessment, ...] = ()
    default_assessment: str = ""
    here: tuple[ExistingInvitation, ...] = ()
    elsewhere: tuple[ExistingInvitation, ...] = ()
    recently_invited: int = 0
    reentry: ReentryPolicy = ReentryPolicy.NOTHING
    reentry_days: int = 180
    bulk_limit: int = 0
    bulk_window: int = 10


@dataclass(frozen=True)
class Decision:
    """A verdict, a sentence a recruiter can act on, and what an invitation needs to know."""

    verdict: Verdict
    explanation: str
    assessment: KnownAssessment | None = None
    email: str = ""
    standing_id: int | None = None
    round: int = 1

    @property
    def next_step(self) -> str:
        """What a person can do about it."""
        return NEXT_STEPS.get(self.verdict, "")


def normalized(text: str) -> str:
    """Return text for comparing: trimmed, spaces collapsed, case folded."""
    return " ".join(text.split()).casefold()


def begins_with_prefix(stage_name: str, prefix: str) -> bool:
    """Whether a stage's name begins with the organization's prefix."""
    return bool(normalized(prefix)) and normalized(stage_name).startswith(normalized(prefix))


def is_named(written: str, identifier: str, name: str) -> bool:
    """Whether what a person wrote means this object, by id or by name."""
    written = written.strip()
    return bool(written) and (
        written == identifier or (bool(name) and normalized(written) == normalized(name))
    )


def is_trigger(stage_id: str, stage_name: str, prefix: str, mappings: Iterable[MappingRule]) -> bool:
    """Whether entering the stage may invite."""
    return begins_with_prefix(stage_name, prefix) or any(
        is_named(rule.stage, stage_id, stage_name) for rule in mappings
    )


def assessment_tags(tags: Iterable[str], role_title: str = "") -> tuple[str, ...]:
    """Return the assessment names in `CodeScreen {name}` tags, each once.

    `CodeScreen: …` is a progress tag. A role's own title is inherited as a tag by its candidates, so a role that
    is itself called “CodeScreen …” doesn't name an assessment.
    """
    found: dict[str, str] = {}
    for tag in tags:
        words = tag.split()
        if len(words) < 2 or words[0].casefold() != TAG_WORD.casefold() or words[1].startswith(":"):
            continue
        if role_title and normalized(tag) == normalized(role_title):
            continue
        name = tag.strip()[len(TAG_WORD) :].strip()
        found.setdefault(normalized(name), name)
    return tuple(found.values())


def is_progress_tag(tag: str) -> bool:
    """Whether a tag is one of the portal's progress tags, however it is spelled."""
    return normalized(tag) in {normalized(known) for known in ProgressTag}


def matching_assessments(written: str, assessments: Sequence[KnownAssessment]) -> tuple[KnownAssessment, ...]:
    """Return the assessments that a name or id means: by id, else by exact name, else by normalized name."""
    written = written.strip()
    for found in (
        [choice for choice in assessments if choice.id == written],
        [choice for choice in assessments if choice.name == written],
        [choice for choice in assessments if normalized(choice.name) == normalized(written)],
    ):
        if found:
            return tuple(found)
    return ()


def closest_name(written: str, names: Iterable[str]) -> str:
    """Return the name that was probably meant, empty when none is near."""
    by_key = {normalized(name): name for name in names}
    near = difflib.get_close_matches(normalized(written), by_key, n=1, cutoff=0.6)
    return by_key[near[0]] if near else ""


@dataclass(frozen=True)
class AssessmentMatch:
    """Which assessments a candidate's role, stage and tags name, and by what."""

    source: str
    written: tuple[str, ...]
    found: tuple[KnownAssessment, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """What was written that names nothing, when nothing was found at all."""
        return self.written if not self.found else ()


def choose_assessment(facts: Facts, candidacy: CandidateSnapshot) -> AssessmentMatch:
    """Return what names the assessment: mapping for role and stage, for role, the tags, the default; first wins."""
    rules = [rule for rule in facts.mappings if is_named(rule.role, candidacy.role_id, candidacy.role_title)]
    exact = [rule for rule in rules if is_named(rule.stage, facts.stage_id, facts.stage_name)]
    anywhere = [rule for rule in rules if not rule.stage.strip()]
    if not begins_with_prefix(facts.stage_name, facts.stage_prefix):
        anywhere = []
    for source, written in (
        ("the mapping for this role and stage", [rule.assessment for rule in exact]),
        ("the mapping for this role", [rule.assessment for rule in anywhere]),
        ("the tag", list(assessment_tags(candidacy.tags, candidacy.role_title))),
        ("the default", [facts.default_assessment] if facts.default_assessment.strip() else []),
    ):
        if written:
            found = {
                choice.id: choice
                for name in written
                for choice in matching_assessments(name, facts.assessments)
            }
            return AssessmentMatch(source, tuple(written), tuple(found.values()))
    return AssessmentMatch("", (), ())


def decide_locally(facts: Facts) -> Decision | None:
    """Return the verdict that holds without asking Lever anything, or None."""
    if facts.is_test:
        return Decision(Verdict.TEST_REQUEST, "Lever tested the connection and reached the portal.")
    if facts.is_paused:
        return Decision(
            Verdict.PAUSED,
            "The organization is paused: nothing is sent. This is kept and decided afterwards.",
        )
    if facts.disconnected:
        return Decision(
            Verdict.DISCONNECTED,
            f"{facts.disconnected} This is kept and decided when the connection is back.",
        )
    if facts.event not in set(DeliveryEvent):
        return Decision(Verdict.IGNORED_EVENT, f"The portal doesn't act on “{facts.event}”.")
    return None


def decide_before_read(facts: Facts) -> Decision | None:
    """Return the verdict that holds without reading the opportunity, or None."""
    early = decide_locally(facts)
    if early is not None:
        return early
    if not is_trigger(facts.stage_id, facts.stage_name, facts.stage_prefix, facts.mappings):
        stage = f"“{facts.stage_name}”" if facts.stage_name else "A stage that Lever doesn't list"
        return Decision(
            Verdict.NOT_A_TRIGGER_STAGE,
            f"{stage} doesn't begin with “{facts.stage_prefix}”, and no mapping names it.",
        )
    return None


def decide(facts: Facts) -> Decision:
    """Return the verdict; the first that holds wins, in the order of `design.md`."""
    early = decide_before_read(facts)
    if early is not None:
        return early
    candidacy = facts.candidacy
    if not isinstance(candidacy, CandidateSnapshot):
        return Decision(
            Verdict.NOT_VISIBLE,
            "Lever doesn't show this candidate to the portal: it is confidential or gone.",
        )
    return _decide_person(facts, candidacy) or _decide_assessment(facts, candidacy)


def _decide_person(facts: Facts, candidacy: CandidateSnapshot) -> Decision | None:
    if candidacy.stage_id != facts.stage_id:
        now_in = f" and is in “{candidacy.stage_name}” now" if candidacy.stage_name else ""
        return Decision(Verdict.LEFT_STAGE, f"The candidate has left “{facts.stage_name}”{now_in}.")
    if candidacy.is_archived:
        return Decision(Verdict.ARCHIVED, "The candidate is archived in Lever.")
    if candidacy.is_anonymized:
        return Decision(Verdict.ANONYMIZED, "Lever has anonymized this candidate.")
    if not candidacy.may_contact:
        return Decision(
            Verdict.CONTACT_NOT_ALLOWED, "Lever's data protection says this candidate may not be contacted."
        )
    return None


def _decide_assessment(facts: Facts, candidacy: CandidateSnapshot) -> Decision:
    choice = choose_assessment(facts, candidacy)
    role = f"“{candidacy.role_title}”" if candidacy.role_title else "this candidate's role"
    if not choice.written:
        return Decision(
            Verdict.NO_ASSESSMENT,
            f"No mapping for {role}, no tag “CodeScreen …” on the candidate and no default names an assessment.",
        )
    if choice.unknown:
        return _unknown(choice, facts)
    if len(choice.found) > 1:
        names = ", ".join(f"“{found.name}”" for found in choice.found)
        return Decision(
            Verdict.AMBIGUOUS_ASSESSMENT, f"Several assessments are named by {choice.source}: {names}."
        )
    assessment = choice.found[0]
    email = next((email for email in candidacy.emails if "@" in email and len(email) <= 320), "")
    if not email:
        return Decision(Verdict.NO_EMAIL, "The candidate has no e-mail address in Lever.", assessment)
    return _decide_once(facts, assessment, email, choice.source)


def _unknown(choice: AssessmentMatch, facts: Facts) -> Decision:
    written = choice.written[0]
    meant = closest_name(written, [assessment.name for assessment in facts.assessments])
    hint = f" Did you mean “{meant}”?" if meant else ""
    return Decision(
        Verdict.UNKNOWN_ASSESSMENT,
        f"CodeScreen has no assessment “{written}”, which {choice.source} names.{hint}",
    )


def _decide_once(facts: Facts, assessment: KnownAssessment, email: str, source: str) -> Decision:
    mine = [standing for standing in facts.here if standing.assessment_id == assessment.id]
    number = max([standing.round for standing in mine], default=1)
    for standing in sorted(mine, key=lambda standing: -standing.round):
        if standing.blocks:
            if _starts_a_round(facts, standing):
                number = standing.round + 1
                break
            return Decision(
                Verdict.ALREADY_INVITED,
                f"The candidate already has “{assessment.name}”: {standing.words} since {standing.since}.",
                assessment,
                email,
                standing.id,
            )
    for standing in facts.elsewhere:
        if standing.assessment_id == assessment.id:
            return Decision(
                Verdict.INVITED_ELSEWHERE,
                f"The same person already has “{assessment.name}” through another opportunity: "
                f"{standing.words} since {standing.since}.",
                assessment,
                email,
                standing.id,
            )
    if facts.bulk_limit and facts.recently_invited >= facts.bulk_limit:
        return Decision(
            Verdict.HELD_FOR_APPROVAL,
            f"{facts.recently_invited} invitations went out within {facts.bulk_window} minutes, and the limit is "
            f"{facts.bulk_limit}: “{assessment.name}” waits for a yes.",
            assessment,
            email,
            round=number,
        )
    again = f" It is round {number}." if number > 1 else ""
    return Decision(
        Verdict.INVITE,
        f"“{assessment.name}” is sent: {source} names it.{again}",
        assessment,
        email,
        round=number,
    )


def _starts_a_round(facts: Facts, standing: ExistingInvitation) -> bool:
    """Whether the organization's policy gives somebody who is done and has entered the stage anew another round."""
    if standing.status != InvitationStatus.COMPLETED or not standing.was_left:
        return False
    if facts.reentry == ReentryPolicy.AFTER_EXPIRY:
        return standing.outcome == ResultOutcome.EXPIRED
    days = standing.days_since_completion
    return facts.reentry == ReentryPolicy.AFTER_DAYS and days is not None and days >= facts.reentry_days
