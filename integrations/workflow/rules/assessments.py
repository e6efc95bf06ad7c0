"""CodeScreen's assessments, and which of them a name or an id means."""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.workflow.rules.naming import normalize


@dataclass(frozen=True)
class KnownAssessment:
    """An assessment that CodeScreen lists."""

    id: str
    name: str


def matching_assessments(written: str, assessments: Sequence[KnownAssessment]) -> tuple[KnownAssessment, ...]:
    """Return the assessments that a name or id means: by id, else by exact name, else by normalized name."""
    written = written.strip()
    for matches in (
        [assessment for assessment in assessments if assessment.id == written],
        [assessment for assessment in assessments if assessment.name == written],
        [assessment for assessment in assessments if normalize(assessment.name) == normalize(written)],
    ):
        if matches:
            return tuple(matches)
    return ()
