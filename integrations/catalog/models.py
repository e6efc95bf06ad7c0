"""The catalog: copies of the platforms' lists, and which assessment belongs to which role."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.core.validators import MaxValueValidator
from django.db import models, transaction

from integrations.core.rules.mappings import Categories, MappingRule, named_categories
from integrations.core.vocabulary import Approval, Category
from integrations.organizations.models.organization import Organization
from integrations.organizations.models.policies import RULES, RuleGroup, rule, rules_of
from integrations.store import database
from integrations.store.columns import AS_LISTED, Holds, harmless, moment

BATCH = 500


class CatalogQuerySet[Entry: "CatalogEntry"](models.QuerySet[Entry]):
    """The entries of one list."""

    def live(self) -> Self:
        """Entries that the platform still lists."""
        return self.filter(gone_at__isnull=True)

    def replace_all(self, organization: Organization, entries: Mapping[str, Mapping[str, object]]) -> None:
        """Make the copy equal to the platform's list; entries that it no longer has are kept, marked gone.

        `entries` holds the columns to set, by the platform's id. A list that hasn't changed costs one query.
        """
        wanted = {external_id: {**columns, "gone_at": None} for external_id, columns in entries.items()}
        if self._is_equal(organization, wanted):
            return
        with transaction.atomic():
            # locked in one order: else two refreshes at once would wait for each other
            rows = (
                self.filter(organization=organization).order_by("external_id").select_for_update(of=("self",))
            )
            known = {entry.external_id: entry for entry in rows}
            for external_id, entry in known.items():
                columns = wanted.get(external_id)
                if columns is not None and not _has(entry, columns):
                    self.filter(pk=entry.pk).update(**columns)
            new = [
                self.model(organization=organization, external_id=external_id, **columns)
                for external_id, columns in sorted(wanted.items())
                if external_id not in known
            ]
            self.bulk_create(new, ignore_conflicts=True, batch_size=BATCH)
            gone = [
                entry.pk for entry in known.values() if not entry.gone_at and entry.external_id not in wanted
            ]
            self.filter(pk__in=gone).update(gone_at=database.now())

    def _is_equal(self, organization: Organization, wanted: Mapping[str, Mapping[str, object]]) -> bool:
        known = {entry.external_id: entry for entry in self.filter(organization=organization)}
        return wanted.keys() <= known.keys() and all(
            _has(entry, wanted[external_id]) if external_id in wanted else entry.gone_at is not None
            for external_id, entry in known.items()
        )


def _has(entry: "CatalogEntry", columns: Mapping[str, object]) -> bool:
    return all(getattr(entry, name) == value for name, value in columns.items())


class CatalogEntry(models.Model):
    """One entry of a platform's list, under the platform's own id."""

    external_id = harmless(models.CharField(max_length=200))
    gone_at = moment("When the platform stopped listing it.")

    objects = CatalogQuerySet.as_manager()

    class Meta:
        abstract = True


class Stage(CatalogEntry):
    """A pipeline stage in Lever; ids are strings, not always UUIDs."""

    HOLDS = Holds("Lever's stages", AS_LISTED)

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="stages"
    )
    name = harmless(models.CharField(max_length=300))
    former_name = harmless(
        models.CharField(max_length=300, blank=True, help_text="Its name before it was renamed in Lever.")
    )
    named_after = moment("When Lever last listed the stages without this one under this name.")
    named_before = moment("When Lever first listed it under this name.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["organization", "position"]
        constraints = [models.UniqueConstraint(fields=["organization", "external_id"], name="stage_once")]

    def __str__(self) -> str:
        return self.name


class Role(CatalogEntry):
    """A role the customer hires for: a posting in Lever."""

    HOLDS = Holds("Lever's postings", AS_LISTED)

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="roles"
    )
    title = harmless(models.CharField(max_length=300))
    state = harmless(
        models.CharField(max_length=40, blank=True, help_text="Lever's word: published, internal, closed, …")
    )
    tags = harmless(models.JSONField(default=list, blank=True))
    categories = harmless(
        models.JSONField(
            default=dict, blank=True, help_text="Lever's categories of the posting, each with its values."
        )
    )

    class Meta:
        ordering = ["organization", "title"]
        constraints = [models.UniqueConstraint(fields=["organization", "external_id"], name="role_once")]

    def __str__(self) -> str:
        return self.title

    @property
    def shown_categories(self) -> Categories:
        return read_categories(self.categories)


def read_categories(stored: Mapping[str, Sequence[str]]) -> Categories:
    """Return categories from the values of each, as a role's column holds them."""
    return frozenset((Category(code), value) for code, values in stored.items() for value in values)


class Assessment(CatalogEntry):
    """An assessment in CodeScreen."""

    HOLDS = Holds("CodeScreen's assessments", AS_LISTED)

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="assessments"
    )
    name = harmless(models.CharField(max_length=300))

    class Meta:
        ordering = ["organization", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "external_id"], name="assessment_once")
        ]

    def __str__(self) -> str:
        return self.name


# The mappings of an organization.


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
