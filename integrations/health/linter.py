"""Findings on an organization's mappings and tags: names that mean nothing, names that mean too much, idle roles.

A name is only called unknown once the platform's list has been read.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from integrations.catalog.models.platform_lists import Role
from integrations.core.finding_code import FindingCode
from integrations.core.rules.mappings import MappingRule, comparable
from integrations.core.rules.names import TAG_WORD, closest_name, matching_assessments, normalize
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import AssessmentSource, lower_first
from integrations.health.findings import Finding, counted, finding, listed
from integrations.health.linter_snapshot import LinterSnapshot
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.organizations.models.organization import Organization

LOOK_BACK = timedelta(days=30)
MOST_DELIVERIES = 500
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
    """Yield mappings whose role Lever doesn't list."""
    if not snapshot.knows_roles:
        return
    for rule in snapshot.mappings.rules:
        if rule.role and not snapshot.role_names.find(rule.role):
            hint = snapshot.role_names.hint(rule.role)
            message = f"The mapping for “{rule.role}” has a role that isn't in Lever.{hint}"
            fix = "Choose the role again, or remove the mapping."
            yield finding(FindingCode.UNKNOWN_ROLE, message, fix)


def mappings_that_fit_no_role(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings for categories that no posting in Lever has together."""
    if not snapshot.knows_roles:
        return
    shown = frozenset(pair for role in snapshot.roles for pair in role.shown_categories)
    for rule in snapshot.mappings.rules:
        if not rule.categories or snapshot.roles_by_rule[rule]:
            continue
        hint = "".join(
            f" Did you mean “{category.label} {meant}”?"
            for category, written in sorted(rule.categories - shown)
            if (meant := closest_name(written, (value for other, value in shown if other == category)))
        )
        message = f"The mapping for “{rule.subject}” fits no posting in Lever.{hint}"
        fix = "Choose other categories, or remove the mapping."
        yield finding(FindingCode.UNMATCHED_MAPPING, message, fix)


def hidden_mappings(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings for categories that fit open roles and count for none, because others come first."""
    if not snapshot.roles_by_rule:
        return
    counting = {
        rule for matches in snapshot.matches.values() for match in matches for rule in match.names.mappings
    }
    for rule, fitting in snapshot.roles_by_rule.items():
        roles = [role for role in fitting if role.pk in snapshot.matches]
        if roles and rule not in counting:
            quoted = listed(f"“{role.title}”" for role in roles)
            message = (
                f"The mapping for “{rule.subject}” is never used: for {quoted}, another mapping or a tag comes "
                "first."
            )
            fix = (
                "Remove it, or remove what comes first: a mapping for the role, its tag, or more categories."
            )
            yield finding(FindingCode.HIDDEN_MAPPING, message, fix)


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
            yield finding(FindingCode.RENAMED_STAGE, message, fix)


def ambiguous_assessments(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield open roles for which several different assessments are named at once."""
    for role in snapshot.open_roles:
        for written in _names_that_compete(snapshot, role):
            names = {
                assessment.id: assessment.name
                for name in written
                for assessment in matching_assessments(name, snapshot.assessments)
            }
            # one name that two assessments have is a finding of its own
            if len({normalize(name) for name in names.values()}) > 1:
                quoted = listed(f"“{name}”" for name in names.values())
                message = (
                    f"“{role.title}” has several assessments, so its candidates are not invited: {quoted}."
                )
                fix = "Keep only one of them, in the role's tags in Lever or in the mappings."
                yield finding(FindingCode.AMBIGUOUS_ASSESSMENT, message, fix)


def _names_that_compete(snapshot: LinterSnapshot, role: Role) -> list[list[str]]:
    """Return the names that compete: of the role's mappings by stage, of its tags, of mappings for its categories."""
    by_stage: dict[str, list[str]] = {}
    for rule in snapshot.rules_for(role):
        stage = snapshot.stage_names.find(rule.stage) or normalize(rule.stage)
        by_stage.setdefault(stage, []).append(rule.assessment)
    competing = list(by_stage.values())
    if snapshot.may_use_tags(role):
        competing.append(list(snapshot.tags[role.pk]))
    if snapshot.roles_by_rule:
        competing += [
            list(match.names.written)
            for match in snapshot.matches[role.pk]
            if match.names.source == AssessmentSource.MAPPING_FOR_CATEGORIES
        ]
    return competing


def roles_without_assessment(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield one finding with the open roles that no mapping, tag or default gives an assessment."""
    if snapshot.organization.default_assessment.strip():
        return
    roles = [
        role for role in snapshot.open_roles if not snapshot.tags[role.pk] and not snapshot.is_mapped(role)
    ]
    if roles:
        quoted = listed(f"“{role.title}”" for role in roles)
        message = f"These open roles have no assessment, so their candidates are not invited: {quoted}."
        names = sorted(assessment.name for assessment in snapshot.assessments)
        such_as = f", such as “{TAG_WORD} {names[0]}”" if names else ""
        fix = (
            f"Add mappings, tag the roles in Lever with “{TAG_WORD}” and the assessment's name{such_as}, or set a "
            "default assessment."
        )
        yield finding(FindingCode.ROLE_WITHOUT_ASSESSMENT, message, fix)


def unknown_candidate_tags(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield tags on candidates that named no assessment at their last entry, and still name none."""
    # who entered again since then has the tag corrected, or is told of by the later entry
    is_last_entry = Exists(Candidate.objects.filter(delivery=OuterRef("pk")))
    undecidable = _decided_by_tag(snapshot, VerdictCode.UNKNOWN_ASSESSMENT).filter(is_last_entry)
    role_tags = {normalize(name) for role in snapshot.open_roles for name in snapshot.tags[role.pk]}
    opportunities_by_tag: dict[str, set[str]] = {}
    for opportunity_id, name in undecidable.values_list("opportunity_id", "assessment_written")[
        :MOST_DELIVERIES
    ]:
        is_known = matching_assessments(name, snapshot.assessments)
        if name and normalize(name) not in role_tags and not is_known:
            opportunities_by_tag.setdefault(name, set()).add(opportunity_id)
    for name, opportunities in opportunities_by_tag.items():
        where = f"The tag “CodeScreen {name}” on {counted(len(opportunities), 'candidate')}"
        hint = snapshot.assessment_names.hint(name)
        message = f"{where} names an assessment that isn't in CodeScreen.{hint}"
        fix = "Correct the tag on the candidate in Lever, then move them out of the stage and back in."
        yield finding(FindingCode.UNKNOWN_CANDIDATE_TAG, message, fix)


def candidate_tags_not_on_role(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield unmapped roles whose candidates were invited by a tag that the role itself doesn't have."""
    roles = {role.external_id: role for role in snapshot.open_roles if not snapshot.is_mapped(role)}
    opportunities_by_tag: dict[tuple[str, str], set[str]] = {}
    columns = (
        "invitation__role_id",
        "invitation__assessment_id",
        "invitation__assessment_name",
        "opportunity_id",
    )
    invited = _decided_by_tag(snapshot, VerdictCode.INVITE).values_list(*columns)
    for role_id, assessment_id, name, opportunity_id in invited[:MOST_DELIVERIES]:
        role = roles.get(role_id)
        if role is None:
            continue
        tagged_ids = {
            assessment.id
            for tag in snapshot.tags[role.pk]
            for assessment in matching_assessments(tag, snapshot.assessments)
        }
        if assessment_id not in tagged_ids:
            opportunities_by_tag.setdefault((role_id, name), set()).add(opportunity_id)
    instead = (
        "the default assessment" if snapshot.organization.default_assessment.strip() else "no assessment"
    )
    for (role_id, name), opportunities in opportunities_by_tag.items():
        candidates = counted(len(opportunities), "candidate")
        message = (
            f"The tag “CodeScreen {name}” is on {candidates} of “{roles[role_id].title}” but not on the role. "
            f"Candidates without the tag get {instead}."
        )
        fix = "If all candidates of the role should get it, tag the role in Lever or add a mapping."
        yield finding(FindingCode.CANDIDATE_TAG_ALONE, message, fix)


def _decided_by_tag(snapshot: LinterSnapshot, verdict: VerdictCode) -> QuerySet[Delivery]:
    """Return the recent deliveries with this verdict whose assessment a tag named, the latest first."""
    return Delivery.objects.filter(
        organization=snapshot.organization,
        verdict=verdict,
        received_at__gte=timezone.now() - LOOK_BACK,
        assessment_source=AssessmentSource.TAG,
    ).order_by("-received_at")


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
            yield finding(FindingCode.DUPLICATE_ASSESSMENT, message, fix)


def repeated_mappings(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings of the same role and stage to the same assessment that are only written differently."""
    groups: dict[tuple[object, str, str], list[MappingRule]] = {}
    for rule in snapshot.mappings.rules:
        role = snapshot.role_names.find(rule.role) or normalize(rule.role) or comparable(rule.categories)
        stage = snapshot.stage_names.find(rule.stage) or normalize(rule.stage)
        meant = matching_assessments(rule.assessment, snapshot.assessments)
        assessment = meant[0].id if len(meant) == 1 else normalize(rule.assessment)
        groups.setdefault((role, stage, assessment), []).append(rule)
    for rules in groups.values():
        if len(rules) > 1:
            stage = "" if rules[0].is_for_any_stage else f" and “{rules[0].stage}”"
            written = listed(f"“{rule.subject}”" for rule in rules)
            message = (
                f"“{rules[0].subject}”{stage} has {len(rules)} mappings to the same assessment: {written}."
            )
            fix = "Keep one of these mappings."
            yield finding(FindingCode.DUPLICATE_MAPPING, message, fix)


def shared_titles(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield titles that several open roles have and a mapping names: it holds for all of them."""
    titles: dict[str, list[str]] = {}
    for role in snapshot.open_roles:
        titles.setdefault(normalize(role.title), []).append(role.title)
    mapped_titles = {normalize(rule.role) for rule in snapshot.mappings.rules if rule.role}
    for title, found in titles.items():
        if len(found) > 1 and title in mapped_titles:
            message = f"{counted(len(found), 'open role')} are called “{found[0]}”. The mapping applies to all of them."
            fix = "If they need different assessments, map each by its id, the end of its address in Lever."
            yield finding(FindingCode.DUPLICATE_ROLE, message, fix)


CHECKS = (
    unknown_assessments,
    ambiguous_assessments,
    unknown_roles,
    mappings_that_fit_no_role,
    hidden_mappings,
    unknown_stages,
    renamed_stages,
    unknown_candidate_tags,
    candidate_tags_not_on_role,
    same_named_assessments,
    repeated_mappings,
    shared_titles,
    roles_without_assessment,
)


def findings(organization: Organization) -> list[Finding]:
    """Return what is wrong with the organization's mappings and tags, empty when nothing is."""
    snapshot = LinterSnapshot(organization)
    return [one for check in CHECKS for one in islice(check(snapshot), MOST_PER_CHECK)]
