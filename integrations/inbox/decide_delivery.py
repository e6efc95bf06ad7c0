"""Decide a Lever delivery, and write what follows in one transaction: invitation, effects, note, candidate."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations.case.facts import FactsSnapshot, gather_facts, is_chosen, with_database_facts
from integrations.case.person import store_people
from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import FOLLOWED, UNSENT
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import CandidateSnapshot, Decision, Facts
from integrations.core.verdict_code import INVITING_VERDICTS, VerdictCode
from integrations.core.vocabulary import ErasureCause, HoldReason, Platform, VerdictCause
from integrations.http.steps import wait_until_shown
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.record_candidate import record_candidate
from integrations.inbox.stage_lists import readings
from integrations.invitations.models.invitation import IllegalTransition, Invitation
from integrations.invitations.models.invitation_queries import FOLLOWING_GOES_ON
from integrations.lever.payloads import Opportunity, StageChange
from integrations.notifications.links import timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.kinds.invitation import enqueue_invitation
from integrations.outbox.kinds.messages import enqueue_note, tell_cancelled
from integrations.outbox.models.effect import Effect
from integrations.outbox.outcome import AskAgain, LeaseLost
from integrations.privacy.erase import erase
from integrations.store import database

logger = logging.getLogger(__name__)


def apply_decision(
    delivery: Delivery, organization: Organization, decision: Decision, facts: Facts, gathered: FactsSnapshot
) -> Invitation | None:
    """Write the rows that follow from a decision; return the invitation it is about."""
    opportunity = gathered.opportunity
    if decision.verdict in INVITING_VERDICTS and opportunity is not None:
        return _invite(delivery, organization, decision, facts, opportunity, gathered.read_at)
    if decision.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and opportunity is not None:
        return _cancel(organization, opportunity, facts, "The candidate left the stage.")
    if decision.verdict == VerdictCode.ARCHIVED and opportunity is not None:
        return _cancel(organization, opportunity, facts, decision.explanation)
    if decision.verdict == VerdictCode.ALREADY_INVITED and opportunity is not None:
        return _follow_again(decision, facts, opportunity)
    existing = None
    if decision.existing_invitation_id:
        existing = Invitation.objects.filter(pk=decision.existing_invitation_id).first()
    if decision.verdict.record.leaves_note and organization.note_on_skip:
        change = StageChange.from_payload(delivery.payload)
        step = _step_in_note(decision.next_step, existing, change.opportunity_id)
        text = f"CodeScreen: no assessment was sent. {decision.explanation} {step}"
        enqueue_note(organization, change.opportunity_id, decision.verdict, text, delivery=delivery)
    return existing


def _step_in_note(next_step: str, existing: Invitation | None, opportunity_id: str) -> str:
    """Return a verdict's next step as a note says it: with the page of the opportunity that has the invitation."""
    if existing is None or existing.opportunity_id == opportunity_id:
        return next_step
    return f"{next_step} That page: {timeline_link(existing.opportunity_id)}"


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
    status = Status.HELD if decision.verdict == VerdictCode.HELD_FOR_APPROVAL else Status.PENDING
    values = {
        "contact_id": opportunity.contact_id[:200],
        "candidate_name": opportunity.name[:500],
        "email": decision.email,
        "role_id": candidate.role_id[:200],
        "role_title": candidate.role_title[:300],
        "stage_id": facts.stage_id[:200],
        "stage_name": facts.stage_name[:300],
        "assessment_name": decision.assessment.name[:300],
        "mapping_id": decision.mapping_id,
        "status": status,
        "status_reason": decision.explanation if status == Status.HELD else "",
        # what a person chose is sent whatever the rules hold
        "held_for": list(HoldReason) if delivery.chosen_assessment else list(decision.held_for),
        "stopped_by_user": False,
        "in_any_stage": False,
        "checked_at": read_at or database.now(),
        "changed_at": database.now(),
        "erased_at": None,
    }
    # a row that never reached CodeScreen is reused; a new one would be a new round
    is_round = (decision.assessment.id, decision.round)
    earlier = next(
        (row for row in facts.invitations_here if (row.assessment_id, row.round) == is_round), None
    )
    if earlier is not None:
        return _invite_by_earlier_row(delivery, organization, earlier.id, values)
    invitation = Invitation(
        organization=organization,
        opportunity_id=opportunity.id,
        assessment_id=decision.assessment.id,
        round=decision.round,
        **values,
    )
    invitation.save(force_insert=True)
    if status != Status.HELD:
        _enqueue(invitation, delivery, is_new=True)
    return invitation


def _enqueue(invitation: Invitation, delivery: Delivery, *, is_new: bool = False) -> None:
    enqueue_invitation(invitation, delivery, is_chosen=is_chosen(delivery), is_new=is_new)


def _invite_by_earlier_row(
    delivery: Delivery, organization: Organization, pk: int, values: dict[str, Any]
) -> Invitation:
    # created_at too: the bulk limit counts recent invitations by it
    Invitation.objects.filter(pk=pk, status__in=[Status.FAILED, Status.WITHDRAWN]).update(
        **values, **FOLLOWING_GOES_ON, created_at=Now()
    )
    invitation = Invitation.objects.get(pk=pk)
    invitation.organization = organization
    if values["status"] != Status.HELD:
        _enqueue(invitation, delivery)
    return invitation


def _cancel(
    organization: Organization, opportunity: Opportunity, facts: Facts, reason: str
) -> Invitation | None:
    """Cancel invitations that weren't started, if the candidate is in no trigger stage any more; return the last."""
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return None
    has_left = opportunity.is_archived or not facts.trigger_policy.is_trigger(
        candidate.stage_id, candidate.stage_name, candidate
    )
    if not has_left:
        return None
    cancelled = []
    invitations = Invitation.objects.filter(
        organization=organization,
        opportunity_id=opportunity.id,
        status__in=[*UNSENT, Status.INVITED],
    )
    if not opportunity.is_archived:  # a person invited these again wherever the candidate is
        invitations = invitations.exclude(in_any_stage=True, status__in=UNSENT)
    for invitation in invitations:
        invitation.organization = organization
        if _cancel_unstarted(invitation, reason):
            cancelled.append(invitation)
            if invitation.instance_id and not opportunity.is_archived:  # else a note would tell nothing
                tell_cancelled(invitation)
    return cancelled[-1] if cancelled else None


def _cancel_unstarted(invitation: Invitation, reason: str) -> bool:
    """Cancel an invitation, and its sending where no worker has begun it; False while one is sending it."""
    try:
        invitation.move(Status.WITHDRAWN, reason)
    except IllegalTransition:  # its result is followed
        return False
    Effect.objects.filter(
        invitation=invitation,
        kind=Effect.Kind.SEND_INVITATION,
        state=Effect.State.DUE,
        leased_until__isnull=True,
    ).update(state=Effect.State.CANCELLED, due_at=None, last_error=reason)
    return True


def _follow_again(decision: Decision, facts: Facts, opportunity: Opportunity) -> Invitation | None:
    """Follow a sent invitation again that was cancelled because the stage was left, and not by a person."""
    by_person = {existing.id for existing in facts.invitations_here if existing.is_cancelled_by_person}
    # locked: a result that is recorded at the same time is read with it, or finds the candidate's row pointing to it
    invitation = Invitation.objects.locked().filter(pk=decision.existing_invitation_id or 0).first()
    if invitation is None or invitation.pk in by_person:
        return invitation
    is_cancelled = invitation.status == Status.WITHDRAWN and bool(invitation.instance_id)
    if not is_cancelled and not (invitation.following_ended and invitation.status in FOLLOWED):
        return invitation
    if invitation.erased_at is not None:  # who returns after the retention is followed like anybody
        shown = {"candidate_name": opportunity.name[:500], "email": decision.email, "erased_at": None}
        Invitation.objects.filter(pk=invitation.pk).update(**shown)
        invitation.refresh_from_db()
    if is_cancelled:
        invitation.move(Status.INVITED, next_poll_at=database.now())
    else:
        invitation.follow_again()
    return invitation


def decide_delivery(
    delivery: Delivery,
    clients: ClientProvider,
    known: Opportunity | None = None,
    read_at: datetime | None = None,
    cause: VerdictCause | None = None,
    may_wait: bool = True,
) -> Decision | AskAgain | LeaseLost:
    """Decide a leased delivery. Safe to run twice and to be killed anywhere; nothing is written if the lease was lost.

    `known` is the opportunity if it was read just now, at `read_at`. Unless it `may_wait`, it is decided even if Lever
    doesn't show the candidate this time. Raises PlatformError when a platform doesn't answer.
    """
    snapshot = gather_facts(delivery, clients, known, read_at, listed=readings.take)
    if may_wait and snapshot.not_shown is not None:
        reads = delivery.not_shown_reads + 1
        wait = wait_until_shown(reads)
        if wait is not None:
            reason = f"{snapshot.not_shown.value}. This may pass, so the portal tries again."
            is_ours = delivery.release(
                due_at=database.due_after(wait), not_shown_reads=reads, last_error=reason
            )
            return AskAgain() if is_ours else LeaseLost()
    with call_log.recorded():
        organization, facts = delivery.organization, snapshot.facts
        if snapshot.opportunity is not None:
            # such decisions of one organization run one after another: each sees the invitations of those before it
            organization = Organization.objects.lock(delivery.organization_id)
            facts = with_database_facts(snapshot, delivery, snapshot.opportunity)
        decision = decide(facts)
        invitation = apply_decision(delivery, organization, decision, facts, snapshot)
        # before the verdict, which locks the chain: others lock the invitation and the candidate first
        record_candidate(delivery, organization, snapshot, facts, decision, invitation)
        is_recorded = delivery.decide(
            decision.verdict,
            decision.explanation,
            invitation,
            assessment_source=decision.assessment_source,
            assessment_written=decision.assessment_written,
            cause=cause,
        )
        if not is_recorded:
            transaction.set_rollback(True)
            return LeaseLost()
        if snapshot.opportunity is not None and not facts.is_erased:
            store_people(organization, snapshot.opportunity, snapshot.people)
    logger.info("delivery %s of %s: %s", delivery.pk, organization.slug, decision.verdict)
    if decision.verdict == VerdictCode.ANONYMIZED:
        erase(organization, delivery.opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)
    return decision
