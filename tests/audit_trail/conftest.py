"""The scene that each test of the audit trail is played in, and the one audit entry that an act writes."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.audit.models.entry import AuditEntry
from integrations.catalog import lists
from integrations.catalog.models import Role, RoleMapping
from integrations.clients import provider
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import Membership, PendingMembership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from tests.support import factories
from tests.support.second_factors import signed_in
from tests.support.statements import taken_after_the_head

SECRETS = ("audit-SECRET-token", "audit-SECRET-key", "Audit SECRET password")


class Scene:
    """A connected organization, and its Super Admin signed in."""

    def __init__(self, organization: Organization, owner: Any, sandbox: Any) -> None:
        self.organization, self.owner, self.sandbox = organization, owner, sandbox
        self.client = signed_in(owner)

    def post(self, name: str, data: dict[str, Any] | None = None, **kwargs: Any) -> None:
        answer = self.client.post(reverse(name, kwargs=kwargs), data or {})
        assert answer.status_code == 302, answer.content.decode()[:2000]

    def invitation(self, **columns: Any) -> Invitation:
        return factories.InvitationFactory.create(organization=self.organization, **columns)

    def member(self, role: str = Membership.Role.TEAM_MEMBER) -> Membership:
        user = factories.member(self.organization, role, f"member-{Membership.objects.count()}")
        return Membership.objects.get(user=user)

    def pending(self, address: str = "new@acme.example") -> PendingMembership:
        return factories.invited(self.organization, address)

    def mapping(self) -> RoleMapping:
        return RoleMapping.objects.create(
            organization=self.organization, role="Backend Engineer", assessment="Backend"
        )

    def delivery(self, verdict: str = "paused") -> Delivery:
        return factories.DeliveryFactory.create(
            organization=self.organization, verdict=verdict, decided_at=timezone.now(), due_at=None
        )

    def failed(self) -> Effect:
        return factories.EffectFactory.create(organization=self.organization, state="failed", due_at=None)

    def role(self) -> Role:
        lists.refresh_roles(self.organization, provider.lever_client(self.organization))
        lists.refresh_assessments(self.organization, provider.codescreen_client(self.organization))
        return Role.objects.get(organization=self.organization, title="Backend Engineer")


@pytest.fixture
def scene(connected_organization, super_admin, sandbox) -> Scene:
    return Scene(connected_organization, super_admin, sandbox)


#: Does the one thing that is audited, once everything it needs is there.
type Act = Callable[[], object]
#: Makes what an act needs, and returns the act.
type Prepare = Callable[[Scene], Act]


def ok(answer: Any) -> None:
    text = answer.getvalue().decode()  # a file is read to its end, which closes it
    assert answer.status_code in {200, 302}, text[:2000]


def of_row(row: Callable[[Scene], Any], name: str, data: dict[str, Any] | None = None) -> Prepare:
    def prepare(scene: Scene) -> Act:
        pk = row(scene).pk
        return lambda: scene.post(name, data, pk=pk)

    return prepare


def entry_written_by(act: Act) -> AuditEntry:
    """Act, and return the one entry that was written."""
    before = set(AuditEntry.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as captured:
        act()
    statements = [str(query["sql"]) for query in captured.captured_queries]
    assert not list(taken_after_the_head(statements))
    [entry] = AuditEntry.objects.exclude(pk__in=before)
    kept = json.dumps(entry.changes) + entry.target + entry.reason
    assert not any(secret in kept for secret in SECRETS)
    assert not re.search(r"gAAAA|pbkdf2|md5\$", kept)
    return entry
