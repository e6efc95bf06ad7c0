"""A candidate as the rules see them, and the assessment that their present stage leads to."""

from integrations.clients.provider import ClientProvider
from integrations.lever.payloads import Opportunity
from integrations.models import Organization
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.catalog.lookup import live_assessments, role_title
from integrations.workflow.catalog.trigger_policy import mapping_index
from integrations.workflow.rules.assessment_match import choose_assessment
from integrations.workflow.rules.assessments import KnownAssessment
from integrations.workflow.rules.facts import CandidateSnapshot, Facts


def candidate_snapshot(
    organization: Organization, opportunity: Opportunity, stage_name: str, clients: ClientProvider
) -> CandidateSnapshot:
    """Return what an opportunity that was just read shows of the candidate. Raises PlatformError."""
    return CandidateSnapshot(
        stage_id=opportunity.stage_id,
        stage_name=stage_name,
        role_id=opportunity.posting_id,
        role_title=role_title(organization, opportunity.posting_id, clients),
        tags=opportunity.tags,
        emails=opportunity.emails,
        is_archived=opportunity.is_archived,
        is_anonymized=opportunity.is_anonymized,
        may_contact=opportunity.may_contact,
    )


def leads_to(
    assessment: KnownAssessment,
    organization: Organization,
    opportunity: Opportunity,
    stage_name: str,
    clients: ClientProvider,
) -> bool:
    """Whether the stage that the candidate is in leads to this assessment and no other. Raises PlatformError."""
    candidate = candidate_snapshot(organization, opportunity, stage_name, clients)
    facts = Facts(
        event=DeliveryEvent.STAGE_CHANGE,
        stage_prefix=organization.stage_prefix,
        stage_id=candidate.stage_id,
        stage_name=stage_name,
        candidate=candidate,
        mappings=mapping_index(organization),
        assessments=(*live_assessments(organization), assessment),
        default_assessment=organization.default_assessment,
    )
    if not facts.trigger_policy.is_trigger(candidate.stage_id, stage_name):
        return False
    match = choose_assessment(facts, candidate)
    return match is not None and [found.id for found in match.found] == [assessment.id]
