"""An organization that the doctor finds nothing wrong with."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.codescreen.models import CodeScreenConnection
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import scopes_of
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.queue.models.nodes import Heartbeat


@pytest.fixture
def healthy_organization(db) -> Organization:
    """An organization with everything set up and a worker alive."""
    organization = Organization.objects.create(name="Acme", slug="acme")
    owner = User.objects.create_user("owner")
    Membership.objects.create(organization=organization, user=owner, role=Membership.Role.SUPER_ADMIN)
    now = timezone.now()
    LeverConnection.objects.create(
        organization=organization,
        access_token="access",
        scopes=" ".join(scopes_of(attaches_files=True)),
        connected_at=now,
        first_connected_at=now,
        stages_refreshed_at=now,
        roles_refreshed_at=now,
        swept_at=now,
    )
    LeverWebhook.objects.create(organization=organization, signature_token="token", last_received_at=now)
    CodeScreenConnection.objects.create(
        organization=organization,
        api_key="key",
        state="connected",
        assessments_refreshed_at=now,
        states_results=True,
    )
    Assessment.objects.create(organization=organization, external_id="backend", name="Backend")
    Stage.objects.create(organization=organization, external_id="stage-1", name="CodeScreen Assessment")
    Role.objects.create(organization=organization, external_id="role-1", title="Engineer", state="published")
    RoleMapping.objects.create(organization=organization, role="Engineer", assessment="Backend")
    Heartbeat.beat()
    return organization
