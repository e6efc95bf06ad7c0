"""Rows and findings of one organization, for the tests of the doctor."""

from integrations.health.doctor import findings
from integrations.health.findings import Finding
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization


def only_finding(organization: Organization) -> Finding:
    """Return the organization's only finding."""
    found = findings(Organization.objects.get(pk=organization.pk))
    assert len(found) == 1, found
    return found[0]


def create_invitation(organization: Organization, number: int, **values: object) -> Invitation:
    return Invitation.objects.create(
        organization=organization,
        opportunity_id=f"opportunity-{number}",
        assessment_id="backend",
        assessment_name="Backend",
        **values,
    )
