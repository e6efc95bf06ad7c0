"""One organization's mappings, tags and lists, read once for the linter's checks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from integrations.models import (
    Assessment,
    CodeScreenConnection,
    LeverConnection,
    Organization,
    Role,
    Stage,
)
from integrations.workflow.catalog.trigger_policy import mapping_index
from integrations.workflow.health.findings import Finding, listed
from integrations.workflow.rules.assessments import KnownAssessment
from integrations.workflow.rules.mapping_index import MappingRule
from integrations.workflow.rules.naming import closest_name, normalize
from integrations.workflow.rules.tags import assessment_tags
from integrations.workflow.rules.trigger import TriggerPolicy

PAGE = "/mappings/"
OPEN_STATES = frozenset({"published", "internal"})


@dataclass(frozen=True)
class AssessmentMention:
    """Where an assessment is named, in words; as what; and how to name another."""

    where: str
    written: str
    fix: str


class NameIndex:
    """The ids and names of one list, to tell whether what a person wrote means any of it."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._entries = list(entries)
        # by the id as it is, by the name as people write it: one of either is enough
        self._ids = {identifier: identifier for identifier, _ in self._entries}
        self._names = {normalize(name): identifier for identifier, name in self._entries if name}

    def find(self, written: str) -> str:
        """Return the id that is meant, empty when there is none."""
        return self._ids.get(written.strip()) or self._names.get(normalize(written), "")

    def hint(self, written: str) -> str:
        """Return a sentence with what was probably meant, empty when nothing is near."""
        meant = closest_name(written, [name for _, name in self._entries])
        return f" Did you mean “{meant}”?" if meant else ""


class LinterSnapshot:
    """One organization's mappings, tags and lists, read once."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        lever = LeverConnection.objects.filter(organization=organization).first()
        codescreen = CodeScreenConnection.objects.filter(organization=organization).first()
        self.knows_stages = bool(lever and lever.stages_refreshed_at)
        self.knows_roles = bool(lever and lever.roles_refreshed_at)
        self.knows_assessments = bool(codescreen and codescreen.assessments_refreshed_at)
        entries = list(Assessment.objects.filter(organization=organization))
        self.gone = [KnownAssessment(row.external_id, row.name) for row in entries if row.gone_at]
        self.assessments = [KnownAssessment(row.external_id, row.name) for row in entries if not row.gone_at]
        self.roles: list[Role] = list(Role.objects.live().filter(organization=organization))
        self.role_names = NameIndex((role.external_id, role.title) for role in self.roles)
        self.open_roles = [role for role in self.roles if role.state in OPEN_STATES]
        self.tags = {role.pk: assessment_tags(map(str, role.tags), role.title) for role in self.roles}
        self.live_stages = list(Stage.objects.live().filter(organization=organization))
        self.stages = NameIndex((stage.external_id, stage.name) for stage in self.live_stages)
        self.renamed = {
            normalize(stage.former_name): stage.name for stage in self.live_stages if stage.former_name
        }
        self.mappings = mapping_index(organization)
        self.trigger_policy = TriggerPolicy(organization.stage_prefix, self.mappings.stages)

    def rules_for(self, role: Role) -> list[MappingRule]:
        """Return the mappings that name this role."""
        return self.mappings.for_role(role.external_id, role.title)

    def names(self) -> Iterator[AssessmentMention]:
        """Yield every place where an assessment is named."""
        for mapping in self.mappings.rules:
            where = f"The mapping for “{mapping.role}”"
            yield AssessmentMention(where, mapping.assessment, "Choose another assessment for this mapping.")
        tagged: dict[str, list[str]] = {}
        for role in self.open_roles:
            for name in self.tags[role.pk]:
                tagged.setdefault(name, []).append(f"“{role.title}”")
        for name, titles in tagged.items():
            where = f"The tag “CodeScreen {name}” on {listed(titles)}"
            yield AssessmentMention(where, name, "Correct the tag on the role in Lever, or map the role.")
        if self.organization.default_assessment.strip():
            yield AssessmentMention(
                "The default", self.organization.default_assessment, "Choose another default assessment."
            )

    def finding(self, code: str, message: str, fix: str, level: str = "warning") -> Finding:
        """Return a finding that is mended on the mappings page."""
        return Finding(self.organization.slug, code, level, message, fix, PAGE)
