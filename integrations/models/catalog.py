"""Local copies of what the two platforms list: stages, roles (Lever's postings) and assessments."""

from collections.abc import Iterable
from typing import Any

from django.db import models, transaction
from django.utils import timezone


class CatalogQuerySet(models.QuerySet[Any]):
    """Copies of one platform list."""

    def live(self) -> "CatalogQuerySet":
        """Those the platform still lists."""
        return self.filter(gone_at__isnull=True)

    def replace_all(self, organization: Any, rows: Iterable[dict[str, Any]]) -> None:
        """Make the copy equal to what the platform lists now; what is gone is kept, marked gone.

        Each row has `external_id` and the columns to set.
        """
        rows = list(rows)
        with transaction.atomic():
            seen = []
            for row in rows:
                values = {key: value for key, value in row.items() if key != "external_id"} | {
                    "gone_at": None
                }
                self.update_or_create(
                    organization=organization, external_id=row["external_id"], defaults=values
                )
                seen.append(row["external_id"])
            self.filter(organization=organization, gone_at__isnull=True).exclude(external_id__in=seen).update(
                gone_at=timezone.now()
            )


class CatalogEntry(models.Model):
    """One entry of a platform's list, under the platform's own id."""

    external_id = models.CharField(max_length=200)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="When the platform stopped listing it.")

    objects = CatalogQuerySet.as_manager()

    class Meta:
        abstract = True


class Stage(CatalogEntry):
    """A pipeline stage in Lever; ids are strings, not always UUIDs."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="stages"
    )
    name = models.CharField(max_length=300)
    former_name = models.CharField(
        max_length=300, blank=True, help_text="What it was called before it was renamed in Lever."
    )
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["organization", "position"]
        constraints = [models.UniqueConstraint(fields=["organization", "external_id"], name="stage_once")]

    def __str__(self) -> str:
        return self.name


class Role(CatalogEntry):
    """A role the customer hires for: a posting in Lever."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="roles"
    )
    title = models.CharField(max_length=300)
    state = models.CharField(
        max_length=40, blank=True, help_text="Lever's word: published, internal, closed, …"
    )
    tags = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["organization", "title"]
        constraints = [models.UniqueConstraint(fields=["organization", "external_id"], name="role_once")]

    def __str__(self) -> str:
        return self.title


class Assessment(CatalogEntry):
    """An assessment in CodeScreen."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="assessments"
    )
    name = models.CharField(max_length=300)

    class Meta:
        ordering = ["organization", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "external_id"], name="assessment_once")
        ]

    def __str__(self) -> str:
        return self.name
