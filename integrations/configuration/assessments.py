"""The assessments of a configuration, compared with the stored thresholds. Those that the file leaves out stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrations.configuration.contents import AssessmentSettings
from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_value
from integrations.configuration.toml import literal, quoted
from integrations.models import Organization, RatingThresholds
from integrations.vocabulary import Thresholds
from integrations.workflow.operations.rating_thresholds import delete_thresholds, set_thresholds


@dataclass(frozen=True)
class ThresholdsChanged:
    """Other rating thresholds of one assessment; None stands for the organization's."""

    assessment: str
    before: Thresholds | None
    after: Thresholds | None

    @property
    def path(self) -> str:
        """The assessment by name."""
        return f"assessment {quoted(self.assessment)} rating_thresholds"

    @property
    def lines(self) -> list[Line]:
        """The thresholds before and after."""
        before = list(self.before) if self.before else None
        if self.after is None:
            return [Line(Sign.REMOVED, self.path, literal(before or []))]
        sign = Sign.CHANGED if before else Sign.ADDED
        return [Line(sign, self.path, changed_value(before, list(self.after)))]

    def apply(self, organization: Organization) -> None:
        """Store or delete them."""
        if self.after is None:
            delete_thresholds(organization, self.assessment, ACTOR)
        else:
            set_thresholds(organization, self.assessment, self.after, ACTOR)


def compare_assessments(wanted: Sequence[AssessmentSettings], organization: Organization) -> Iterator[Change]:
    """Yield the assessments whose thresholds differ."""
    stored: dict[str, Thresholds] = {}
    if organization.pk is not None:
        rows = RatingThresholds.objects.filter(organization=organization)
        stored = {row.assessment: row.values for row in rows}
    for assessment in wanted:
        before = stored.get(assessment.name)
        if before != assessment.rating_thresholds:
            yield ThresholdsChanged(assessment.name, before, assessment.rating_thresholds)
