"""Compare a configuration with the stored rows of its organization."""

from integrations.configuration.alerts import compare_alerts
from integrations.configuration.assessments import compare_assessments
from integrations.configuration.connections import compare_codescreen, compare_lever
from integrations.configuration.contents import Configuration
from integrations.configuration.mappings import compare_mappings
from integrations.configuration.members import compare_members
from integrations.configuration.organization import compare_organization
from integrations.configuration.plan import Plan
from integrations.configuration.single_sign_on import compare_single_sign_on
from integrations.models import Organization


def compare(configuration: Configuration) -> Plan:
    """Return what the file would change, in the order in which it is applied. Raises ConfigurationError."""
    stored = Organization.objects.filter(slug=configuration.slug).first()
    organization = stored or Organization(slug=configuration.slug)
    changes = [
        *compare_organization(configuration, organization),
        *compare_members(configuration.members, organization),
        *compare_lever(configuration.lever, organization),
        *compare_codescreen(configuration.codescreen, organization),
        *compare_single_sign_on(configuration.single_sign_on, organization),
        *compare_alerts(configuration.alerts, organization),
        *compare_mappings(configuration.mappings, organization),
        *compare_assessments(configuration.assessments, organization),
    ]
    return Plan(organization, changes)
