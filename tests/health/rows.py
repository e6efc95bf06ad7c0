"""The findings of one organization, for the tests of the doctor."""

from integrations.health.doctor import findings
from integrations.health.findings import Finding
from integrations.organizations.models.organization import Organization


def only_finding(organization: Organization) -> Finding:
    """Return the organization's only finding."""
    found = findings(Organization.objects.get(pk=organization.pk))
    assert len(found) == 1, found
    return found[0]
