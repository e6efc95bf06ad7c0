"""Erasures: which people's data was removed, when, why and how much. The receipt names no person."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.core.vocabulary import FINAL_ERASURES, ErasureCause
from integrations.store.columns import Holds, harmless, moment, one_of
from integrations.store.database import is_there


class ErasureQuerySet(models.QuerySet["Erasure"]):
    """Erasures by what they forbid, and by whether they are complete."""

    def final(self) -> Self:
        """Erasures after which nothing personal about the opportunity may be stored again."""
        return self.filter(cause__in=FINAL_ERASURES)

    def forbids(self, organization_id: int, opportunity_id: str) -> bool:
        """Whether nothing personal about the opportunity may be stored."""
        places = ", ".join(["%s"] * len(FINAL_ERASURES))
        is_final = f"organization_id = %s AND opportunity_id = %s AND cause IN ({places})"
        key = organization_id, opportunity_id
        return bool(opportunity_id) and is_there(Erasure, is_final, *key, *FINAL_ERASURES)


class Erasure(models.Model):
    """The receipt of one opportunity's erasure: by table, how many rows were changed and how many stay without data."""

    HOLDS = Holds("the receipts of erasures: ids, times and counts", "for ever")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="erasures"
    )
    opportunity_id = harmless(models.CharField(max_length=200))
    cause = models.CharField(max_length=20, choices=ErasureCause.choices())
    erased_at = models.DateTimeField(db_default=Now(), help_text="When it was erased last.")
    repeated_at = moment("When it was repeated for what a worker still wrote; empty until then.")
    rows = harmless(
        models.JSONField(default=dict, blank=True, help_text="By table: how many rows were changed.")
    )
    kept = harmless(
        models.JSONField(
            default=dict,
            blank=True,
            help_text="By table: how many rows stay, with ids, codes, scores and times alone.",
        )
    )

    objects = ErasureQuerySet.as_manager()

    class Meta:
        ordering = ["-erased_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "opportunity_id"], name="erasure_once"),
            one_of("erasure_cause_known", "cause", ErasureCause),
            models.CheckConstraint(
                condition=~models.Q(opportunity_id=""), name="erasure_names_an_opportunity"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-erased_at"], name="erasure_recent"),
            models.Index(
                fields=["organization"],
                name="erasure_to_repeat",
                condition=models.Q(repeated_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"Erasure of {self.opportunity_id}"

    @property
    def is_final(self) -> bool:
        """Whether nothing personal about the opportunity may be stored again."""
        return self.cause in FINAL_ERASURES
