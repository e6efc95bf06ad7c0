"""The rules of a role: those that a mapping may have of its own, and which hold for one candidate, from where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from integrations.catalog.models.platform_lists import Assessment
from integrations.catalog.models.role_mapping import ASSESSMENT_RULES, NO_RULE, AssessmentRules, RoleMapping
from integrations.core.rules.names import KnownAssessment, is_named
from integrations.core.vocabulary import Approval, LabelledEnum, Origin, OriginRule, ReentryPolicy
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import STAGE_ON_PASS_LABEL


def _in_days(days: int | None) -> str:
    return "not set" if days is None else f"{days} {'day' if days == 1 else 'days'}"


def _origins(origins: dict[str, str]) -> str:
    named = [f"{one.label}: {OriginRule(origins[one]).label.lower()}" for one in Origin if one in origins]
    return ", ".join(named) or "all are sent"


def _quoted(text: str, otherwise: str) -> str:
    return f"“{text}”" if text else otherwise


@dataclass(frozen=True)
class RoleRule:
    """What is said of one of these rules: the column that holds it, its label, and a value in words."""

    name: str
    label: str
    in_words: Callable[[Any], str]


#: In the order in which pages show them.
_RULES = (
    RoleRule("approval", "Ask for approval", lambda value: Approval(value).label),
    RoleRule("origins", "By the candidate's origin", _origins),
    RoleRule("reentry", "When somebody enters the stage again", lambda value: ReentryPolicy(value).label),
    RoleRule("reentry_days", "Days after completion until it is sent again", _in_days),
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
    RoleRule("passed_tag", "Tag for Passed", lambda value: _quoted(value, "none")),
    RoleRule("failed_tag", "Tag for Failed", lambda value: _quoted(value, "none")),
    RoleRule("stage_on_pass", STAGE_ON_PASS_LABEL, lambda value: _quoted(value, "nobody is moved")),
)
#: What holds for all roles of a rule that only a mapping may have.
_WITHOUT_MAPPING = {"approval": Approval.ABOVE_LIMIT}
ROLE_RULES = {rule.name: rule for rule in _RULES}
LABELS = {rule.name: rule.label for rule in _RULES}


class RuleSource(LabelledEnum):
    """Where the rule stands that holds."""

    MAPPING = "mapping", "the mapping"
    ASSESSMENT = "assessment", "the assessment"
    ORGANIZATION = "organization", "all roles"


@dataclass(frozen=True)
class SourcedRule:
    """A rule that holds, with its value in words and where it comes from."""

    rule: RoleRule
    value: Any
    source: RuleSource

    @property
    def in_words(self) -> str:
        return self.rule.in_words(self.value)


class RoleRules:
    """The rules that hold for the candidates of one role: the mapping's own, else the assessment's, else the general.

    None stands for no mapping. `assessment` returns the rules of the assessment; it is asked once, and only for a rule
    that an assessment may have.
    """

    def __init__(
        self,
        organization: Organization,
        mapping: RoleMapping | None,
        assessment: Callable[[], AssessmentRules | None] = lambda: None,
    ) -> None:
        self._organization = organization
        self._mapping = mapping
        self._assessment = cache(assessment)

    def __iter__(self) -> Iterator[SourcedRule]:
        """Yield each rule with its value and where that comes from."""
        return map(self._sourced, ROLE_RULES.values())

    def _sourced(self, rule: RoleRule) -> SourcedRule:
        general: Any = getattr(self._organization, rule.name, _WITHOUT_MAPPING.get(rule.name))
        own: Any = getattr(self._mapping, rule.name, None)
        if own not in NO_RULE:
            value = {**general, **own} if rule.name == "origins" else own
            return SourcedRule(rule, value, RuleSource.MAPPING)
        if rule.name in ASSESSMENT_RULES:
            of_assessment = getattr(self._assessment(), rule.name, None)
            if of_assessment is not None:
                return SourcedRule(rule, of_assessment, RuleSource.ASSESSMENT)
        return SourcedRule(rule, general, RuleSource.ORGANIZATION)

    def _value(self, name: str) -> Any:
        return self._sourced(ROLE_RULES[name]).value

    @property
    def reentry(self) -> str:
        """The ReentryPolicy, for candidates who enter the stage again."""
        return str(self._value("reentry"))

    @property
    def reentry_days(self) -> int:
        """After how many days the assessment is sent again, where the policy counts days."""
        return int(self._value("reentry_days"))

    @property
    def not_started_days(self) -> int:
        """After so many days without a start the progress tag says so; 0 for never."""
        return int(self._value("not_started_days"))

    @property
    def passing_score(self) -> int | None:
        score: int | None = self._value("passing_score")
        return score

    @property
    def passed_tag(self) -> str:
        """The tag for who passed or meets the bar; empty for none."""
        return str(self._value("passed_tag"))

    @property
    def failed_tag(self) -> str:
        """The tag for who failed or is below the bar; empty for none."""
        return str(self._value("failed_tag"))

    @property
    def stage_on_pass(self) -> str:
        """The stage to which those are moved who passed or meet the bar; empty for none."""
        return str(self._value("stage_on_pass"))


def rules_of_assessment(organization: Organization, assessment: KnownAssessment) -> AssessmentRules | None:
    """Return the rules that name the assessment by id, else by name; None without any."""
    rows = list(AssessmentRules.objects.filter(organization=organization))
    if not rows:
        return None
    listed = Assessment.objects.filter(organization=organization, external_id=assessment.id).first()
    name = listed.name if listed else assessment.name
    by_id = [row for row in rows if row.assessment.strip() == assessment.id]
    named = by_id or [row for row in rows if is_named(row.assessment, assessment.id, name)]
    return named[0] if named else None
