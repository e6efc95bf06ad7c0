"""Which assessment a candidate gets: what each source names, and which source comes first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integrations.core.rules.facts import CandidateSnapshot, Facts
from integrations.core.rules.mappings import MappingRule
from integrations.core.rules.names import (
    KnownAssessment,
    assessment_tags,
    matching_assessments,
)
from integrations.core.vocabulary import AssessmentSource


@dataclass(frozen=True)
class AssessmentNames:
    """What a source names: assessments as they are written there, and the mappings that name them."""

    source: AssessmentSource
    written: tuple[str, ...]
    mappings: tuple[MappingRule, ...] = ()

    @property
    def named_by(self) -> str:
        """What names the assessment, for a sentence."""
        if self.source != AssessmentSource.MAPPING_FOR_CATEGORIES:
            return self.source.label
        subjects = " and for ".join(rule.subject for rule in self.mappings)
        return f"the mapping{'s' if len(self.mappings) > 1 else ''} for {subjects}"


@dataclass(frozen=True)
class AssessmentMatch:
    """What the first source names, and CodeScreen's assessments called so: none where the names are unknown."""

    names: AssessmentNames
    found: tuple[KnownAssessment, ...]

    @property
    def has_contrary_rules(self) -> bool:
        """Whether mappings that fit equally name the assessment, each with other rules of its own."""
        is_chosen = self.names.source == AssessmentSource.CHOICE
        rules = {(rule.approval, rule.own_rules) for rule in self.names.mappings}
        return not is_chosen and len(rules) > 1

    @property
    def is_clear(self) -> bool:
        """Whether it is known which assessment is named, by which rules."""
        return len(self.found) == 1 and not self.has_contrary_rules

    @property
    def mapping(self) -> MappingRule | None:
        """The mapping whose rules hold; None where no mapping names the assessment."""
        return next(iter(self.names.mappings), None)


def depends_on_hidden_role(facts: Facts, candidate: CandidateSnapshot) -> bool:
    """Whether a mapping might name another assessment if Lever showed the title of the candidate's role."""
    is_trigger = facts.trigger_policy.is_trigger(facts.stage_id, facts.stage_name)
    if not candidate.is_role_hidden or not facts.mappings.rules or not is_trigger:
        return False
    match = choose_assessment(facts, candidate)
    return match is None or match.names.source in {AssessmentSource.TAG, AssessmentSource.DEFAULT}


def choose_assessment(facts: Facts, candidate: CandidateSnapshot) -> AssessmentMatch | None:
    """Return what the first source that names an assessment names; None when none does.

    The order is: a person's choice, the mapping for role and stage, the mapping for the role, the tags, the mapping by
    categories, the default. In a stage outside the prefix only mappings that name it count.
    """
    names = _named_by_first_source(facts, candidate)
    if names is None:
        return None
    found = {
        assessment.id: assessment
        for name in names.written
        for assessment in matching_assessments(name, facts.assessments)
    }
    return AssessmentMatch(names, tuple(found.values()))


def _named_by_first_source(facts: Facts, candidate: CandidateSnapshot) -> AssessmentNames | None:
    """Return what the first source that names an assessment names; None without one."""
    if facts.chosen_assessment:
        # the rules of the mapping that would have led to the same assessment hold for a person's choice, too
        mappings = (rule for names in _named_by_mappings(facts, candidate) for rule in names.mappings)
        alike = (rule for rule in mappings if _means(facts, rule.assessment, facts.chosen_assessment))
        return AssessmentNames(AssessmentSource.CHOICE, (facts.chosen_assessment,), tuple(alike))
    return next((names for names in _sources(facts, candidate) if names.written), None)


def _means(facts: Facts, written: str, assessment_id: str) -> bool:
    """Whether the name means this assessment."""
    return [one.id for one in matching_assessments(written, facts.assessments)] == [assessment_id]


def _sources(facts: Facts, candidate: CandidateSnapshot) -> Iterator[AssessmentNames]:
    """Yield what each source but a person's choice names, in the order of precedence."""
    for_stage, for_role, for_categories = _named_by_mappings(facts, candidate)
    is_codescreen_stage = facts.trigger_policy.has_prefix(facts.stage_name)
    yield from (for_stage, for_role)
    if is_codescreen_stage:
        yield AssessmentNames(AssessmentSource.TAG, assessment_tags(candidate.tags, candidate.role_title))
    yield for_categories
    if is_codescreen_stage and (default := facts.default_assessment).strip():
        yield AssessmentNames(AssessmentSource.DEFAULT, (default,))


def _named_by_mappings(
    facts: Facts, candidate: CandidateSnapshot
) -> tuple[AssessmentNames, AssessmentNames, AssessmentNames]:
    """Return what the mappings for role and stage, for the role, and by categories name."""
    # a mapping without a stage holds for CodeScreen stages only, not for any that some other mapping names
    is_codescreen_stage = facts.trigger_policy.has_prefix(facts.stage_name)

    def of_stage(rules: Iterable[MappingRule]) -> list[MappingRule]:
        return [rule for rule in rules if rule.names_stage(facts.stage_id, facts.stage_name)]

    def of_any(rules: Iterable[MappingRule]) -> list[MappingRule]:
        return [rule for rule in rules if rule.is_for_any_stage and is_codescreen_stage]

    def names(source: AssessmentSource, rules: Iterable[MappingRule]) -> AssessmentNames:
        mappings = tuple(rules)
        return AssessmentNames(source, tuple(rule.assessment for rule in mappings), mappings)

    rules = facts.mappings.for_role(candidate.role_id, candidate.role_title)
    fitting = facts.mappings.for_categories(candidate.categories)
    fitting = [*of_stage(fitting), *of_any(fitting)]
    best = max((rule.precision for rule in fitting), default=None)
    return (
        names(AssessmentSource.MAPPING_FOR_STAGE, of_stage(rules)),
        names(AssessmentSource.MAPPING_FOR_ROLE, of_any(rules)),
        names(AssessmentSource.MAPPING_FOR_CATEGORIES, (rule for rule in fitting if rule.precision == best)),
    )
