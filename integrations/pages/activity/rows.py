"""The rows of a table of candidates: each with where they stand and why."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.verdict_code import NOT_INVITED_VERDICTS, WAITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import Tone
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.inbox.today import Changed, Today
from integrations.invitations.acts.chosen import why_not_invitable
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect


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


def standing_of(
    candidate: Candidate, result: Result | None, changed: Changed | None = None, *, is_written: bool = True
) -> Standing:
    """Return where the candidate stands, by the latest invitation and its latest result, else by the verdict.

    The verdict is that of now where it `changed`. `is_written`: no feedback waits to be written.
    """
    verdict = candidate.delivery.verdict if candidate.delivery else ""
    if candidate.invitation is None:
        if candidate.delivery is not None and candidate.delivery.due_at is not None:
            return BEING_DECIDED
        if changed is not None and changed.is_freed:
            return Standing("Not invited", Tone.WARN, "An Admin invites them", changed.phrase)
        return without_invitation(changed.record.code if changed else verdict)
    standing = standing_of_invitation(candidate.invitation, result, is_written=is_written)
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


def standing_of_invitation(invitation: Invitation, result: Result | None, *, is_written: bool) -> Standing:
    """Return where an invitation stands."""
    words = invitation.words
    if invitation.status != Invitation.Status.COMPLETED:
        return Standing(words.label, words.tone, words.waits_for)
    said = result.said if result else None
    text = (
        result.in_words if result and said else f"{words.label} {result.score_text if result else ''}".strip()
    )
    following = "Result is in Lever" if invitation.feedback_id and is_written else "Result goes to Lever"
    return Standing(text, said.tone if said else words.tone, following)


@dataclass(frozen=True)
class CandidateRow:
    """A candidate, where they stand, and why: the verdict's explanation, its next step and the result's label.

    `failed` names what the portal could not do for them, beside inviting; `sending` is the effect that could not send
    the invitation. An Admin may choose to invite one who `may_be_invited`; whose reason has ended `is_freed`. The role
    of one who `lacks_assessment` has none now, and an Admin chooses it.
    """

    candidate: Candidate
    standing: Standing
    explanation: str
    next_step: str
    result: str
    failed: Sequence[str]
    sending: Effect | None
    may_be_invited: bool
    is_freed: bool = False
    lacks_assessment: bool = False

    @property
    def assessment(self) -> str:
        """The assessment of the invitation shown, else of the candidate."""
        invitation = self.candidate.invitation
        return (invitation.assessment_name if invitation else "") or self.candidate.assessment_name

    @property
    def has_act(self) -> bool:
        """Whether an Admin's next step is a button in the row."""
        invitation = self.candidate.invitation
        waits = invitation is not None and invitation.status in {Status.HELD, Status.UNCERTAIN}
        return waits or self.is_freed or self.lacks_assessment


def candidate_rows(candidates: Iterable[Candidate], today: Today) -> list[CandidateRow]:
    """Return the table's rows, judged by `today`; one query reads the results, one what failed."""
    found = list(candidates)
    results = _latest_results([one.invitation for one in found if one.invitation])
    steps, sendings, unwritten = _open_steps(found)
    rows = []
    for candidate in found:
        delivery, invitation = candidate.delivery, candidate.invitation
        result = results.get(invitation.pk) if invitation else None
        changed = today.of(candidate) if invitation is None else None
        verdict, explanation = (delivery.verdict, delivery.explanation) if delivery else ("", "")
        is_written = candidate.invitation_id not in unwritten
        standing = standing_of(candidate, result, changed, is_written=is_written)
        is_decided = invitation is None and standing != BEING_DECIDED
        of_now = changed.decision.verdict if changed else verdict
        rows.append(
            CandidateRow(
                candidate,
                standing,
                changed.sentence if changed else explanation,
                changed.next_step
                if changed
                else invitation.words.next_step
                if invitation
                else next_step(verdict),
                result.label if result else "",
                steps.get(candidate.opportunity_id, []),
                sendings.get(invitation.pk) if invitation else None,
                not why_not_invitable(candidate),
                is_freed=changed is not None and changed.is_freed,
                lacks_assessment=(
                    is_decided and of_now == VerdictCode.NO_ASSESSMENT and bool(candidate.role_title)
                ),
            )
        )
    return rows


def candidates_of(
    organization: Organization, rows: Iterable[Delivery | Effect | Invitation]
) -> dict[str, Candidate]:
    """Return the candidates that these rows are about, by their opportunity's id; one query."""
    ids = {row.opportunity_id for row in rows if row.opportunity_id}
    found = Candidate.objects.filter(organization=organization, opportunity_id__in=ids)
    return {candidate.opportunity_id: candidate for candidate in found}


def _open_steps(
    candidates: Sequence[Candidate],
) -> tuple[dict[str, list[str]], dict[int, Effect], set[int]]:
    """Return the names of failed steps by the opportunity's id, failed sendings by the invitation's; one query.

    And the ids of the invitations whose feedback waits to be written, or could not be.
    """
    feedback = Effect.Kind.WRITE_FEEDBACK
    open_steps = Effect.objects.filter(
        Q(state=Effect.State.FAILED) | Q(kind=feedback, state__in=[Effect.State.DUE, Effect.State.UNCERTAIN]),
        organization__in={one.organization_id for one in candidates},
        opportunity_id__in=[one.opportunity_id for one in candidates],
    )
    steps: dict[str, list[str]] = {}
    sendings: dict[int, Effect] = {}
    unwritten: set[int] = set()
    for effect in open_steps.only("kind", "state", "opportunity_id", "invitation_id").order_by("pk"):
        if effect.kind == feedback and effect.invitation_id is not None:
            unwritten.add(effect.invitation_id)
        if effect.state != Effect.State.FAILED:
            continue
        if effect.kind != Effect.Kind.SEND_INVITATION:
            steps.setdefault(effect.opportunity_id, []).append(effect.get_kind_display())
        elif effect.invitation_id is not None:
            sendings[effect.invitation_id] = effect
    return steps, sendings, unwritten


def _latest_results(invitations: Collection[Invitation]) -> dict[int, Result]:
    """Return each invitation's latest result by the invitation's id; one query."""
    completed = [invitation.pk for invitation in invitations if invitation.completed_at]
    if not completed:
        return {}
    results = Result.objects.filter(invitation__in=completed).defer("details_json").order_by("attempt")
    return {result.invitation_id: result for result in results}
