"""The assessment that each role gets in one stage, with the reason: the same choice as the real run's."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from integrations.models import Organization, Role, Stage
from integrations.workflow.catalog import lookup
from integrations.workflow.catalog.trigger_policy import mapping_index
from integrations.workflow.rules.assessment_match import AssessmentMatch, choose_assessment
from integrations.workflow.rules.facts import CandidateSnapshot, Facts
from integrations.workflow.rules.naming import closest_name, normalize


@dataclass(frozen=True)
class EffectiveAssessment:
    """The assessment that one role gets in a stage; `is_problem` when a person has to correct something."""

    role: Role
    assessment: str
    reason: str
    is_problem: bool


@dataclass(frozen=True)
class RoleFilter:
    """One choice of the list's filter: its label, and the roles that it shows."""

    label: str
    includes: Callable[[EffectiveAssessment], bool]


#: By the value of the parameter `show`.
FILTERS = {
    "unmapped": RoleFilter("Without an assessment", lambda effective: not effective.assessment),
    "problems": RoleFilter("With a problem", lambda effective: effective.is_problem),
}


class EffectiveAssessments:
    """The effective assessments of an organization's roles in one stage; mappings and lists are read once."""

    def __init__(self, organization: Organization, stage: Stage | None) -> None:
        self._facts = Facts(
            event="",
            stage_prefix=organization.stage_prefix,
            stage_id=stage.external_id if stage else "",
            stage_name=stage.name if stage else organization.stage_prefix,
            mappings=mapping_index(organization),
            assessments=lookup.live_assessments(organization),
            default_assessment=organization.default_assessment,
        )

    def of(self, role: Role) -> EffectiveAssessment:
        """Return what a candidate of this role gets, by posting tags but without tags of their own."""
        candidate = CandidateSnapshot(
            stage_id=self._facts.stage_id,
            stage_name=self._facts.stage_name,
            role_id=role.external_id,
            role_title=role.title,
            tags=tuple(role.tags),
        )
        match = choose_assessment(self._facts, candidate)
        return _effective(role, match, [assessment.name for assessment in self._facts.assessments])

    def matching(self, roles: Iterable[Role], query: str, show: str) -> list[Role]:
        """Return the roles whose title or assessment contains the query; `show` may name one of FILTERS.

        A filter leaves out roles that are closed in Lever.
        """
        text = normalize(query)
        found = []
        for role in roles:
            effective = self.of(role)
            if text and text not in normalize(f"{role.title} {effective.assessment}"):
                continue
            if show and (
                role.state not in ("", *lookup.OPEN_ROLE_STATES) or not FILTERS[show].includes(effective)
            ):
                continue
            found.append(role)
        return found


def _effective(role: Role, match: AssessmentMatch | None, names: Sequence[str]) -> EffectiveAssessment:
    if match is None:
        return EffectiveAssessment(role, "", "no mapping, no tag, no default", is_problem=False)
    source = match.source.label
    if match.unknown:
        closest = closest_name(match.written[0], names)
        hint = f"; did you mean “{closest}”?" if closest else ""
        reason = f"CodeScreen has no “{match.written[0]}”, which {source} names{hint}"
        return EffectiveAssessment(role, "", reason, is_problem=True)
    assessments = ", ".join(assessment.name for assessment in match.found)
    if len(match.found) > 1:
        return EffectiveAssessment(role, assessments, f"several are named by {source}", is_problem=True)
    return EffectiveAssessment(role, assessments, source, is_problem=False)
