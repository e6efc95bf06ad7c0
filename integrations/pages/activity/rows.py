"""Table rows: a candidate and where they stand, an invitation, a delivery or an effect, with what its table shows."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from integrations.catalog.models import Stage
from integrations.core.verdict_code import NOT_INVITED_VERDICTS, WAITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import ResultOutcome, Tone
from integrations.effects.kinds.feedback import results_of
from integrations.effects.perform import kind_of
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.acts.chosen import why_not_invitable
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.payloads import StageChange
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect


@dataclass(frozen=True)
class Standing:
    """The outcome in a word or two, what it means, what is next, and its reason; the last two may be empty."""

    text: str
    tone: Tone
    next: str = ""
    reason: str = ""

    @property
    def whole(self) -> str:
        """The outcome with its reason."""
        return f"{self.text}: {self.reason}" if self.reason else self.text


BEING_DECIDED = Standing("Being decided", Tone.INFO, "Decided automatically")


def standing_of(candidate: Candidate, result: Result | None) -> Standing:
    """Return where the candidate stands, by the latest invitation and its latest result, else by the verdict."""
    verdict = candidate.delivery.verdict if candidate.delivery else ""
    if candidate.invitation is None:
        if candidate.delivery is not None and candidate.delivery.due_at is not None:
            return BEING_DECIDED
        return without_invitation(verdict)
    standing = standing_of_invitation(candidate.invitation, result)
    if candidate.delivery is None or candidate.delivery.invitation_id == candidate.invitation_id:
        return standing
    if verdict not in NOT_INVITED_VERDICTS:
        return standing
    # a later entry into a stage led to nothing, and what there was before stays
    return replace(standing, next=f"Not invited again: {VerdictCode(verdict).record.phrase}", reason="")


def without_invitation(verdict: str) -> Standing:
    """Return where a candidate stands who has no invitation."""
    if not verdict or verdict not in (*NOT_INVITED_VERDICTS, *WAITING_VERDICTS):
        return BEING_DECIDED
    record = VerdictCode(verdict).record
    text = "Waiting" if verdict in WAITING_VERDICTS else "Not invited"
    return Standing(text, record.tone, record.waits_for, record.phrase)


def standing_of_invitation(invitation: Invitation, result: Result | None) -> Standing:
    """Return where an invitation stands."""
    if invitation.status == Invitation.Status.COMPLETED:
        return _completed(invitation, result)
    words = invitation.words
    return Standing(words.label, words.tone, words.waits_for)


def _completed(invitation: Invitation, result: Result | None) -> Standing:
    words = invitation.words
    outcome = ResultOutcome(result.outcome) if result and result.outcome else None
    text = " ".join(filter(None, [outcome or words.label, result.score_text if result else ""]))
    if invitation.awaits_decision_since is not None:
        following = "Decide about them"
    else:
        following = "Result is in Lever" if invitation.feedback_id else "Result goes to Lever"
    return Standing(text, outcome.tone if outcome else words.tone, following)


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
    results = _latest_results(found)
    return [
        InvitationRow(
            invitation,
            results[invitation.pk].label if invitation.pk in results else "",
            getattr(invitation, "explanation", None) or "",
            next_step(getattr(invitation, "verdict", None) or "", invitation),
        )
        for invitation in found
    ]


def delivery_rows(organization: Organization, deliveries: Iterable[Delivery]) -> list[DeliveryRow]:
    """Return the table's rows; one query reads the names of all stages, one those of all candidates."""
    found = list(deliveries)
    stage_ids = {delivery.pk: StageChange.from_payload(delivery.payload).to_stage_id for delivery in found}
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
    """Return the candidates that these rows are about, by their opportunity's id; one query."""
    ids = {row.opportunity_id for row in rows if row.opportunity_id}
    found = Candidate.objects.filter(organization=organization, opportunity_id__in=ids)
    return {candidate.opportunity_id: candidate for candidate in found}


def _latest_results(invitations: Collection[Invitation]) -> dict[int, Result]:
    """Return each invitation's latest result by the invitation's id; one query."""
    completed = [invitation.pk for invitation in invitations if invitation.completed_at]
    if not completed:
        return {}
    results = Result.objects.filter(invitation__in=completed).defer("metadata").order_by("attempt")
    return {result.invitation_id: result for result in results}
