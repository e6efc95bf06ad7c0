"""Table rows: an invitation or a delivery with what its table shows beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from integrations.lever.payloads import StageChange
from integrations.models import Delivery, Invitation, Organization, Stage
from integrations.pages.activity.next_steps import next_step
from integrations.pages.activity.result_labels import latest_result_labels


@dataclass(frozen=True)
class InvitationRow:
    """An invitation, its latest result as a label, and the explanation and next step of its latest verdict."""

    invitation: Invitation
    result: str
    explanation: str
    next_step: str


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery, the name of the stage that the candidate entered, and the next step of its verdict."""

    delivery: Delivery
    stage_name: str
    next_step: str


def with_later_round(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Annotate each invitation with `has_later_round`: then the later round is the one to continue with."""
    later_rounds = Invitation.objects.filter(
        organization=OuterRef("organization"),
        opportunity_id=OuterRef("opportunity_id"),
        assessment_id=OuterRef("assessment_id"),
        round__gt=OuterRef("round"),
    )
    return invitations.annotate(has_later_round=Exists(later_rounds))


def with_latest_verdict(invitations: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Annotate each invitation with the `verdict` and `explanation` of its latest delivery from Lever."""
    deliveries = Delivery.objects.filter(
        invitation=OuterRef("pk"), platform=Delivery.Platform.LEVER
    ).order_by("-received_at", "-pk")
    return invitations.annotate(
        verdict=Subquery(deliveries.values("verdict")[:1]),
        explanation=Subquery(deliveries.values("explanation")[:1]),
    )


def invitation_rows(invitations: Iterable[Invitation]) -> list[InvitationRow]:
    """Return the table's rows; verdict and explanation are empty unless `with_latest_verdict` read them."""
    found = list(invitations)
    labels = latest_result_labels(found)
    return [
        InvitationRow(
            invitation,
            labels.get(invitation.pk, ""),
            getattr(invitation, "explanation", None) or "",
            next_step(getattr(invitation, "verdict", None) or "", invitation),
        )
        for invitation in found
    ]


def delivery_rows(organization: Organization, deliveries: Iterable[Delivery]) -> list[DeliveryRow]:
    """Return the table's rows; one query reads the names of all stages."""
    found = list(deliveries)
    stage_ids = {delivery.pk: _stage_id(delivery) for delivery in found}
    stages = Stage.objects.filter(organization=organization, external_id__in=filter(None, stage_ids.values()))
    names = dict(stages.values_list("external_id", "name"))
    return [
        DeliveryRow(
            delivery,
            names.get(stage_ids[delivery.pk], ""),
            next_step(delivery.verdict, delivery.invitation),
        )
        for delivery in found
    ]


def _stage_id(delivery: Delivery) -> str:
    return StageChange.from_payload(delivery.payload).to_stage_id
