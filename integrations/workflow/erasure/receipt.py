"""The receipt of an erasure: what was changed, and what stays."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count

from integrations.http.json_types import JsonObject
from integrations.models import Effect, Erasure, Organization
from integrations.vocabulary import ErasureCause
from integrations.workflow.effects.registry import EFFECT_KINDS


@dataclass(frozen=True)
class Receipt:
    """One opportunity's erasure. `rows` and `kept` count rows by table; `is_new` is False when nothing was done now."""

    erasure_id: int
    organization_id: int
    opportunity_id: str
    cause: ErasureCause
    erased_at: datetime
    rows: dict[str, int]
    kept: dict[str, int]
    is_new: bool = False

    @classmethod
    def of(cls, erasure: Erasure, *, is_new: bool = False) -> "Receipt":
        """Return the stored receipt."""
        return cls(
            erasure.pk,
            erasure.organization_id,
            erasure.opportunity_id,
            ErasureCause(erasure.cause),
            erasure.erased_at,
            dict(erasure.rows),
            dict(erasure.kept),
            is_new,
        )

    def to_json(self) -> JsonObject:
        """Return the receipt as `forget` and `export erasures` print it."""
        return {
            "opportunity_id": self.opportunity_id,
            "erased_at": self.erased_at.astimezone(UTC).isoformat(),
            "cause": self.cause.value,
            "rows": self.rows,
            "kept": self.kept,
            "sent_to": self.copies(),
        }

    def copies(self) -> dict[str, int]:
        """Return how many e-mails, alerts and invitations about the person were sent, by where a copy stays."""
        sent = Effect.objects.filter(
            organization=self.organization_id, opportunity_id=self.opportunity_id, state=Effect.State.DONE
        )
        copied = [kind for kind, record in EFFECT_KINDS.items() if record.copy_stays_in]
        counted = sent.filter(kind__in=copied).order_by("kind").values_list("kind").annotate(Count("pk"))
        return {EFFECT_KINDS[kind].copy_stays_in: count for kind, count in counted}


def stored_receipt(organization: Organization, opportunity_id: str) -> Receipt | None:
    """Return the receipt of the opportunity's erasure, None when it wasn't erased."""
    erasure = Erasure.objects.filter(organization=organization, opportunity_id=opportunity_id).first()
    return Receipt.of(erasure) if erasure else None
