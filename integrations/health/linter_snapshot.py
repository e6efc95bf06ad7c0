"""One organization's mappings, tags and lists, read once for the linter's checks."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from integrations.catalog.lists import OPEN_ROLE_STATES, RoleAssessments, mapping_index
from integrations.catalog.models.platform_lists import Assessment, Role, Stage
from integrations.core.rules.choose_assessment import AssessmentMatch
from integrations.core.rules.facts import TriggerPolicy
from integrations.core.rules.names import KnownAssessment, closest_name, normalize
from integrations.core.vocabulary import AssessmentSource
from integrations.health.findings import listed
from integrations.organizations.models.organization import Organization


class Mention(NamedTuple):
    """A place that names an assessment: where, for a sentence; the name as written; and how to name another."""

    where: str
    written: str
    fix: str


class NameIndex:
    """The ids and names of one list, to find the entry that a person meant."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._entries = list(entries)
        self._ids = {identifier for identifier, _ in self._entries}
        self._ids_by_name = {normalize(name): identifier for identifier, name in self._entries if name}

    def find(self, written: str) -> str:
        """Return the id of the entry with this id or name, empty when there is none."""
        if written.strip() in self._ids:
            return written.strip()
        return self._ids_by_name.get(normalize(written), "")

    def hint(self, written: str) -> str:
        """Return a sentence with the name that was probably meant, empty when none is similar."""
        meant = closest_name(written, [name for _, name in self._entries])
        return f" Did you mean “{meant}”?" if meant else ""


class LinterSnapshot:
    """One organization's mappings, tags and lists."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        lever = organization.lever
        codescreen = organization.codescreen
        self.knows_stages = bool(lever and lever.stages_refreshed_at)
        self.knows_roles = bool(lever and lever.roles_refreshed_at)
        self.knows_assessments = bool(codescreen and codescreen.assessments_refreshed_at)
        rows = list(Assessment.objects.filter(organization=organization))
        self.gone_assessments = [KnownAssessment(row.external_id, row.name) for row in rows if row.gone_at]
        self.assessments = [KnownAssessment(row.external_id, row.name) for row in rows if not row.gone_at]
        self.assessment_names = NameIndex((assessment.id, assessment.name) for assessment in self.assessments)
        self.roles: list[Role] = list(Role.objects.live().filter(organization=organization))
        self.role_names = NameIndex((role.external_id, role.title) for role in self.roles)
        self.stages = list(Stage.objects.live().filter(organization=organization))
        self.stage_names = NameIndex((stage.external_id, stage.name) for stage in self.stages)
        self.new_stage_names = {
            normalize(stage.former_name): stage.name for stage in self.stages if stage.former_name
        }
        self.mappings = mapping_index(organization)
        self.trigger_policy = TriggerPolicy(organization.stage_prefix, self.mappings)
        self.matches = list(self._matches())

    def _matches(self) -> Iterator[tuple[Role, AssessmentMatch]]:
        """Yield each open role with what names its assessment, for each trigger stage in which something does."""
        named = RoleAssessments(self.organization)
        stages = [
            (stage.external_id, stage.name)
            for stage in self.stages
            if self.trigger_policy.is_trigger(stage.external_id, stage.name)
        ]
        for role in self.roles:
            if role.state not in OPEN_ROLE_STATES:
                continue
            for stage in stages or [("", self.organization.stage_prefix)]:
                if match := named.match(role, *stage):
                    yield role, match

    def assessment_mentions(self) -> Iterator[Mention]:
        """Yield every place that names an assessment; equal tags of several roles are one place.

        The tags of roles whose assessment the mappings name in every stage name none.
        """
        for rule in self.mappings.rules:
            where = f"The mapping for “{rule.subject}”"
            yield Mention(where, rule.assessment, "Choose another assessment for this mapping.")
        titles_by_tag: dict[str, dict[str, None]] = {}
        for role, match in self.matches:
            if match.names.source == AssessmentSource.TAG:
                for name in match.names.written:
                    titles_by_tag.setdefault(name, {})[f"“{role.title}”"] = None
        for name, titles in titles_by_tag.items():
            where = f"The tag “CodeScreen {name}” on {listed(titles)}"
            yield Mention(where, name, "Correct the tag on the role in Lever, or add a mapping for the role.")
        default = self.organization.default_assessment
        if default.strip():
            yield Mention("The default assessment", default, "Choose another default assessment.")
