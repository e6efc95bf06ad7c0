"""Decide a Lever delivery, and write what follows in one transaction: invitation, effects, note, candidate."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from integrations.clients import call_log
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import UNSENT
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.decide import decide
from integrations.core.rules.facts import CandidateSnapshot, Decision, Facts, Together
from integrations.core.rules.names import choose_progress_tag
from integrations.core.verdict_code import INVITING_VERDICTS, Consequence, VerdictCode
from integrations.core.vocabulary import BY_MAPPING, ErasureCause, Platform, VerdictCause
from integrations.effects.follow_pass import follow_pass, follow_without
from integrations.effects.further import (
    cancel_unsent,
    first_of,
    follow_with_next,
    further_of,
    has_further,
    is_of_several,
    link_existing,
    lock_together,
    store_together,
    tie_next_round,
)
from integrations.effects.kinds.invitation import enqueue_invitation
from integrations.effects.kinds.messages import enqueue_note, tell_cancelled
from integrations.effects.kinds.tags import enqueue_progress_tag
from integrations.http.session import PlatformError
from integrations.inbox.facts import FactsSnapshot, gather_facts, is_chosen, with_database_facts
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.record_candidate import record_candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.invitation_queries import FOLLOWING_GOES_ON
from integrations.invitations.person import store_people
from integrations.lever.payloads import Opportunity, StageChange
from integrations.notifications.links import timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.outcome import AskAgain, LeaseLost, wait_until_shown
from integrations.privacy.erase import erase
from integrations.store import database

logger = logging.getLogger(__name__)

#: Which invitations are cancelled when the candidate leaves the stage; unsent ones always are.
ENDED_BY_LEAVING: dict[str, tuple[str, ...]] = {
    Organization.Leaving.STOP: (*UNSENT, Status.INVITED),
    Organization.Leaving.KEEP: UNSENT,
}


def apply_decision(
    delivery: Delivery, organization: Organization, decision: Decision, facts: Facts, gathered: FactsSnapshot
) -> Invitation | None:
    """Write the rows that follow from a decision; return the invitation it is about."""
    opportunity = gathered.opportunity
    if decision.verdict in INVITING_VERDICTS and opportunity is not None:
        return _invite(delivery, organization, decision, facts, opportunity, gathered.read_at)
    if decision.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and opportunity is not None:
        statuses = ENDED_BY_LEAVING[organization.leaving]
        return _cancel(organization, opportunity, facts, "The candidate left the stage.", statuses)
    if decision.verdict == VerdictCode.ARCHIVED and opportunity is not None:
        return _cancel(organization, opportunity, facts, decision.explanation)
    if decision.verdict == VerdictCode.ALREADY_INVITED:
        existing = _follow_again(decision, facts)
        if existing is not None:
            link_existing(delivery, existing, decision.mapping_id)
        return existing
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
        **_place_among_several(delivery, facts, decision),
        "status": status,
        "status_reason": decision.explanation if status == Status.HELD else "",
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


def _place_among_several(delivery: Delivery, facts: Facts, decision: Decision) -> dict[str, int | None]:
    """Return what an invitation is sent with, or after; the first of several gets its own key when it is stored."""
    before = delivery.after
    if before is None:
        return {"together_id": _lone_first(delivery, decision), "after_id": None}
    together = isinstance(facts.further, Together)
    is_here = before.opportunity_id == delivery.opportunity_id
    return {
        "together_id": first_of(before) if together and is_here else None,
        "after_id": None if together else before.pk,
    }


def _lone_first(delivery: Delivery, decision: Decision) -> int | None:
    """Return the key of the first round, where it was sent alone and leads to another assessment; else None."""
    if decision.round == 1 or decision.assessment is None:
        return None
    former = Invitation.objects.filter(
        organization=delivery.organization_id,
        opportunity_id=delivery.opportunity_id,
        assessment_id=decision.assessment.id,
        round=decision.round - 1,
        mapping=decision.mapping_id,
        mapping__also_assessments=[],
    ).first()
    if former is None:
        return None
    tie_next_round(former)
    return former.together_id


def _enqueue(invitation: Invitation, delivery: Delivery, *, is_new: bool = False) -> None:
    is_released = bool(delivery.chosen_assessment)
    enqueue_invitation(
        invitation, delivery, is_chosen=is_chosen(delivery), is_released=is_released, is_new=is_new
    )


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
    organization: Organization,
    opportunity: Opportunity,
    facts: Facts,
    reason: str,
    statuses: tuple[str, ...] = (*UNSENT, Status.INVITED),
) -> Invitation | None:
    """Cancel invitations that weren't started, if the candidate is in no trigger stage any more; return the last."""
    candidate = facts.candidate
    if not isinstance(candidate, CandidateSnapshot):
        return None
    has_left = opportunity.is_archived or not facts.trigger_policy.is_trigger(
        candidate.stage_id, candidate.stage_name
    )
    if not has_left:
        return None
    cancelled = []
    invitations = Invitation.objects.filter(
        organization=organization,
        opportunity_id=opportunity.id,
        status__in=statuses,
    )
    if not opportunity.is_archived:  # a person invited these again wherever the candidate is
        invitations = invitations.exclude(in_any_stage=True, status__in=UNSENT)
    for invitation in invitations:
        invitation.organization = organization
        lock_together(invitation)
        if cancel_unsent(invitation, reason):
            cancelled.append(invitation)
            if invitation.instance_id and not opportunity.is_archived:  # else a note would tell nothing
                tell_cancelled(invitation)
    for invitation in cancelled:
        follow_without(invitation, may_return=not opportunity.is_archived)
    return cancelled[-1] if cancelled else None


def _follow_again(decision: Decision, facts: Facts) -> Invitation | None:
    """Follow a sent invitation again that was cancelled because the stage was left, and not by a person."""
    by_person = {existing.id for existing in facts.invitations_here if existing.is_cancelled_by_person}
    # locked: a result that is recorded at the same time is read with it, or finds the candidate's row pointing to it
    invitation = Invitation.objects.locked().filter(pk=decision.existing_invitation_id or 0).first()
    if invitation and invitation.pk in by_person:
        return invitation
    if invitation and invitation.status == Status.WITHDRAWN and invitation.instance_id:
        invitation.move(Status.INVITED, next_poll_at=database.now())
        if has_further(invitation):  # when it was cancelled, the tag became another invitation's
            enqueue_progress_tag(invitation, choose_progress_tag(invitation.status))
    elif invitation and invitation.has_ended_without_result:
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
    snapshot = gather_facts(delivery, clients, known, read_at, may_list=True)
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
        elif facts.further != further_of(delivery, is_locked=True):
            # a regrade came after the reading, and finds this delivery being decided: the candidate is read now
            return AskAgain() if delivery.release(due_at=Now()) else LeaseLost()
        decision = decide(facts)
        invitation = apply_decision(delivery, organization, decision, facts, snapshot)
        # before the verdict, which locks the chain: others lock the invitation and the candidate first
        together = store_further(delivery, decision, facts, invitation)
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
        is_already_invited = decision.verdict == VerdictCode.ALREADY_INVITED
        if is_already_invited and invitation and (facts.further or is_of_several(invitation)):
            follow_pass(invitation)
        if decision.verdict == VerdictCode.NOTHING_FOLLOWS and delivery.after:
            follow_pass(delivery.after)
        if snapshot.opportunity is not None and not facts.is_erased:
            store_people(organization, snapshot.opportunity, snapshot.people)
    logger.info("delivery %s of %s: %s", delivery.pk, organization.slug, decision.verdict)
    if decision.verdict == VerdictCode.ANONYMIZED:
        erase(organization, delivery.opportunity_id, ErasureCause.ANONYMIZED, Platform.LEVER.label)
    for further in together:
        _decide_at_once(further, clients, snapshot)
    return decision


def store_further(
    delivery: Delivery, decision: Decision, facts: Facts, invitation: Invitation | None
) -> list[Delivery]:
    """Store what the mapping sends beside an assessment that the candidate gets or has; return what is to be decided.

    Who enters the stage again after a pass gets the next one, if it couldn't be sent then.
    """
    mapping = facts.mappings.with_id(decision.mapping_id)
    has_it = (
        decision.verdict in INVITING_VERDICTS or decision.verdict.record.consequence is Consequence.HAS_IT
    )
    if mapping is None or invitation is None or not has_it or decision.assessment_source not in BY_MAPPING:
        return []
    if mapping.next_assessment and decision.verdict == VerdictCode.ALREADY_INVITED:
        follow_with_next(invitation, delivery)
    return list(store_together(delivery, invitation, mapping)) if mapping.also else []


def _decide_at_once(further: Delivery, clients: ClientProvider, read: FactsSnapshot) -> None:
    """Decide a further assessment by what was just read; it is left to the workers where a platform doesn't answer."""
    claimed = further.lease()
    if claimed is None:
        return
    if claimed.due_at is None:  # a worker has decided it already
        claimed.release()
        return
    claimed.organization = Organization.objects.reread(further.organization_id)
    try:
        decide_delivery(claimed, clients, read.opportunity, read.read_at)
    except PlatformError:
        claimed.release()
