"""Store the candidate that a delivery is about: one row for everybody who entered a trigger stage.

What a decision needs of Lever is kept with it at each reading, so that it can be made again without a call.
"""

from collections.abc import Sequence

from integrations.case.facts import FactsSnapshot, entered_at
from integrations.catalog.lists import stage_name_in_copy, trigger_policy
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import (
    CandidateSnapshot,
    Decision,
    Facts,
    TriggerPolicy,
    first_usable_email,
)
from integrations.core.rules.mappings import Categories
from integrations.core.rules.names import assessment_tags
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import Origin
from integrations.http.json_values import JsonObject
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate, ShownPerson, store_candidate
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity, StageChange
from integrations.organizations.models.organization import Organization


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
    opportunity, shown = snapshot.opportunity, facts.shown
    if decision.verdict == VerdictCode.NOT_A_TRIGGER_STAGE and shown:
        # stored before they were read: it is known since then that the stage is none for their role
        unread = Candidate.objects.filter(delivery=delivery.pk, name="", role_id="")
        unread.filter(invitation__isnull=True, erased_at__isnull=True).delete()
    if not decision.verdict.record.is_about_candidate or not delivery.opportunity_id:
        return
    stage = facts.stage_name or stage_name_in_copy(organization, change.to_stage_id)
    if not _is_stored(delivery, facts.trigger_policy, stage, shown):
        return
    candidate = _entered(delivery, stage, opportunity)
    candidate.assessment_name = (
        decision.assessment.name if decision.assessment else decision.assessment_written
    )
    if invitation and invitation.opportunity_id == delivery.opportunity_id:
        candidate.invitation_id = invitation.pk
        # what CodeScreen states of the latest attempt; nothing while the assessment is open
        if invitation.status == Status.COMPLETED and (result := invitation.latest_result()):
            candidate.outcome = result.outcome
    person = None
    if opportunity is not None and shown and not (facts.is_erased or opportunity.is_anonymized):
        email = first_usable_email(opportunity.emails)
        origin = shown.origin or ""
        person = ShownPerson(
            opportunity.name,
            email,
            shown.role_id,
            shown.role_title,
            origin,
            opportunity.stage_id,
            shown_of(opportunity),
        )
    store_candidate(candidate, person)


def record_undecided(delivery: Delivery) -> None:
    """Store the candidate of a delivery that can't be decided; nothing if they entered no trigger stage.

    Only the opportunity is known, and the stage's name if the copy of Lever's list has it.
    """
    if not delivery.opportunity_id:
        return
    organization = delivery.organization
    stage = stage_name_in_copy(organization, StageChange.from_payload(delivery.payload).to_stage_id)
    if _is_stored(delivery, trigger_policy(organization), stage, None):
        store_candidate(_entered(delivery, stage, None), person=None)


def _is_stored(
    delivery: Delivery, policy: TriggerPolicy, stage: str, candidate: CandidateSnapshot | None
) -> bool:
    """Whether the stage is a trigger for the candidate; for one who wasn't read, whether it may be.

    Outside the prefix it depends on their role: who has a row keeps it as it is until they are read.
    """
    if not policy.is_trigger(StageChange.from_payload(delivery.payload).to_stage_id, stage, candidate):
        return False
    if candidate or policy.has_prefix(stage):
        return True
    own = {"organization": delivery.organization_id, "opportunity_id": delivery.opportunity_id}
    return not Candidate.objects.filter(**own).exclude(delivery=delivery.pk).exists()


def _entered(delivery: Delivery, stage: str, opportunity: Opportunity | None) -> Candidate:
    """Return the candidate of a delivery who has entered the stage; unsaved, and without who they are."""
    return Candidate(
        organization_id=delivery.organization_id,
        opportunity_id=delivery.opportunity_id,
        stage_name=stage,
        entered_at=entered_at(delivery, opportunity) or delivery.received_at,
        delivery_id=delivery.pk,
    )


# What Lever showed of a candidate.


def shown_of(opportunity: Opportunity) -> JsonObject:
    """Return what the columns of a candidate don't have; of the tags only those that name an assessment."""
    return {
        "contact_id": opportunity.contact_id,
        "tags": [tag for tag in opportunity.tags if assessment_tags([tag])],
        "is_archived": opportunity.is_archived,
        "may_contact": opportunity.may_contact,
    }


def kept_snapshot(
    candidate: Candidate, stage_name: str, role_title: str, categories: Categories
) -> CandidateSnapshot:
    """Return a candidate as Lever last showed them, in a role as it is now."""
    shown = candidate.shown
    return CandidateSnapshot(
        stage_id=candidate.stage_id,
        stage_name=stage_name,
        role_id=candidate.role_id,
        role_title=role_title,
        categories=categories,
        tags=tuple(shown.get("tags", ())),
        emails=(candidate.email,) if candidate.email else (),
        is_archived=bool(shown.get("is_archived")),
        may_contact=bool(shown.get("may_contact", True)),
        origin=Origin(candidate.origin) if candidate.origin else None,
    )


def store_shown(organization: Organization, listed: Sequence[Opportunity]) -> None:
    """Keep what a list shows of candidates who have no invitation: what stopped one may be corrected in Lever."""
    read = {opportunity.id: opportunity for opportunity in listed if not opportunity.is_anonymized}
    known = Candidate.objects.filter(organization=organization, opportunity_id__in=list(read))
    for candidate in known.not_invited().filter(erased_at__isnull=True).exclude(stage_id=""):
        opportunity = read[candidate.opportunity_id]
        shown = {
            "email": first_usable_email(opportunity.emails),
            "origin": opportunity.origin if opportunity.origin in list(Origin) else "",
            "stage_id": opportunity.stage_id[:200],
            "shown": shown_of(opportunity),
        }
        if any(getattr(candidate, name) != value for name, value in shown.items()):
            # not where it was erased or decided meanwhile
            same = Candidate.objects.filter(pk=candidate.pk, erased_at__isnull=True)
            same.filter(delivery=candidate.delivery_id).update(**shown)
