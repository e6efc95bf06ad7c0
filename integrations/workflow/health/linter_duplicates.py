"""Findings on what is there twice: one name for two assessments, two mappings for one role, one title for two roles."""

from collections.abc import Iterator

from integrations.workflow.health.findings import Finding, counted, listed
from integrations.workflow.health.linter_snapshot import LinterSnapshot
from integrations.workflow.rules.assessments import matching_assessments
from integrations.workflow.rules.mapping_index import MappingRule
from integrations.workflow.rules.naming import normalize


def same_named_assessments(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield names that mean several assessments in CodeScreen, so that nobody is invited by them."""
    told: set[str] = set()
    for named in survey.names():
        found = matching_assessments(named.written, survey.assessments)
        key = normalize(named.written)
        if len(found) > 1 and key not in told:
            told.add(key)
            message = (
                f"CodeScreen has {len(found)} assessments called “{found[0].name}”, and {_begun(named.where)} "
                "can't say which is meant. Nobody is invited by it."
            )
            fix = "Rename one in CodeScreen, or write the assessment's id instead of its name."
            yield survey.finding("duplicate_assessment", message, fix)


def _begun(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def doubled_mappings(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings that say the same thing about the same role and stage in other words."""
    groups: dict[tuple[str, str, str], list[MappingRule]] = {}
    for mapping in survey.mappings.rules:
        role = survey.role_names.find(mapping.role) or normalize(mapping.role)
        stage = survey.stages.find(mapping.stage) or normalize(mapping.stage)
        meant = matching_assessments(mapping.assessment, survey.assessments)
        assessment = meant[0].id if len(meant) == 1 else normalize(mapping.assessment)
        groups.setdefault((role, stage, assessment), []).append(mapping)
    for rows in groups.values():
        if len(rows) > 1:
            stage = f" and “{rows[0].stage}”" if rows[0].stage.strip() else ""
            written = listed(f"“{row.role}”" for row in rows)
            message = (
                f"“{rows[0].role}”{stage} is mapped {len(rows)} times to the same assessment: as {written}."
            )
            yield survey.finding("duplicate_mapping", message, "Leave one of the mappings.", "info")


def shared_titles(survey: LinterSnapshot) -> Iterator[Finding]:
    """Yield titles that several open roles have, where a mapping by title is for all of them."""
    titles: dict[str, list[str]] = {}
    for role in survey.open_roles:
        titles.setdefault(normalize(role.title), []).append(role.title)
    mapped = {normalize(mapping.role) for mapping in survey.mappings.rules}
    for key, found in titles.items():
        if len(found) > 1 and key in mapped:
            message = (
                f"{counted(len(found), 'open role')} are called “{found[0]}”: the mapping is for all of them."
            )
            fix = "If they should differ, map each by its id, which its address in Lever ends with."
            yield survey.finding("duplicate_role", message, fix, "info")
