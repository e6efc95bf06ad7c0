"""Copies of the platforms' lists: stages, roles and assessments."""

from collections.abc import Mapping, Sequence
from typing import Self

from django.db import models, transaction

from integrations.core.rules.mappings import Categories
from integrations.core.vocabulary import Category
from integrations.organizations.models.organization import Organization
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
