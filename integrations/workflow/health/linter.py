"""Findings on mappings and tags: names that mean nothing, names that mean too much, roles that lead nowhere.

A name is only called unknown once the platform's list has been read.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice

from django.utils import timezone

from integrations.models import Delivery, Organization
from integrations.vocabulary import AssessmentSource
from integrations.workflow.health import linter_duplicates
from integrations.workflow.health.findings import Finding, counted, listed
from integrations.workflow.health.linter_snapshot import LinterSnapshot, NameIndex
from integrations.workflow.rules.assessments import matching_assessments
from integrations.workflow.rules.naming import normalize

TAG_MEMORY = timedelta(days=30)
MOST_TOLD = 500
MOST_PER_CODE = 50  # for a person to read; a longer list is one mistake made many times


def findings(organization: Organization) -> list[Finding]:
    """Return what is wrong with the organization's mappings and tags; nothing when all is well."""
    survey = LinterSnapshot(organization)
    checks = (
        unknown_assessments,
        ambiguous_assessments,
        unknown_roles,
        unknown_stages,
        renamed_stages,
        unknown_candidate_tags,
        tags_on_candidates_alone,
        linter_duplicates.same_named_assessments,
        linter_duplicates.doubled_mappings,
        linter_duplicates.shared_titles,
        roles_without_assessment,
    )
    return [finding for check in checks for finding in islice(check(survey), MOST_PER_CODE)]


def unknown_assessments(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield where a name means no assessment that CodeScreen lists now."""
    live = NameIndex((assessment.id, assessment.name) for assessment in survey.assessments)
    for named in survey.names() if survey.knows_assessments else ():
        if matching_assessments(named.written, survey.assessments):
            continue
        what = (
            "is no longer in CodeScreen"
            if matching_assessments(named.written, survey.gone)
            else "CodeScreen doesn't have"
        )
        message = f"{named.where} names “{named.written}”, which {what}.{live.hint(named.written)}"
        yield survey.finding("unknown_assessment", message, named.fix)


def ambiguous_assessments(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield roles that are given several different assessments at once."""
    for role in survey.open_roles:
        written: dict[str, list[str]] = {}
        for rule in survey.rules_for(role):
            stage = survey.stages.find(rule.stage) or normalize(rule.stage)
            written.setdefault(stage, []).append(rule.assessment)
        # a mapping for every stage wins over the tags
        if "" not in written:
            written["tags"] = list(survey.tags[role.pk])
        for names in written.values():
            meant = {
                choice.id: choice.name
                for name in names
                for choice in matching_assessments(name, survey.assessments)
            }
            if len({normalize(name) for name in meant.values()}) > 1:  # one name for two is said by itself
                quoted = listed(f"“{name}”" for name in meant.values())
                message = (
                    f"“{role.title}” has several assessments: {quoted}. Nobody is invited while it does."
                )
                fix = "Leave one of them, in the role's tags in Lever or in the mappings."
                yield survey.finding("ambiguous_assessment", message, fix)


def unknown_roles(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings whose role Lever doesn't list."""
    for mapping in survey.mappings.rules if survey.knows_roles else ():
        if not survey.role_names.find(mapping.role):
            hint = survey.role_names.hint(mapping.role)
            message = f"The mapping for “{mapping.role}” names a role that Lever doesn't list.{hint}"
            yield survey.finding("unknown_role", message, "Choose the role again, or remove the mapping.")


def unknown_stages(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings whose stage Lever doesn't list, as after a rename."""
    for mapping in survey.mappings.rules if survey.knows_stages else ():
        if mapping.stage.strip() and not survey.stages.find(mapping.stage):
            name = survey.renamed.get(normalize(mapping.stage), "")
            guess = f"perhaps it was renamed.{survey.stages.hint(mapping.stage)}"
            why = f"it was renamed to “{name}”." if name else guess
            message = (
                f"The mapping for “{mapping.role}” names the stage “{mapping.stage}”, which Lever doesn't list; "
                f"{why}"
            )
            yield survey.finding("unknown_stage", message, "Choose the stage again.")


def renamed_stages(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield stages that invited until they were renamed."""
    prefix = survey.organization.stage_prefix
    policy = survey.trigger_policy
    for stage in survey.live_stages:
        if not policy.has_prefix(stage.former_name):
            continue
        if not policy.is_trigger(stage.external_id, stage.name):
            message = (
                f"“{stage.former_name}” is called “{stage.name}” in Lever now: entering it no longer invites."
            )
            fix = f"Rename it in Lever so that it begins with “{prefix}”, or name the stage in a mapping."
            yield survey.finding("renamed_stage", message, fix)


def unknown_candidate_tags(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield tags on candidates that named no assessment when they entered the stage, and still name none."""
    told = Delivery.objects.filter(
        organization=survey.organization,
        verdict=Delivery.Verdict.UNKNOWN_ASSESSMENT,
        received_at__gte=timezone.now() - TAG_MEMORY,
        assessment_source=AssessmentSource.TAG,
    ).order_by("-received_at")
    on_roles = {normalize(name) for role in survey.open_roles for name in survey.tags[role.pk]}
    candidates: dict[str, set[str]] = {}
    for opportunity, name in told.values_list("opportunity_id", "assessment_written")[:MOST_TOLD]:
        if name and normalize(name) not in on_roles and not matching_assessments(name, survey.assessments):
            candidates.setdefault(name, set()).add(opportunity)
    live = NameIndex((assessment.id, assessment.name) for assessment in survey.assessments)
    for name, who in candidates.items():
        where = f"The tag “CodeScreen {name}” on {counted(len(who), 'candidate')}"
        message = f"{where}, and not on their role, names no assessment that CodeScreen has.{live.hint(name)}"
        fix = "Correct the tag on the candidate in Lever, then move them into the stage again."
        yield survey.finding("unknown_candidate_tag", message, fix, "info")


def tags_on_candidates_alone(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield roles whose candidates were invited by tags of their own, which the role itself doesn't have."""
    sent = Delivery.objects.filter(
        organization=survey.organization,
        verdict=Delivery.Verdict.INVITE,
        received_at__gte=timezone.now() - TAG_MEMORY,
        assessment_source=AssessmentSource.TAG,
    ).order_by("-received_at")
    roles = {role.external_id: role for role in survey.open_roles if not survey.rules_for(role)}
    who: dict[tuple[str, str], set[str]] = {}
    columns = (
        "invitation__role_id",
        "invitation__assessment_id",
        "invitation__assessment_name",
        "opportunity_id",
    )
    for role_id, assessment_id, name, opportunity in sent.values_list(*columns)[:MOST_TOLD]:
        role = roles.get(role_id)
        tagged = survey.tags[role.pk] if role else ()
        if role and assessment_id not in {
            found.id for tag in tagged for found in matching_assessments(tag, survey.assessments)
        }:
            who.setdefault((role_id, name), set()).add(opportunity)
    instead = "the default" if survey.organization.default_assessment.strip() else "nothing"
    for (role_id, name), candidates in who.items():
        message = (
            f"The tag “CodeScreen {name}” is on {counted(len(candidates), 'candidate')} of “{roles[role_id].title}” "
            f"and not on the role: candidates without it get {instead}."
        )
        fix = "Tag the role in Lever too, or map it, if all of its candidates should get it."
        yield survey.finding("candidate_tag_alone", message, fix, "info")


def roles_without_assessment(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield one finding on the open roles that neither a mapping nor a tag nor the default covers."""
    if survey.organization.default_assessment.strip():
        return
    bare = [role for role in survey.open_roles if not survey.tags[role.pk] and not survey.rules_for(role)]
    if bare:
        quoted = listed(f"“{role.title}”" for role in bare)
        message = f"Open roles without an assessment: {quoted}. Their candidates are not invited."
        fix = "Map them, tag them in Lever with “CodeScreen {assessment name}”, or set a default assessment."
        yield survey.finding("role_without_assessment", message, fix, "info")
