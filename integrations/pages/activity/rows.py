"""Table rows: a candidate, an invitation, a delivery or an effect with what its table shows beside it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from integrations.lever.payloads import StageChange
from integrations.models import Candidate, Delivery, Effect, Invitation, Organization, Result, Stage
from integrations.models.verdict import next_step
from integrations.pages.activity.standing import Standing, standing_of
from integrations.workflow.effects.kinds.feedback import results_of
from integrations.workflow.effects.registry import kind_of
from integrations.workflow.operations.chosen import why_not_invitable


@dataclass(frozen=True)
class CandidateRow:
    """A candidate, where they stand, and why: the verdict's explanation, its next step and the result's label.

    An Admin may choose to invite one who `may_be_invited`.
    """

    candidate: Candidate
    standing: Standing
    explanation: str
    next_step: str
    result: str
    may_be_invited: bool


@dataclass(frozen=True)
class InvitationRow:
    """An invitation, its latest result as a label, and the explanation and next step of its latest verdict."""

    invitation: Invitation
    result: str
    explanation: str
    next_step: str


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery, the name of the stage that the candidate entered, its next step, and the candidate if known."""

    delivery: Delivery
    stage_name: str
    next_step: str
    candidate: Candidate | None


@dataclass(frozen=True)
class EffectRow:
    """An effect, what it writes, and the candidate if known."""

    effect: Effect
    written: str
    candidate: Candidate | None


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


def candidate_rows(candidates: Iterable[Candidate]) -> list[CandidateRow]:
    """Return the table's rows; one query reads the results."""
    found = list(candidates)
    results = _latest_results([one.invitation for one in found if one.invitation])
    rows = []
    for candidate in found:
        delivery, invitation = candidate.delivery, candidate.invitation
        result = results.get(invitation.pk) if invitation else None
        rows.append(
            CandidateRow(
                candidate,
                standing_of(candidate, result),
                delivery.explanation if delivery else "",
                next_step(delivery.verdict if delivery else "", invitation),
                result.label if result else "",
                not why_not_invitable(candidate),
            )
        )
    return rows


def invitation_rows(invitations: Iterable[Invitation]) -> list[InvitationRow]:
    """Return the table's rows; verdict and explanation are empty unless `with_latest_verdict` read them."""
    found = list(invitations)
    labels = _latest_result_labels(found)
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
    """Return the table's rows; one query reads the names of all stages, one those of all candidates."""
    found = list(deliveries)
    stage_ids = {delivery.pk: _stage_id(delivery) for delivery in found}
    stages = Stage.objects.filter(organization=organization, external_id__in=filter(None, stage_ids.values()))
    names = dict(stages.values_list("external_id", "name"))
    candidates = candidates_of(organization, found)
    return [
        DeliveryRow(
            delivery,
            names.get(stage_ids[delivery.pk], ""),
            next_step(delivery.verdict, delivery.invitation),
            candidates.get(delivery.opportunity_id),
        )
        for delivery in found
    ]


def effect_rows(organization: Organization, effects: Iterable[Effect]) -> list[EffectRow]:
    """Return the table's rows; one query reads the names of all candidates, one all results."""
    found = list(effects)
    candidates, results = candidates_of(organization, found), results_of(found)
    return [
        EffectRow(
            effect,
            kind_of(effect).brief(effect, results.get(effect.pk)),
            candidates.get(effect.opportunity_id),
        )
        for effect in found
    ]


def candidates_of(
    organization: Organization, rows: Iterable[Delivery | Effect | Invitation]
) -> dict[str, Candidate]:
    """Return the candidates whom these rows are about, by their opportunity's id; one query."""
    ids = {row.opportunity_id for row in rows if row.opportunity_id}
    found = Candidate.objects.filter(organization=organization, opportunity_id__in=ids)
    return {candidate.opportunity_id: candidate for candidate in found}


def _stage_id(delivery: Delivery) -> str:
    return StageChange.from_payload(delivery.payload).to_stage_id


def _latest_results(invitations: Collection[Invitation]) -> dict[int, Result]:
    """Return each invitation's latest result by the invitation's id; one query."""
    completed = [invitation.pk for invitation in invitations if invitation.completed_at]
    if not completed:
        return {}
    results = Result.objects.filter(invitation__in=completed).defer("metadata").order_by("attempt")
    return {result.invitation_id: result for result in results}


def _latest_result_labels(invitations: Collection[Invitation]) -> dict[int, str]:
    """Return the label of each invitation's latest result by the invitation's id; one query."""
    return {pk: result.label for pk, result in _latest_results(invitations).items()}
