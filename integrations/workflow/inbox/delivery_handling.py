"""The inbox road: delivery → facts → decide → rows, in one transaction."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from integrations.clients.provider import ClientProvider
from integrations.codescreen.payloads import WebhookHint
from integrations.lever.payloads import Opportunity, StageChange
from integrations.models import Delivery, Effect, IllegalTransition, Invitation, Organization, db_clock
from integrations.models.invitation import UNSENT, Status
from integrations.vocabulary import INVITING_VERDICTS, Verdict
from integrations.workflow.inbox.facts import FactsSnapshot, gather_facts, with_database_facts
from integrations.workflow.outbox import enqueue
from integrations.workflow.results.webhook_hint import apply_hint
from integrations.workflow.rules.decide import decide
from integrations.workflow.rules.facts import CandidateSnapshot, Decision, Facts

logger = logging.getLogger(__name__)

#: Skips that a recruiter can mend in Lever: these leave a note on the candidate.
VERDICTS_WITH_A_NOTE = frozenset(
    {
        Verdict.CONTACT_NOT_ALLOWED,
        Verdict.NO_ASSESSMENT,
        Verdict.UNKNOWN_ASSESSMENT,
        Verdict.AMBIGUOUS_ASSESSMENT,
        Verdict.NO_EMAIL,
        Verdict.INVITED_ELSEWHERE,
    }
)


#: Which invitations end when the candidate leaves the stage; what wasn't sent yet always does.
ENDED_BY_LEAVING: dict[str, tuple[str, ...]] = {
    Organization.Leaving.STOP: (*UNSENT, Status.INVITED),
    Organization.Leaving.KEEP: UNSENT,
}


class LeaseLost(Exception):
    """Another worker took the row meanwhile; nothing was written."""


def handle_delivery(delivery: Delivery, clients: ClientProvider) -> Decision | None:
    """Work one claimed delivery to its verdict. Safe to run twice and to be killed anywhere.

    Raises PlatformError when a platform doesn't answer, LeaseLost when another worker took over.
    """
    return HANDLERS[delivery.platform](delivery, clients)


def decide_delivery(
    delivery: Delivery,
    clients: ClientProvider,
    known: Opportunity | None = None,
    read_at: datetime | None = None,
) -> Decision:
    """Decide a Lever delivery and write what follows from it."""
    gathered = gather_facts(delivery, clients, known, read_at)
    with transaction.atomic():
        # decisions of one organization take turns, so that limits and "already invited" see each other
        organization = lock_organization(delivery.organization_id)
        facts = with_database_facts(gathered, delivery)
        decision = decide(facts)
        invitation = _apply(delivery, organization, decision, facts, gathered)
        if not delivery.decide(
            decision.verdict,
            decision.explanation,
            invitation,
            assessment_source=decision.assessment_source,
            assessment_written=decision.assessment_written,
        ):
            raise LeaseLost
    return decision


@dataclass(frozen=True)
class DryRun:
    """What one delivery would lead to: the verdict, the effects it would ask for, the invitations it would touch."""

    decision: Decision
    effects: tuple[Effect, ...] = ()
    invitations: tuple[Invitation, ...] = ()


def dry_run(delivery: Delivery, gathered: FactsSnapshot) -> DryRun:
    """Decide a delivery that isn't stored, write what follows as the real run does, and take it all back."""
    with transaction.atomic():
        organization = lock_organization(delivery.organization_id)
        facts = with_database_facts(gathered, delivery)
        decision = decide(facts)
        effects = Effect.objects.filter(organization=organization)
        invitations = Invitation.objects.filter(
            organization=organization, opportunity_id=delivery.opportunity_id
        )
        last = effects.order_by("-pk").values_list("pk", flat=True).first() or 0
        waiting = set(effects.filter(opportunity_id=delivery.opportunity_id, state=Effect.State.DUE))
        before = dict(invitations.values_list("pk", "status"))
        delivery.dedupe_key = f"rehearsal:{uuid.uuid4().hex}"
        delivery.save()
        _apply(delivery, organization, decision, facts, gathered)
        asked = (
            effects.select_related("invitation")
            .filter(Q(pk__gt=last) | Q(opportunity_id=delivery.opportunity_id, state=Effect.State.DUE))
            .order_by("priority", "pk")
        )
        found = DryRun(
            decision,
            tuple(effect for effect in asked if effect not in waiting),
            tuple(row for row in invitations.order_by("pk") if before.get(row.pk) != row.status),
        )
        transaction.set_rollback(True)
    return found


def apply_webhook_hint(delivery: Delivery, clients: ClientProvider) -> None:
    """Take a CodeScreen webhook as a reason to ask now."""
    hint = WebhookHint.from_payload(delivery.payload)
    with transaction.atomic():
        invitation = apply_hint(delivery.organization, hint)
        if invitation:
            Delivery.objects.filter(pk=delivery.pk).update(opportunity_id=invitation.opportunity_id)
            is_stopped = invitation.stopped_by_user
            follows = "somebody stopped following it" if is_stopped else "its status is asked now"
            explanation = f"CodeScreen says “{hint.type}”: {follows}."
        else:
            explanation = f"CodeScreen says “{hint.type}” of an assessment that the portal didn't send."
        if not delivery.decide(Verdict.NOTED, explanation, invitation):
            raise LeaseLost


HANDLERS: dict[str, Callable[[Delivery, ClientProvider], Decision | None]] = {
    Delivery.Platform.LEVER.value: decide_delivery,
    Delivery.Platform.CODESCREEN.value: apply_webhook_hint,
}


def lock_organization(organization_id: int) -> Organization:
    """Return the organization, locked until the transaction ends: its decisions are made one after another."""
    rows = Organization.objects.all()
    if connection.features.has_select_for_update:
        # no key: rows that refer to the organization are inserted meanwhile, webhooks and calls among them
        rows = rows.select_for_update(no_key=True)
    return rows.get(pk=organization_id)


def _apply(
    delivery: Delivery, organization: Organization, decision: Decision, facts: Facts, gathered: FactsSnapshot
) -> Invitation | None:
    """Write the rows that follow from a decision; the invitation it is about."""
    opportunity = gathered.opportunity
    if decision.verdict in INVITING_VERDICTS and opportunity is not None:
        return _invite(delivery, organization, decision, facts, opportunity, gathered.read_at)
    if decision.verdict == Verdict.NOT_A_TRIGGER_STAGE and opportunity is not None:
        statuses = ENDED_BY_LEAVING[organization.leaving]
        return _withdraw(organization, opportunity, facts, "The candidate left the stage.", statuses)
    if decision.verdict == Verdict.ARCHIVED and opportunity is not None:
        return _withdraw(organization, opportunity, facts, "The candidate is archived in Lever.")
    if decision.verdict == Verdict.ALREADY_INVITED:
        return _follow_again(decision)
    if decision.verdict in VERDICTS_WITH_A_NOTE and organization.note_on_skip:
        change = StageChange.from_payload(delivery.payload)
        text = f"CodeScreen: no assessment was sent. {decision.explanation} {decision.next_step}"
        enqueue.enqueue_note(organization, change.opportunity_id, decision.verdict, text, delivery=delivery)
    if decision.existing_invitation_id:
        return Invitation.objects.filter(pk=decision.existing_invitation_id).first()
    return None


def _invite(
    delivery: Delivery,
    organization: Organization,
    decision: Decision,
    facts: Facts,
    opportunity: Opportunity,
    read_at: datetime | None,
) -> Invitation:
    candidate = facts.candidate
    if decision.assessment is None or not isinstance(candidate, CandidateSnapshot):
        raise TypeError("an invitation needs an assessment and a candidate")
    status = Status.HELD if decision.verdict == Verdict.HELD_FOR_APPROVAL else Status.PENDING
    values = {
        "contact_id": opportunity.contact_id[:200],
        "candidate_name": opportunity.name[:500],
        "email": decision.email,
        "role_id": candidate.role_id[:200],
        "role_title": candidate.role_title[:300],
        "stage_id": facts.stage_id[:200],
        "stage_name": facts.stage_name[:300],
        "assessment_name": decision.assessment.name[:300],
        "status": status,
        "status_reason": decision.explanation if status == Status.HELD else "",
        "stopped_by_user": False,
        "checked_at": read_at or db_clock.now(),
        "changed_at": db_clock.now(),
    }
    # a row that never reached CodeScreen is taken up again; a new one would be a new round
    invitation, created = Invitation.objects.get_or_create(
        organization=organization,
        opportunity_id=opportunity.id,
        assessment_id=decision.assessment.id,
        round=decision.round,
        defaults=values,
    )
    if not created:
        # made anew as far as the bulk limit goes, which counts what was made lately
        Invitation.objects.filter(pk=invitation.pk, status__in=[Status.FAILED, Status.WITHDRAWN]).update(
            **values, created_at=Now()
        )
        invitation.refresh_from_db()
    if status != Status.HELD:
        enqueue.enqueue_invitation(invitation, delivery)
    return invitation


def _withdraw(
    organization: Organization,
    opportunity: Opportunity,
    facts: Facts,
    reason: str,
    statuses: tuple[str, ...] = (*UNSENT, Status.INVITED),
) -> Invitation | None:
    """Stop following what wasn't started, if the candidate really is in no trigger stage any more."""
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return None
    is_away = opportunity.is_archived or not facts.trigger_policy.is_trigger(
        candidate.stage_id, candidate.stage_name
    )
    if not is_away:
        return None
    last = None
    for invitation in Invitation.objects.filter(
        organization=organization,
        opportunity_id=opportunity.id,
        status__in=statuses,
    ):
        try:
            invitation.move(Status.WITHDRAWN, reason)
        except IllegalTransition:  # a worker is sending it this moment; the result is followed
            continue
        Effect.objects.filter(
            invitation=invitation,
            kind=Effect.Kind.SEND_INVITATION,
            state=Effect.State.DUE,
            leased_until__isnull=True,
        ).update(state=Effect.State.CANCELLED, due_at=None, last_error=reason)
        last = invitation
    return last


def _follow_again(decision: Decision) -> Invitation | None:
    invitation = Invitation.objects.filter(pk=decision.existing_invitation_id or 0).first()
    if invitation and invitation.status == Status.WITHDRAWN and invitation.instance_id:
        invitation.move(Status.INVITED, next_poll_at=db_clock.now())
    return invitation
