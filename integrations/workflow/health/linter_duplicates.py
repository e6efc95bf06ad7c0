"""Findings on duplicates: one name for two assessments, one mapping written twice, one title for two roles."""

from collections.abc import Iterator

from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.linter_snapshot import LinterSnapshot
from integrations.workflow.health.wording import counted, listed
from integrations.workflow.rules.assessments import matching_assessments
from integrations.workflow.rules.mapping_index import MappingRule
from integrations.workflow.rules.naming import normalize


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
                f"{_in_mid_sentence(mention.where)} invites nobody."
            )
            fix = "Rename one of them in CodeScreen, or use the assessment's id instead of its name."
            yield snapshot.finding(FindingCode.DUPLICATE_ASSESSMENT, message, fix)


def _in_mid_sentence(phrase: str) -> str:
    return phrase[:1].lower() + phrase[1:]


def repeated_mappings(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield mappings of the same role and stage to the same assessment that are only written differently."""
    groups: dict[tuple[str, str, str], list[MappingRule]] = {}
    for rule in snapshot.mappings.rules:
        role = snapshot.role_names.find(rule.role) or normalize(rule.role)
        stage = snapshot.stage_names.find(rule.stage) or normalize(rule.stage)
        meant = matching_assessments(rule.assessment, snapshot.assessments)
        assessment = meant[0].id if len(meant) == 1 else normalize(rule.assessment)
        groups.setdefault((role, stage, assessment), []).append(rule)
    for rules in groups.values():
        if len(rules) > 1:
            stage = "" if rules[0].is_for_any_stage else f" and “{rules[0].stage}”"
            written = listed(f"“{rule.role}”" for rule in rules)
            message = f"“{rules[0].role}”{stage} has {len(rules)} mappings to the same assessment: {written}."
            fix = "Keep one of these mappings."
            yield snapshot.finding(FindingCode.DUPLICATE_MAPPING, message, fix, Level.INFO)


def shared_titles(snapshot: LinterSnapshot) -> Iterator[Finding]:
    """Yield titles that several open roles have and a mapping names: it holds for all of them."""
    titles: dict[str, list[str]] = {}
    for role in snapshot.open_roles:
        titles.setdefault(normalize(role.title), []).append(role.title)
    mapped_titles = {normalize(rule.role) for rule in snapshot.mappings.rules}
    for title, found in titles.items():
        if len(found) > 1 and title in mapped_titles:
            message = f"{counted(len(found), 'open role')} are called “{found[0]}”. The mapping applies to all of them."
            fix = "If they need different assessments, map each by its id, the end of its address in Lever."
            yield snapshot.finding(FindingCode.DUPLICATE_ROLE, message, fix, Level.INFO)
