"""The mappings of a configuration, compared with the stored ones. Those that the file leaves out stay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_value
from integrations.configuration.toml import quoted
from integrations.models import Organization, RoleMapping
from integrations.workflow.operations.mappings import save_mapping
from integrations.workflow.rules.mapping_index import MappingRule


@dataclass(frozen=True)
class MappingSaved:
    """A new mapping, or another assessment for a stored one."""

    rule: MappingRule
    assessment_before: str | None

    @property
    def path(self) -> str:
        """The mapping by role and stage."""
        stage = quoted(self.rule.stage) if self.rule.stage else "any CodeScreen stage"
        return f"mapping {quoted(self.rule.role)} × {stage}"

    @property
    def lines(self) -> list[Line]:
        """The assessment before and after."""
        sign = Sign.CHANGED if self.assessment_before else Sign.ADDED
        return [Line(sign, self.path, changed_value(self.assessment_before, self.rule.assessment))]

    def apply(self, organization: Organization) -> None:
        """Store the mapping."""
        own = RoleMapping.objects.filter(
            organization=organization, role=self.rule.role, stage=self.rule.stage
        )
        mapping = own.first() or RoleMapping(
            organization=organization, role=self.rule.role, stage=self.rule.stage
        )
        mapping.assessment = self.rule.assessment
        save_mapping(mapping, ACTOR)


def compare_mappings(rules: Sequence[MappingRule], organization: Organization) -> Iterator[Change]:
    """Yield the mappings that differ."""
    stored: dict[tuple[str, str], str] = {}
    if organization.pk is not None:
        own = RoleMapping.objects.filter(organization=organization)
        stored = {(mapping.role, mapping.stage): mapping.assessment for mapping in own}
    for rule in rules:
        before = stored.get((rule.role, rule.stage))
        if before != rule.assessment:
            yield MappingSaved(rule, before)
