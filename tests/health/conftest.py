"""An organization that the doctor finds nothing wrong with, and what it finds after a change."""

import pytest
from django.utils import timezone

from integrations.health.doctor import findings
from integrations.health.findings import Finding
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import scopes_of
from integrations.organizations.models.organization import Organization
from integrations.queue.models.nodes import Heartbeat


@pytest.fixture
def healthy_organization(ready_organization, super_admin) -> Organization:
    """An organization with everything set up and a worker alive."""
    now = timezone.now()
    LeverConnection.objects.update(
        scopes=" ".join(scopes_of(attaches_files=True)),
        stages_refreshed_at=now,
        roles_refreshed_at=now,
        swept_at=now,
    )
    LeverWebhook.objects.update(last_received_at=now)
    Organization.objects.update(attach_report=True)
    Heartbeat.beat()
    return Organization.objects.get()


def only_finding(organization: Organization) -> Finding:
    """Return the organization's only finding."""
    found = findings(Organization.objects.get(pk=organization.pk))
    assert len(found) == 1, found
    return found[0]
