"""What each role gets in one stage, and why: the effective answer, by the same choice as the real run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from integrations.models import Organization, Role, Stage
from integrations.workflow.catalog import lookup
from integrations.workflow.catalog.trigger_policy import mapping_index
from integrations.workflow.health.linter_snapshot import OPEN_STATES
from integrations.workflow.rules.assessment_match import AssessmentMatch, choose_assessment
from integrations.workflow.rules.facts import CandidateSnapshot, Facts
from integrations.workflow.rules.naming import closest_name, normalize


@dataclass(frozen=True)
class Answer:
    """What one role gets in a trigger stage, and why; `is_problem` when a person has to mend it."""

    role: Role
    assessment: str
    reason: str
    is_problem: bool


def answer(role: Role, known: Facts) -> Answer:
    """Return what a candidate of this role would get, by the same choice as the real run."""
    candidate = CandidateSnapshot(
        stage_id=known.stage_id,
        stage_name=known.stage_name,
        role_id=role.external_id,
        role_title=role.title,
        tags=tuple(role.tags),
    )
    match = choose_assessment(known, candidate)
    return Answer(role, *_words(match, [assessment.name for assessment in known.assessments]))


def _words(match: AssessmentMatch | None, names: Sequence[str]) -> tuple[str, str, bool]:
    if match is None:
        return "", "no mapping, no tag, no default", False
    if match.unknown:
        meant = closest_name(match.written[0], names)
        hint = f"; did you mean “{meant}”?" if meant else ""
        return "", f"CodeScreen has no “{match.written[0]}”, which {match.source.label} names{hint}", True
    found = ", ".join(assessment.name for assessment in match.found)
    if len(match.found) > 1:
        return found, f"several are named by {match.source.label}", True
    return found, match.source.label, False


class Answers:
    """The answers for an organization's roles in one stage; what they depend on is read once."""

    def __init__(self, organization: Organization, stage: Stage | None) -> None:
        self._known = Facts(
            event="",
            stage_prefix=organization.stage_prefix,
            stage_id=stage.external_id if stage else "",
            stage_name=stage.name if stage else organization.stage_prefix,
            mappings=mapping_index(organization),
            assessments=lookup.live_assessments(organization),
            default_assessment=organization.default_assessment,
        )

    def matching(self, roles: Iterable[Role], query: str, show: str) -> list[Role]:
        """Return the roles whose title or assessment has the query in it, and whose answer is of the kind to show."""
        wanted = normalize(query)
        found = []
        for role in roles:
            given = self.of(role)
            if wanted and wanted not in normalize(f"{role.title} {given.assessment}"):
                continue
            if show and (role.state not in ("", *OPEN_STATES) or not SHOWN[show][1](given)):
                continue
            found.append(role)
        return found

    def of(self, role: Role) -> Answer:
        """Return one role's."""
        return answer(role, self._known)


#: The kinds of answer that can be shown alone: what they are called, and which answers they are.
SHOWN: dict[str, tuple[str, Callable[[Answer], bool]]] = {
    "unmapped": ("Without an assessment", lambda given: not given.assessment),
    "problems": ("With a problem", lambda given: given.is_problem),
}
