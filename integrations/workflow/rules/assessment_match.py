"""Which assessment a candidate gets: by a person's choice, a mapping, a tag or the default."""

from dataclasses import dataclass

from integrations.vocabulary import AssessmentSource
from integrations.workflow.rules.assessments import KnownAssessment, matching_assessments
from integrations.workflow.rules.facts import CandidateSnapshot, Facts
from integrations.workflow.rules.tags import assessment_tags


@dataclass(frozen=True)
class AssessmentMatch:
    """The source that names an assessment, the names as they are written there, and the assessments called so."""

    source: AssessmentSource
    written: tuple[str, ...]
    found: tuple[KnownAssessment, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The written names, when CodeScreen has no assessment called so."""
        return self.written if not self.found else ()


def depends_on_hidden_role(facts: Facts, candidate: CandidateSnapshot) -> bool:
    """Whether a mapping might name another assessment if Lever showed the title of the candidate's role."""
    if not candidate.is_role_hidden or not facts.mappings.rules:
        return False
    match = choose_assessment(facts, candidate)
    return match is None or match.source in {AssessmentSource.TAG, AssessmentSource.DEFAULT}


def choose_assessment(facts: Facts, candidate: CandidateSnapshot) -> AssessmentMatch | None:
    """Return what the first source that names an assessment names; None when none does.

    The order is: a person's choice, the mapping for role and stage, the mapping for the role, the tags, the default.
    """
    named = named_by_first_source(facts, candidate)
    if named is None:
        return None
    source, written = named
    found = {
        assessment.id: assessment
        for name in written
        for assessment in matching_assessments(name, facts.assessments)
    }
    return AssessmentMatch(source, written, tuple(found.values()))


def named_by_first_source(
    facts: Facts, candidate: CandidateSnapshot
) -> tuple[AssessmentSource, tuple[str, ...]] | None:
    """Return the first source that names an assessment, and the names as they are written there; None without one."""
    named = _named_assessments(facts, candidate).items()
    return next(((source, written) for source, written in named if written), None)


def _named_assessments(facts: Facts, candidate: CandidateSnapshot) -> dict[AssessmentSource, tuple[str, ...]]:
    """Return the names that each source gives, in the order of precedence."""
    rules = facts.mappings.for_role(candidate.role_id, candidate.role_title)
    # a mapping without a stage holds for CodeScreen stages only, not for any that some other mapping names
    is_codescreen_stage = facts.trigger_policy.has_prefix(facts.stage_name)
    return {
        AssessmentSource.CHOICE: (facts.chosen_assessment,) if facts.chosen_assessment else (),
        AssessmentSource.MAPPING_FOR_STAGE: tuple(
            rule.assessment for rule in rules if rule.names_stage(facts.stage_id, facts.stage_name)
        ),
        AssessmentSource.MAPPING_FOR_ROLE: tuple(
            rule.assessment for rule in rules if rule.is_for_any_stage and is_codescreen_stage
        ),
        AssessmentSource.TAG: assessment_tags(candidate.tags, candidate.role_title),
        AssessmentSource.DEFAULT: (facts.default_assessment,) if facts.default_assessment.strip() else (),
    }
