"""Facts that lead to an invitation, for the tests of the rules to change."""

from dataclasses import replace

from integrations.core.invitation_status import InvitationStatus
from integrations.core.rules.facts import CandidateSnapshot, ExistingInvitation, Facts
from integrations.core.rules.mappings import MappingIndex, MappingRule
from integrations.core.rules.names import KnownAssessment
from integrations.core.vocabulary import DeliveryEvent

BACKEND = KnownAssessment("id-backend", "Backend")
FRONTEND = KnownAssessment("id-frontend", "Frontend Developer")

CANDIDATE = CandidateSnapshot(
    stage_id="stage-1",
    stage_name="CodeScreen Assessment",
    role_id="role-1",
    role_title="Backend Engineer",
    emails=("alder@candidates.example",),
)
FACTS = Facts(
    event=DeliveryEvent.STAGE_CHANGE,
    stage_id="stage-1",
    stage_name="CodeScreen Assessment",
    candidate=CANDIDATE,
    mappings=MappingIndex([MappingRule("Backend Engineer", "", "Backend")]),
    assessments=(BACKEND, FRONTEND),
    bulk_limit=50,
)


def existing_invitation(status=InvitationStatus.INVITED, *, was_sent=True, assessment=BACKEND.id):
    return ExistingInvitation(
        7, assessment, InvitationStatus(status), "invited, not started (1 May 2026, 09:00 UTC)", was_sent
    )


def with_candidate(facts=FACTS, **changes):
    return replace(facts, candidate=replace(facts.candidate, **changes))
