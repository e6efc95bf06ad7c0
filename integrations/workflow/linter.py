"""Findings on mappings and tags: names that mean nothing, names that mean too much, roles that lead nowhere.

A name is only called unknown once the platform's list has been read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from django.utils import timezone

from integrations.models import (
    Assessment,
    CodeScreenConnection,
    Delivery,
    LeverConnection,
    Organization,
    Role,
    RoleMapping,
    Stage,
)
from integrations.workflow.decide import (
    AssessmentChoice,
    MappingRule,
    assessment_tags,
    begins_with_prefix,
    closest,
    is_trigger,
    match,
    normalized,
)
from integrations.workflow.finding import Finding, counted, listed

PAGE = "/mappings/"
OPEN_STATES = frozenset({"published", "internal"})
TAG_MEMORY = timedelta(days=30)
NAMED_BY_TAG = "which the tag names"  # as decide() explains it
MOST_TOLD = 500
MOST_PER_CODE = 50  # for a person to read; a longer list is one mistake made many times


@dataclass(frozen=True)
class Named:
    """Where an assessment is named, in words; as what; and how to name another."""

    where: str
    written: str
    fix: str


class Names:
    """The ids and names of one list, to tell whether what a person wrote means any of it."""

    def __init__(self, entries: Iterable[tuple[str, str]]) -> None:
        self._entries = list(entries)
        # by the id as it is, by the name as people write it: one of either is enough
        self._ids = {identifier: identifier for identifier, _ in self._entries}
        self._names = {normalized(name): identifier for identifier, name in self._entries if name}

    def find(self, written: str) -> str:
        """Return the id that is meant, empty when there is none."""
        return self._ids.get(written.strip()) or self._names.get(normalized(written), "")

    def hint(self, written: str) -> str:
        """Return a sentence with what was probably meant, empty when nothing is near."""
        meant = closest(written, [name for _, name in self._entries])
        return f" Did you mean “{meant}”?" if meant else ""


class Survey:
    """One organization's mappings, tags and lists, read once."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        lever = LeverConnection.objects.filter(organization=organization).first()
        codescreen = CodeScreenConnection.objects.filter(organization=organization).first()
        self.knows_stages = bool(lever and lever.stages_refreshed_at)
        self.knows_roles = bool(lever and lever.roles_refreshed_at)
        self.knows_assessments = bool(codescreen and codescreen.assessments_refreshed_at)
        entries = list(Assessment.objects.filter(organization=organization))
        self.gone = [AssessmentChoice(row.external_id, row.name) for row in entries if row.gone_at]
        self.assessments = [AssessmentChoice(row.external_id, row.name) for row in entries if not row.gone_at]
        self.roles: list[Role] = list(Role.objects.live().filter(organization=organization))
        self.role_names = Names((role.external_id, role.title) for role in self.roles)
        self.open_roles = [role for role in self.roles if role.state in OPEN_STATES]
        self.tags = {role.pk: assessment_tags(map(str, role.tags), role.title) for role in self.roles}
        self.live_stages = list(Stage.objects.live().filter(organization=organization))
        self.stages = Names((stage.external_id, stage.name) for stage in self.live_stages)
        self.renamed = {
            normalized(stage.former_name): stage.name for stage in self.live_stages if stage.former_name
        }
        self.mappings = list(RoleMapping.objects.filter(organization=organization))
        self._rules: dict[str, list[RoleMapping]] = {}
        for mapping in self.mappings:
            for key in {mapping.role.strip(), normalized(mapping.role)}:
                self._rules.setdefault(key, []).append(mapping)

    def rules_for(self, role: Role) -> list[RoleMapping]:
        """Return the mappings that mean this role."""
        found = self._rules.get(role.external_id, []) + self._rules.get(normalized(role.title), [])
        return list(dict.fromkeys(found))

    def names(self) -> Iterator[Named]:
        """Yield every place where an assessment is named."""
        for mapping in self.mappings:
            where = f"The mapping for “{mapping.role}”"
            yield Named(where, mapping.assessment, "Choose another assessment for this mapping.")
        tagged: dict[str, list[str]] = {}
        for role in self.open_roles:
            for name in self.tags[role.pk]:
                tagged.setdefault(name, []).append(f"“{role.title}”")
        for name, titles in tagged.items():
            where = f"The tag “CodeScreen {name}” on {listed(titles)}"
            yield Named(where, name, "Correct the tag on the role in Lever, or map the role.")
        if self.organization.default_assessment.strip():
            yield Named(
                "The default", self.organization.default_assessment, "Choose another default assessment."
            )

    def finding(self, code: str, message: str, fix: str, level: str = "warning") -> Finding:
        """Return a finding that is mended on the mappings page."""
        return Finding(self.organization.slug, code, level, message, fix, PAGE)


def findings(organization: Organization) -> list[Finding]:
    """Return what is wrong with the organization's mappings and tags; nothing when all is well."""
    survey = Survey(organization)
    checks = (
        unknown_assessments,
        ambiguous_assessments,
        unknown_roles,
        unknown_stages,
        renamed_stages,
        unknown_candidate_tags,
        roles_without_assessment,
    )
    return [finding for check in checks for finding in islice(check(survey), MOST_PER_CODE)]


def unknown_assessments(survey: Survey) -> Iterator[Finding]:
    """Yield where a name means no assessment that CodeScreen lists now."""
    live = Names((assessment.id, assessment.name) for assessment in survey.assessments)
    for named in survey.names() if survey.knows_assessments else ():
        if match(named.written, survey.assessments):
            continue
        what = (
            "is no longer in CodeScreen" if match(named.written, survey.gone) else "CodeScreen doesn't have"
        )
        message = f"{named.where} names “{named.written}”, which {what}.{live.hint(named.written)}"
        yield survey.finding("unknown_assessment", message, named.fix)


def ambiguous_assessments(survey: Survey) -> Iterator[Finding]:
    """Yield roles that are given several different assessments at once."""
    for role in survey.open_roles:
        written: dict[str, list[str]] = {}
        for rule in survey.rules_for(role):
            stage = survey.stages.find(rule.stage) or normalized(rule.stage)
            written.setdefault(stage, []).append(rule.assessment)
        # a mapping for every stage wins over the tags
        if "" not in written:
            written["tags"] = list(survey.tags[role.pk])
        for names in written.values():
            meant = {choice.id: choice.name for name in names for choice in match(name, survey.assessments)}
            if len(meant) > 1:
                quoted = listed(f"“{name}”" for name in meant.values())
                message = (
                    f"“{role.title}” has several assessments: {quoted}. Nobody is invited while it does."
                )
                fix = "Leave one of them, in the role's tags in Lever or in the mappings."
                yield survey.finding("ambiguous_assessment", message, fix)


def unknown_roles(survey: Survey) -> Iterator[Finding]:
    """Yield mappings whose role Lever doesn't list."""
    for mapping in survey.mappings if survey.knows_roles else ():
        if not survey.role_names.find(mapping.role):
            hint = survey.role_names.hint(mapping.role)
            message = f"The mapping for “{mapping.role}” names a role that Lever doesn't list.{hint}"
            yield survey.finding("unknown_role", message, "Choose the role again, or remove the mapping.")


def unknown_stages(survey: Survey) -> Iterator[Finding]:
    """Yield mappings whose stage Lever doesn't list, as after a rename."""
    for mapping in survey.mappings if survey.knows_stages else ():
        if mapping.stage.strip() and not survey.stages.find(mapping.stage):
            name = survey.renamed.get(normalized(mapping.stage), "")
            guess = f"perhaps it was renamed.{survey.stages.hint(mapping.stage)}"
            why = f"it was renamed to “{name}”." if name else guess
            message = (
                f"The mapping for “{mapping.role}” names the stage “{mapping.stage}”, which Lever doesn't list; "
                f"{why}"
            )
            yield survey.finding("unknown_stage", message, "Choose the stage again.")


def renamed_stages(survey: Survey) -> Iterator[Finding]:
    """Yield stages that invited until they were renamed."""
    prefix = survey.organization.stage_prefix
    rules = [MappingRule(row.role, row.stage, row.assessment) for row in survey.mappings]
    for stage in survey.live_stages:
        if not begins_with_prefix(stage.former_name, prefix):
            continue
        if not is_trigger(stage.external_id, stage.name, prefix, rules):
            message = (
                f"“{stage.former_name}” is called “{stage.name}” in Lever now: entering it no longer invites."
            )
            fix = f"Rename it in Lever so that it begins with “{prefix}”, or name the stage in a mapping."
            yield survey.finding("renamed_stage", message, fix)


def unknown_candidate_tags(survey: Survey) -> Iterator[Finding]:
    """Yield tags on candidates that named no assessment when they entered the stage, and still name none."""
    told = Delivery.objects.filter(
        organization=survey.organization,
        verdict=Delivery.Verdict.UNKNOWN_ASSESSMENT,
        received_at__gte=timezone.now() - TAG_MEMORY,
        explanation__contains=NAMED_BY_TAG,
    ).order_by("-received_at")
    on_roles = {normalized(name) for role in survey.open_roles for name in survey.tags[role.pk]}
    candidates: dict[str, set[str]] = {}
    for opportunity, explanation in told.values_list("opportunity_id", "explanation")[:MOST_TOLD]:
        name = explanation.partition("“")[2].partition("”")[0]
        if name and normalized(name) not in on_roles and not match(name, survey.assessments):
            candidates.setdefault(name, set()).add(opportunity)
    live = Names((assessment.id, assessment.name) for assessment in survey.assessments)
    for name, who in candidates.items():
        where = f"The tag “CodeScreen {name}” on {counted(len(who), 'candidate')}"
        message = f"{where}, and not on their role, names no assessment that CodeScreen has.{live.hint(name)}"
        fix = "Correct the tag on the candidate in Lever, then move them into the stage again."
        yield survey.finding("unknown_candidate_tag", message, fix, "info")


def roles_without_assessment(survey: Survey) -> Iterator[Finding]:
    """Yield one finding on the open roles that neither a mapping nor a tag nor the default covers."""
    if survey.organization.default_assessment.strip():
        return
    bare = [role for role in survey.open_roles if not survey.tags[role.pk] and not survey.rules_for(role)]
    if bare:
        quoted = listed(f"“{role.title}”" for role in bare)
        message = f"Open roles without an assessment: {quoted}. Their candidates are not invited."
        fix = "Map them, tag them in Lever with “CodeScreen {assessment name}”, or set a default assessment."
        yield survey.finding("role_without_assessment", message, fix, "info")
