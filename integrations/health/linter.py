"""Findings on an organization's mappings and tags: names that mean nothing, and names that mean too much.

A name is only called unknown once the platform's list has been read.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from integrations.catalog.lists import OPEN_ROLE_STATES, RoleAssessments, mapping_index
from integrations.catalog.models import Assessment, Role, Stage
from integrations.core.finding_code import FindingCode
from integrations.core.rules.choose_assessment import AssessmentMatch
from integrations.core.rules.facts import TriggerPolicy
from integrations.core.rules.names import KnownAssessment, closest_name, matching_assessments, normalize
from integrations.core.vocabulary import AssessmentSource, lower_first
from integrations.health.findings import Finding, finding, listed
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


MOST_PER_CHECK = 50  # for a person to read; a longer list is one mistake made many times


def unknown_assessments(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield each mention of an assessment that CodeScreen doesn't list."""
    if not snapshot.knows_assessments:
        return
    for where, written, fix in snapshot.assessment_mentions():
        if matching_assessments(written, snapshot.assessments):
            continue
        is_gone = bool(matching_assessments(written, snapshot.gone_assessments))
        problem = "is no longer in CodeScreen" if is_gone else "isn't in CodeScreen"
        hint = snapshot.assessment_names.hint(written)
        yield finding(
            FindingCode.UNKNOWN_ASSESSMENT, f"{where} names “{written}”, which {problem}.{hint}", fix
        )


def unknown_roles(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings whose role Lever doesn't list, or whose categories no posting in Lever has together."""
    if not snapshot.knows_roles:
        return
    fitting = {
        rule for role in snapshot.roles for rule in snapshot.mappings.for_categories(role.shown_categories)
    }
    for rule in snapshot.mappings.rules:
        if rule.role and not snapshot.role_names.find(rule.role):
            hint = snapshot.role_names.hint(rule.role)
            message = f"The mapping for “{rule.role}” has a role that isn't in Lever.{hint}"
            fix = "Choose the role again, or remove the mapping."
            yield finding(FindingCode.UNKNOWN_ROLE, message, fix)
        if rule.categories and rule not in fitting:
            message = f"The mapping for “{rule.subject}” fits no posting in Lever."
            fix = "Choose other categories, or remove the mapping."
            yield finding(FindingCode.UNKNOWN_ROLE, message, fix)


def unknown_stages(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings whose stage Lever doesn't list, for example after a rename."""
    if not snapshot.knows_stages:
        return
    for rule in snapshot.mappings.rules:
        if rule.is_for_any_stage or snapshot.stage_names.find(rule.stage):
            continue
        new_name = snapshot.new_stage_names.get(normalize(rule.stage), "")
        guess = f"It may have been renamed.{snapshot.stage_names.hint(rule.stage)}"
        reason = f"It was renamed to “{new_name}”." if new_name else guess
        message = (
            f"The mapping for “{rule.subject}” has the stage “{rule.stage}”, which isn't in Lever. {reason}"
        )
        yield finding(FindingCode.UNKNOWN_STAGE, message, "Choose the stage again.")


def renamed_stages(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield stages that were trigger stages by their former name and no longer are."""
    policy = snapshot.trigger_policy
    for stage in snapshot.stages:
        if policy.has_prefix(stage.former_name) and not policy.is_trigger(stage.external_id, stage.name):
            message = f"The stage “{stage.former_name}” was renamed to “{stage.name}” in Lever and no longer invites."
            fix = f"Let its name begin with “{policy.prefix}” in Lever, or add a mapping with this stage."
            yield finding(FindingCode.UNKNOWN_STAGE, message, fix)


def ambiguous_assessments(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield open roles for which several assessments are named at once, or one by mappings with other rules each."""
    seen: set[str] = set()
    for role, match in snapshot.matches:
        quoted = listed(f"“{assessment.name}”" for assessment in match.found)
        # one name that two assessments have is a finding of its own
        if len({normalize(assessment.name) for assessment in match.found}) > 1:
            message = f"“{role.title}” has several assessments, so its candidates are not invited: {quoted}."
        elif len(match.found) == 1 and match.has_contrary_rules:
            message = (
                f"“{role.title}” has several mappings with other rules each for the same assessment, so its candidates "
                f"are not invited: {quoted}."
            )
        else:
            continue
        if message not in seen:
            seen.add(message)
            fix = "Keep only one of them, in the role's tags in Lever or in the mappings."
            yield finding(FindingCode.AMBIGUOUS_ASSESSMENT, message, fix)


def same_named_assessments(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield names that several of CodeScreen's assessments have, so that they name none."""
    seen: set[str] = set()
    for mention in snapshot.assessment_mentions():
        found = matching_assessments(mention.written, snapshot.assessments)
        name = normalize(mention.written)
        if len(found) > 1 and name not in seen:
            seen.add(name)
            message = (
                f"CodeScreen has {len(found)} assessments called “{found[0].name}”, so "
                f"{lower_first(mention.where)} invites nobody."
            )
            fix = "Rename one of them in CodeScreen, or use the assessment's id instead of its name."
            yield finding(FindingCode.AMBIGUOUS_ASSESSMENT, message, fix)


CHECKS = (
    unknown_assessments,
    ambiguous_assessments,
    same_named_assessments,
    unknown_roles,
    unknown_stages,
    renamed_stages,
)


def findings(organization: Organization) -> list[Finding]:
    """Return what is wrong with the organization's mappings and tags, empty when nothing is."""
    snapshot = LinterSnapshot(organization)
    return [one for check in CHECKS for one in islice(check(snapshot), MOST_PER_CHECK)]
