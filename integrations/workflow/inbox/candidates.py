"""Store where a candidate stands after a decision: everyone who entered a trigger stage, invited or not."""

from integrations.invitation_status import InvitationStatus
from integrations.lever.payloads import Opportunity, StageChange
from integrations.models import Delivery, Invitation, Organization
from integrations.models.candidate_upsert import Entry, Person, store_candidate
from integrations.workflow.catalog.lookup import stage_name_in_copy
from integrations.workflow.catalog.trigger_policy import trigger_policy
from integrations.workflow.inbox.database_facts import entered_at
from integrations.workflow.inbox.facts import FactsSnapshot
from integrations.workflow.rules.addresses import first_usable_email
from integrations.workflow.rules.facts import CandidateSnapshot, Decision, Facts


def record_candidate(
    delivery: Delivery,
    organization: Organization,
    snapshot: FactsSnapshot,
    facts: Facts,
    decision: Decision,
    invitation: Invitation | None,
) -> None:
    """Store the candidate that a decision is about, in its transaction; nothing if they entered no trigger stage.

    Of a candidate who wasn't read, such as during a pause, only the opportunity is known, and the stage's name if the
    copy of Lever's list has it.
    """
    change = StageChange.from_payload(delivery.payload)
    if not decision.verdict.record.is_about_candidate or not delivery.opportunity_id:
        return
    stage = facts.stage_name or stage_name_in_copy(organization, change.to_stage_id)
    if not facts.trigger_policy.is_trigger(change.to_stage_id, stage):
        return
    own = invitation if invitation and invitation.opportunity_id == delivery.opportunity_id else None
    entry = Entry(
        organization_id=organization.pk,
        opportunity_id=delivery.opportunity_id,
        stage_name=stage,
        assessment_name=decision.assessment.name if decision.assessment else decision.assessment_written,
        entered_at=entered_at(delivery, snapshot.opportunity) or delivery.received_at,
        delivery_id=delivery.pk,
        invitation_id=own.pk if own else None,
        outcome=_outcome(own) if own else "",
    )
    store_candidate(entry, _person(snapshot.opportunity, facts))


def record_undecided(delivery: Delivery) -> None:
    """Store the candidate of a delivery that can't be decided; nothing if they entered no trigger stage.

    Only the opportunity is known, and the stage's name if the copy of Lever's list has it.
    """
    if not delivery.opportunity_id:
        return
    organization = delivery.organization
    stage_id = StageChange.from_payload(delivery.payload).to_stage_id
    stage = stage_name_in_copy(organization, stage_id)
    if trigger_policy(organization).is_trigger(stage_id, stage):
        entry = Entry(
            organization_id=organization.pk,
            opportunity_id=delivery.opportunity_id,
            stage_name=stage,
            assessment_name="",
            entered_at=entered_at(delivery, None) or delivery.received_at,
            delivery_id=delivery.pk,
            invitation_id=None,
        )
        store_candidate(entry, None)


def _outcome(invitation: Invitation) -> str:
    """Return what CodeScreen states of the latest attempt; empty while the assessment is open."""
    result = invitation.latest_result() if invitation.status == InvitationStatus.COMPLETED else None
    return result.outcome if result else ""


def _person(opportunity: Opportunity | None, facts: Facts) -> Person | None:
    """Return who the candidate is; None where they weren't read, or nothing about them may be stored."""
    candidate = facts.candidate
    if opportunity is None or not isinstance(candidate, CandidateSnapshot):
        return None
    if facts.is_erased or opportunity.is_anonymized:
        return None
    return Person(
        opportunity.name, first_usable_email(opportunity.emails), candidate.role_id, candidate.role_title
    )
