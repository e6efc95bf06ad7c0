"""What an organization says about roles and assessments: mappings, and rules of an assessment."""

from collections.abc import Mapping

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from integrations.core.rules.mappings import NO_OWN_RULES, MappingRule, SendingRules, named_categories
from integrations.core.vocabulary import Approval, Category, Origin, OriginRule, ReentryPolicy, Thresholds
from integrations.organizations.models.validators import check_origins, not_a_portal_tag
from integrations.store.personal import Holds, harmless

MAPPED_ALREADY = "This role already has an assessment for that stage."
ROLE_OR_CATEGORIES = "A mapping is for a role or for categories: fill in the role, or one category or more."
#: What the column of an own rule holds where it is left to the organization.
NO_RULE: tuple[object, ...] = (None, "", {}, [])
#: The columns of a mapping that hold its own rules.
OWN_RULES = (
    "approval",
    "reentry",
    "reentry_days",
    "origins",
    "not_started_days",
    "passing_score",
    "passed_tag",
    "failed_tag",
    "stage_on_pass",
)
#: The columns of a mapping that hold categories of a posting.
CATEGORY_COLUMNS = tuple(category.value for category in Category)
_NO_CATEGORY = models.Q(**dict.fromkeys(CATEGORY_COLUMNS, ""))


def _category() -> "models.CharField[str, str]":
    return harmless(models.CharField(max_length=300, blank=True))


def _own_days() -> "models.PositiveIntegerField[int | None, int | None]":
    return models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )


def _own_tag() -> "models.CharField[str, str]":
    return harmless(models.CharField(max_length=100, blank=True, validators=[not_a_portal_tag]))


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
    approval = models.CharField(max_length=20, blank=True, choices=Approval.choices())
    reentry = models.CharField(max_length=20, blank=True, choices=ReentryPolicy.choices())
    reentry_days = _own_days()
    origins = harmless(models.JSONField(default=dict, blank=True, validators=[check_origins]))
    not_started_days = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(3650)]
    )
    passing_score = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(100)]
    )
    passed_tag = _own_tag()
    failed_tag = _own_tag()
    stage_on_pass = harmless(models.CharField(max_length=300, blank=True))
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
        return mapping_rule(
            self.pk,
            self.role,
            self.stage,
            self.assessment,
            self.approval,
            self.reentry,
            self.reentry_days,
            *(getattr(self, column) for column in CATEGORY_COLUMNS),
            origins=self.origins,
        )

    @property
    def subject(self) -> str:
        """What it holds for, in words: the role as it was written, or the categories."""
        return self.rule.subject

    @property
    def has_own_rules(self) -> bool:
        return any(getattr(self, name) not in NO_RULE for name in OWN_RULES)


def mapping_rule(
    pk: int | None,
    role: str,
    stage: str,
    assessment: str,
    approval: str,
    reentry: str,
    reentry_days: int | None,
    *categories: str,
    origins: Mapping[str, str],
) -> MappingRule:
    """Return a mapping's columns as the rules read them; `categories` in the order of CATEGORY_COLUMNS."""
    own = NO_OWN_RULES
    if approval or reentry or reentry_days is not None or origins:
        own = SendingRules(
            approval=Approval(approval) if approval else None,
            reentry=ReentryPolicy(reentry) if reentry else None,
            reentry_days=reentry_days,
            origins=frozenset((Origin(origin), OriginRule(rule)) for origin, rule in origins.items()),
        )
    named = named_categories(categories)
    return MappingRule(role, stage, assessment, named, own, pk)


#: The columns of AssessmentRules that hold its rating thresholds: all three, or none.
THRESHOLDS = ("rating_2_from", "rating_3_from", "rating_4_from")
#: The rules that an assessment may have beside them, by their names in ROLE_RULES.
ASSESSMENT_RULES = ("passing_score",)


def _score() -> "models.PositiveSmallIntegerField[int | None, int | None]":
    return models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(100)])


class AssessmentRules(models.Model):
    """What holds for one assessment: the lowest scores for the ratings 2, 3 and 4, and the bar.

    `assessment` holds a name or an id, as a person or a configuration file gave it. It is resolved when used: a file
    can be loaded before CodeScreen is connected, and the linter reports a name that matches nothing.
    """

    HOLDS = Holds("which score is which rating, and the bar", "until it is deleted")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="assessment_rules"
    )
    assessment = harmless(models.CharField(max_length=300, help_text="A CodeScreen assessment's name or id."))
    rating_2_from = _score()
    rating_3_from = _score()
    rating_4_from = _score()
    passing_score = _score()

    class Meta:
        verbose_name = verbose_name_plural = "rules of an assessment"
        ordering = ["organization", "assessment"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "assessment"],
                name="assessment_rules_once",
                violation_error_message="This assessment has rules already.",
            ),
            models.CheckConstraint(condition=~models.Q(assessment=""), name="assessment_rules_complete"),
            models.CheckConstraint(
                condition=models.Q(**{f"{name}__isnull": True for name in THRESHOLDS})
                | models.Q(
                    **{f"{name}__isnull": False for name in THRESHOLDS},
                    rating_2_from__lte=models.F("rating_3_from"),
                    rating_3_from__lte=models.F("rating_4_from"),
                ),
                name="assessment_rules_rise",
                violation_error_message="Rating thresholds must rise from 2 to 4. Give all three, or none.",
            ),
            models.CheckConstraint(
                condition=models.Q(rating_4_from__isnull=False) | models.Q(passing_score__isnull=False),
                name="assessment_rules_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return self.assessment

    @property
    def thresholds(self) -> Thresholds | None:
        """The lowest scores for the ratings 2, 3 and 4; None where the organization's count."""
        if self.rating_2_from is None or self.rating_3_from is None or self.rating_4_from is None:
            return None
        return self.rating_2_from, self.rating_3_from, self.rating_4_from
