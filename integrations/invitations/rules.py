"""The rules that hold for one invitation."""

from functools import partial

from integrations.catalog.models.role_mapping import AssessmentRules
from integrations.catalog.role_rules import RoleRules, rules_of_assessment
from integrations.core.rules.names import KnownAssessment
from integrations.invitations.models.invitation import Invitation


def role_rules_of(invitation: Invitation) -> RoleRules:
    """Return the rules that hold for the candidate: of the mapping that led here, the assessment, the organization."""
    of_assessment = partial(assessment_rules_of, invitation)
    return RoleRules(invitation.organization, invitation.mapping, of_assessment)


def assessment_rules_of(invitation: Invitation) -> AssessmentRules | None:
    """Return the rules of the invitation's assessment; None without any."""
    assessment = KnownAssessment(invitation.assessment_id, invitation.assessment_name)
    return rules_of_assessment(invitation.organization, assessment)
