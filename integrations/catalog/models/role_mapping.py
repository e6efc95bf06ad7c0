"""Which assessment belongs to which role: the mappings of an organization."""

from typing import Any

from django.core.validators import MaxValueValidator
from django.db import models

from integrations.core.rules.mappings import MappingRule, named_categories
from integrations.core.vocabulary import Approval, Category
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import RULES, RuleGroup, rule, rules_of
from integrations.store.columns import Holds, harmless

MAPPED_ALREADY = "This role already has an assessment for that stage."
ROLE_OR_CATEGORIES = "A mapping is for a role or for categories: fill in the role, or one category or more."
#: What the column of an own rule holds where it is left to the organization.
NO_RULE: tuple[object, ...] = (None, "")
#: The columns of a mapping that hold categories of a posting.
CATEGORY_COLUMNS = tuple(category.value for category in Category)
_NO_CATEGORY = models.Q(**dict.fromkeys(CATEGORY_COLUMNS, ""))


def _category() -> "models.CharField[str, str]":
    return harmless(models.CharField(max_length=300, blank=True))


class RoleMapping(models.Model):
    """Role × stage (or any CodeScreen stage) → assessment; or, instead of a role, Lever's categories of a posting.

    It may have rules of its own (OWN_RULES), for its candidates; what is empty there is left to the organization.

    Each column holds a name or an id, as a person or a configuration file gave it. It is resolved when used: a file can
    be loaded before Lever is connected, and the linter reports a name that matches nothing.
    """

    HOLDS = Holds("which assessment belongs to which role", "until it is deleted")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="role_mappings"
    )
    role = harmless(
        models.CharField(
            max_length=300,
            blank=True,
            help_text="A Lever posting's title or id; empty where categories stand instead.",
        )
    )
    department = _category()
    team = _category()
    location = _category()
    level = _category()
    commitment = _category()
    stage = harmless(
        models.CharField(
            max_length=300,
            blank=True,
            help_text="A stage's name or id; empty means any stage that begins with the prefix.",
        )
    )
    assessment = harmless(models.CharField(max_length=300, help_text="A CodeScreen assessment's name or id."))
    approval = rule(
        RuleGroup.OWN,
        models.CharField("Ask for approval", max_length=20, blank=True, choices=Approval.choices()),
    )
    passing_score = rule(
        RuleGroup.OWN,
        models.PositiveSmallIntegerField(
            RULES["passing_score"].verbose_name, null=True, blank=True, validators=[MaxValueValidator(100)]
        ),
    )
    stage_on_pass = rule(
        RuleGroup.OWN, models.CharField(RULES["stage_on_pass"].verbose_name, max_length=300, blank=True)
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["organization", "role", "stage", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "role", *CATEGORY_COLUMNS, "stage"],
                name="role_mapping_once",
                violation_error_message=MAPPED_ALREADY,
            ),
            models.CheckConstraint(condition=~models.Q(assessment=""), name="role_mapping_complete"),
            models.CheckConstraint(
                condition=models.Q(passing_score__isnull=True) | models.Q(passing_score__range=(0, 100)),
                name="role_mapping_passing_score_range",
            ),
            models.CheckConstraint(
                condition=(~models.Q(role="") & _NO_CATEGORY) | (models.Q(role="") & ~_NO_CATEGORY),
                name="role_mapping_for_role_or_categories",
                violation_error_message=ROLE_OR_CATEGORIES,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} × {self.stage or 'any CodeScreen stage'} → {self.assessment}"

    @property
    def rule(self) -> MappingRule:
        return MappingRule(
            self.role,
            self.stage,
            self.assessment,
            named_categories(getattr(self, column) for column in CATEGORY_COLUMNS),
            Approval(self.approval or Approval.ABOVE_LIMIT),
            self.pk,
            tuple(getattr(self, name) for name in OWN_RULES if name != "approval"),
        )

    @property
    def subject(self) -> str:
        """What it holds for, in words: the role as it was written, or the categories."""
        return self.rule.subject

    @property
    def has_own_rules(self) -> bool:
        return any(getattr(self, name) not in NO_RULE for name in OWN_RULES)


#: The columns of a mapping that hold its own rules.
OWN_RULES = rules_of(RoleMapping, RuleGroup.OWN)


def rule_for(organization: Organization, mapping: RoleMapping | None, name: str) -> Any:
    """Return the rule of this name that holds for the candidates of a mapping: its own, else the organization's.

    None stands for no mapping, or one that was deleted.
    """
    for row in (mapping, organization):
        value = getattr(row, name, None)
        if isinstance(value, str):
            value = value.strip()
        if value not in NO_RULE:
            break
    return value
