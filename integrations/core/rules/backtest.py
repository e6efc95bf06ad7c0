"""Decide past deliveries again under other rules, by what was known when they were decided.

What the platforms showed and which invitations the person had stays as it was then. The bulk limit looks at how many
invitations went out lately, which depends on the decisions before: it counts those that the rules would have sent.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, auto
from functools import cache, partial
from typing import NamedTuple

from integrations.core.rules.choose_assessment import named_by_first_source
from integrations.core.rules.decide import decide, decide_before_read, decide_locally
from integrations.core.rules.extra_time import ExtraTimeRule
from integrations.core.rules.facts import CandidateSnapshot, Facts, NoCandidate
from integrations.core.rules.mappings import MappingIndex
from integrations.core.rules.names import KnownAssessment, matching_assessments
from integrations.core.rules.past_facts import PastFacts
from integrations.core.verdict_code import INVITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import ReentryPolicy

#: The assessments that a name means today.
type MeantBy = Callable[[str], tuple[KnownAssessment, ...]]


@dataclass(frozen=True)
class Rules:
    """The rules of an organization by which deliveries are decided, and CodeScreen's assessments today.

    `paused` is None where the pause stays as it was: it is no rule about who is invited. `extra_time` is None where the
    rule in force stays: who needed extra time by what was seen then still does.
    """

    stage_prefix: str
    mappings: MappingIndex
    default_assessment: str
    reentry: ReentryPolicy
    reentry_days: int
    bulk_limit: int
    bulk_window: int
    origins: Mapping[str, str] = field(default_factory=dict)
    assessments: tuple[KnownAssessment, ...] = ()
    paused: bool | None = None
    extra_time: ExtraTimeRule | None = None


@dataclass(frozen=True)
class PastDecision:
    """A delivery with the verdict that it got, and what was known then; None without stored facts."""

    opportunity_id: str
    decided_at: datetime
    verdict: VerdictCode
    facts: PastFacts | None

    @property
    def assessment(self) -> KnownAssessment | None:
        """The assessment that was chosen then; None when none was, or several were named."""
        found = self.facts.found if self.facts else ()
        return found[0] if len(found) == 1 else None


class Unknown(Enum):
    """Why a delivery can't be decided again."""

    NO_FACTS = auto()  # what was known then isn't stored
    NOT_READ = auto()  # another verdict would be given, but which one depends on what Lever wasn't asked then


class Verdict(NamedTuple):
    """A verdict, and the assessment that it is about."""

    code: VerdictCode
    assessment: KnownAssessment | None = None


@dataclass(frozen=True)
class DecidedAgain:
    """A past decision, and what it would be under the rules that are tried.

    `compared_with` is what it would be under the rules in force, where those are compared instead of the past.
    """

    past: PastDecision
    now: Verdict | Unknown
    compared_with: Verdict | None = None

    @property
    def then(self) -> Verdict:
        """The verdict that was given, or that the rules in force would give."""
        return self.compared_with or Verdict(self.past.verdict, self.past.assessment)

    @property
    def is_decided(self) -> bool:
        """Whether it is known if the verdict would be the same."""
        return self.now is not Unknown.NO_FACTS

    @property
    def differs(self) -> bool:
        """Whether the verdict would be another one, or another assessment would be sent."""
        if isinstance(self.now, Unknown):
            return self.now is Unknown.NOT_READ
        if self.now.code != self.then.code:
            return True
        return self.now.code in INVITING_VERDICTS and _id(self.now) != _id(self.then)


def _id(verdict: Verdict) -> str:
    return verdict.assessment.id if verdict.assessment else ""


def decide_again(
    past: Iterable[PastDecision], rules: Rules, invited_before: Iterable[datetime] = ()
) -> Iterator[DecidedAgain]:
    """Yield what each past decision would be, given in the order in which they were made.

    `invited_before` are the times at which invitations went out during a bulk window before the first of them.
    """
    sent = _SentLately(rules.bulk_window)
    # a list of thousands is searched once for each name
    meant_by = cache(partial(matching_assessments, assessments=rules.assessments))
    for time in invited_before:
        sent.add(time, then=True, now=True)
    for decision in past:
        now = _decide_again(decision, rules, meant_by, sent)
        was_sent = decision.verdict == VerdictCode.INVITE
        is_sent = isinstance(now, Verdict) and now.code == VerdictCode.INVITE
        if now is Unknown.NO_FACTS:
            is_sent = was_sent
        sent.add(decision.decided_at, then=was_sent, now=is_sent)
        yield DecidedAgain(decision, now)


def beside(in_force: Iterable[DecidedAgain], tried: Iterable[DecidedAgain]) -> Iterator[DecidedAgain]:
    """Yield what tried rules would give compared with the rules in force; both about the same past decisions.

    So a rule that was changed since the decision shows no difference. What isn't known under the rules in force can't
    be compared.
    """
    for today, other in zip(in_force, tried, strict=True):
        if isinstance(today.now, Verdict):
            yield replace(other, compared_with=today.now)
        else:
            yield replace(other, now=Unknown.NO_FACTS)


def _decide_again(
    decision: PastDecision, rules: Rules, meant_by: MeantBy, sent: "_SentLately"
) -> Verdict | Unknown:
    past = decision.facts
    if past is None:
        return Unknown.NO_FACTS
    facts = replace(
        past.facts,
        is_paused=past.facts.is_paused if rules.paused is None else rules.paused,
        stage_prefix=rules.stage_prefix,
        mappings=rules.mappings,
        default_assessment=rules.default_assessment,
        reentry=rules.reentry,
        reentry_days=rules.reentry_days,
        bulk_limit=rules.bulk_limit,
        bulk_window=rules.bulk_window,
        origins=rules.origins,
    )
    if _depends_on_unread(facts, past):
        return Unknown.NOT_READ
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return _verdict(facts)
    facts = replace(
        facts,
        assessments=_assessments(facts, candidate, past, meant_by),
        recently_invited=sent.count(decision.decided_at, past),
    )
    possible = {
        _verdict(replace(facts, candidate=replace(candidate, needs_extra_time=needs)))
        for needs in _needs_extra_time(candidate, past, rules)
    }
    return possible.pop() if len(possible) == 1 else Unknown.NO_FACTS


def _verdict(facts: Facts) -> Verdict:
    decision = decide(facts)
    return Verdict(decision.verdict, decision.assessment)


def _needs_extra_time(candidate: CandidateSnapshot, past: PastFacts, rules: Rules) -> Collection[bool]:
    """Return whether the candidate needs extra time by these rules; both where that depends on what isn't stored."""
    if rules.extra_time is None or rules.extra_time.digest == past.extra_time:
        return (candidate.needs_extra_time,)
    return (False, True) if rules.extra_time.digest else (False,)


def _depends_on_unread(facts: Facts, past: PastFacts) -> bool:
    """Whether the verdict depends on the stage or the candidate, and those weren't asked for then."""
    if not past.is_stage_known:
        return decide_locally(facts) is None
    return facts.candidate is NoCandidate.UNREAD and decide_before_read(facts) is None


def _assessments(
    facts: Facts, candidate: CandidateSnapshot, past: PastFacts, meant_by: MeantBy
) -> tuple[KnownAssessment, ...]:
    """Return the assessments that the names mean: by the list of then for the names of then, else by today's."""
    named = named_by_first_source(facts, candidate)
    names = named.written if named else ()
    if names == past.names:
        return past.found
    return tuple({found.id: found for name in names for found in meant_by(name)}.values())


class _SentLately:
    """The invitations within the bulk window: those that went out then, and those that would have."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._window = timedelta(minutes=minutes)
        self._sent: deque[tuple[datetime, bool, bool]] = deque()
        self._then = self._now = 0

    def add(self, time: datetime, *, then: bool, now: bool) -> None:
        """Take in a decision: whether it sent an invitation, and whether it would."""
        if then or now:
            self._sent.append((time, then, now))
            self._then += then
            self._now += now

    def count(self, time: datetime, past: PastFacts) -> int:
        """Return how many invitations would have gone out within the window before that time.

        Where the same window was counted then, that number, corrected by the decisions that differ: it also holds those
        that people sent. Else the invitations that would have been sent by the decisions before.
        """
        while self._sent and self._sent[0][0] < time - self._window:
            _, then, now = self._sent.popleft()
            self._then -= then
            self._now -= now
        if past.recent_minutes != self._minutes:
            return self._now
        return max(0, past.facts.recently_invited + self._now - self._then)
