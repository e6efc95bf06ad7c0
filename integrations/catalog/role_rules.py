"""The rules of a role: those that a mapping may have of its own, and which hold for one candidate, from where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from integrations.catalog.models import NO_RULE, RoleMapping
from integrations.core.vocabulary import Approval, LabelledEnum, Origin, OriginRule, ReentryPolicy
from integrations.organizations.models.organization import (
    HOLD_FAILED_LABEL,
    STAGE_ON_PASS_LABEL,
    Organization,
)


def _in_days(days: int | None) -> str:
    return "not set" if days is None else f"{days} {'day' if days == 1 else 'days'}"


def _origins(origins: dict[str, str]) -> str:
    named = [f"{Origin(origin).label}: {OriginRule(rule).label.lower()}" for origin, rule in origins.items()]
    return ", ".join(named) or "all are sent"


@dataclass(frozen=True)
class RoleRule:
    """What is said of one of these rules: the column that holds it, its label, and a value in words."""

    name: str
    label: str
    in_words: Callable[[Any], str]


#: In the order in which pages show them.
ROLE_RULES = (
    RoleRule("approval", "Ask for an approval", lambda value: Approval(value).label),
    RoleRule("origins", "By the candidate's origin", _origins),
    RoleRule("reentry", "When somebody enters the stage again", lambda value: ReentryPolicy(value).label),
    RoleRule("reentry_days", "Days since completion before another round", _in_days),
    RoleRule("start_within_days", "CodeScreen's days to start", _in_days),
    RoleRule(
        "not_started_days",
        "Days until the tag says “Not Started Yet”",
        lambda value: _in_days(value) if value else "the tag stays",
    ),
    RoleRule(
        "passing_score",
        "Passing score where CodeScreen states no result",
        lambda value: "none" if value is None else str(value),
    ),
    RoleRule("passed_tag", "Tag for Passed", lambda value: value or "none"),
    RoleRule("failed_tag", "Tag for Failed", lambda value: value or "none"),
    RoleRule(
        "stage_on_pass", STAGE_ON_PASS_LABEL, lambda value: f"“{value}”" if value else "nobody is moved"
    ),
    RoleRule("hold_failed", HOLD_FAILED_LABEL, lambda value: "yes" if value else "no"),
)
LABELS = {rule.name: rule.label for rule in ROLE_RULES}


class RuleSource(LabelledEnum):
    """Where the rule stands that holds."""

    MAPPING = "mapping", "this mapping"
    ORGANIZATION = "organization", "the rules for all roles"


@dataclass(frozen=True)
class SourcedRule:
    """A rule that holds, with its value in words and where it comes from."""

    rule: RoleRule
    value: Any
    source: RuleSource

    @property
    def in_words(self) -> str:
        """The value as a person reads it."""
        return self.rule.in_words(self.value)


@dataclass(frozen=True)
class RoleRules:
    """The rules that hold for the candidates of one role, by their names in ROLE_RULES."""

    approval: Approval
    origins: dict[str, str]
    reentry: ReentryPolicy
    reentry_days: int
    start_within_days: int | None
    not_started_days: int
    passing_score: int | None
    passed_tag: str
    failed_tag: str
    stage_on_pass: str
    hold_failed: bool


def sourced_rules(organization: Organization, mapping: RoleMapping | None) -> Iterator[SourcedRule]:
    """Yield each rule with its value and where that comes from: the mapping, else the organization."""
    for rule in ROLE_RULES:
        own: Any = getattr(mapping, rule.name, None)
        # an organization has no rule on approvals but its bulk limit
        general: Any = getattr(organization, rule.name, Approval.ABOVE_LIMIT)
        if own in NO_RULE:
            yield SourcedRule(rule, general, RuleSource.ORGANIZATION)
        else:
            value = {**general, **own} if rule.name == "origins" else own
            yield SourcedRule(rule, value, RuleSource.MAPPING)


def role_rules(organization: Organization, mapping: RoleMapping | None) -> RoleRules:
    """Return the rules that hold for candidates whom this mapping led to their assessment; None for none."""
    values = {one.rule.name: one.value for one in sourced_rules(organization, mapping)}
    return RoleRules(**{field.name: values[field.name] for field in fields(RoleRules)})
