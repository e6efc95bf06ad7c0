"""Two customers with a row of every kind, and people in every role of the first."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from integrations.api.models import ApiToken, digest_of
from integrations.audit.models.entry import AuditEntry
from integrations.catalog.models import Assessment, Role, RoleMapping, Stage
from integrations.clients.models import ApiCall, CircuitBreaker
from integrations.codescreen.models import CodeScreenConnection
from integrations.health.models import Incident, WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership, PendingMembership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.privacy.models import Erasure
from integrations.queue.models.duty_run import DutyRun
from tests.support import factories

SECRETS = (
    "access-SECRET",
    "refresh-SECRET",
    "key-SECRET",
    "webhooksecret-SECRET",
    "signature-SECRET",
    "previous-SECRET",
    "client-SECRET",
    "url-SECRET",
    "whsec_SECRETsigningSECRETsigningSECRET",
)


@dataclass
class Customer:
    organization: Organization
    rows: dict[type, Any] = field(default_factory=dict)


def make_customer(slug: str) -> Customer:
    organization = factories.OrganizationFactory.create(slug=slug, webhook_key=f"{slug}-whole-webhook-key")
    customer = Customer(organization)
    own = {"organization": organization}
    rows = customer.rows
    rows[Organization] = organization
    rows[LeverConnection] = LeverConnection.objects.create(
        **own,
        access_token="access-SECRET",
        refresh_token="refresh-SECRET",
        scopes="offline_access",
        connected_at=timezone.now(),
        first_connected_at=timezone.now(),
    )
    rows[CodeScreenConnection] = CodeScreenConnection.objects.create(
        **own, api_key="key-SECRET", webhook_secret="webhooksecret-SECRET", state="connected"
    )
    rows[LeverWebhook] = LeverWebhook.objects.create(
        **own,
        signature_token="signature-SECRET",
        previous_signature_token="previous-SECRET",
        previous_until=timezone.now() + timedelta(hours=1),
        url=organization.lever_webhook_url,
    )
    rows[DutyRun] = DutyRun.objects.create(**own, duty="sweep")
    rows[CircuitBreaker] = CircuitBreaker.objects.create(**own, platform="lever", failures=2)
    rows[Stage] = Stage.objects.create(**own, external_id="stage-1", name=f"CodeScreen {slug}")
    rows[Role] = Role.objects.create(**own, external_id="role-1", title=f"Engineer {slug}", state="published")
    rows[Assessment] = Assessment.objects.create(**own, external_id="assessment-1", name=f"Backend {slug}")
    rows[RoleMapping] = RoleMapping.objects.create(
        **own, role=f"Engineer {slug}", assessment=f"Backend {slug}"
    )
    invitation = rows[Invitation] = Invitation.objects.create(
        **own,
        opportunity_id=f"opportunity-{slug}",
        candidate_name=f"Candidate of {slug}",
        email=f"candidate@{slug}.example",
        assessment_id="assessment-1",
        assessment_name=f"Backend {slug}",
        status=Invitation.Status.HELD,
    )
    delivery = rows[Delivery] = Delivery.objects.create(
        **own,
        platform="lever",
        event="candidateStageChange",
        dedupe_key=f"delivery-{slug}",
        opportunity_id=f"opportunity-{slug}",
        payload={
            "event": "candidateStageChange",
            "signature": "abc",
            "data": {"email": f"person@{slug}.example"},
        },
        verdict="held_for_approval",
        explanation=f"Waits for a yes at {slug}.",
        decided_at=timezone.now(),
        due_at=None,
        invitation=invitation,
    )
    rows[Verdict] = Verdict.objects.create(
        **own, delivery=delivery, code="held_for_approval", explanation=f"Waits at {slug}.", cause="first"
    )
    rows[Candidate] = Candidate.objects.create(
        **own,
        opportunity_id=f"opportunity-{slug}",
        name=f"Candidate of {slug}",
        email=f"candidate@{slug}.example",
        assessment_name=f"Backend {slug}",
        entered_at=timezone.now(),
        delivery=delivery,
        invitation=invitation,
    )
    effect = rows[Effect] = Effect.objects.create(
        **own,
        kind="leave_note",
        key=f"note-{slug}",
        opportunity_id=f"opportunity-{slug}",
        invitation=invitation,
        delivery=delivery,
        payload={"lines": ["Dear person"], "recipients": [f"team@{slug}.example"]},
        state=Effect.State.FAILED,
        due_at=None,
        last_error="Lever answered 400",
    )
    rows[Result] = Result.objects.create(invitation=invitation, outcome="Passed", score=82, rating=4)
    rows[ApiCall] = ApiCall.objects.create(
        **own,
        platform="Lever",
        method="GET",
        path=f"/opportunities/opportunity-{slug}",
        status=200,
        duration_ms=12,
        correlation_id="c" * 32,
        opportunity_id=f"opportunity-{slug}",
        delivery=delivery,
        effect=effect,
        response_body='{"id": "x"}',
    )
    rows[AuditEntry] = AuditEntry.objects.create(
        **own, actor_name="configure", action="replay", target=f"delivery of {slug}"
    )
    owner = User.objects.create_user(f"owner-{slug}", f"owner@{slug}.example", is_staff=True)
    rows[Membership] = Membership.objects.create(**own, user=owner, role=Membership.Role.SUPER_ADMIN)
    rows[PendingMembership] = PendingMembership.objects.create(
        **own, email=f"invited@{slug}.example", role="team_member", invited_at=timezone.now()
    )
    rows[OpportunityPerson] = OpportunityPerson.objects.create(
        **own, opportunity_id=f"opportunity-{slug}", email=f"colleague@{slug}.example", relation="owner"
    )
    rows[ApiToken] = ApiToken.objects.create(
        **own,
        name=f"Program of {slug}",
        digest=digest_of(slug),
        scopes=["results"],
        expires_at=timezone.now() + timedelta(days=9),
    )
    rows[WebhookRejection] = WebhookRejection.objects.create(
        **own, platform="lever", code="signature_mismatch"
    )
    rows[Incident] = Incident.objects.create(**own, code="webhook_removed")
    rows[Erasure] = Erasure.objects.create(
        **own, opportunity_id=f"erased-{slug}", cause="forgotten", rows={"integrations_invitation": 1}
    )
    return customer


@pytest.fixture
def acme(db: None) -> Customer:
    return make_customer("acme")


@pytest.fixture
def globex(db: None) -> Customer:
    return make_customer("globex")


def sign_in(
    role: str | None, *customers: Customer, is_staff: bool = True, is_superuser: bool = False
) -> Client:
    name = f"{role or 'nobody'}-{'staff' if is_staff else 'plain'}-{is_superuser}"
    user = User.objects.create_user(name, is_staff=is_staff, is_superuser=is_superuser)
    for customer in customers:
        if role:
            Membership.objects.create(user=user, organization=customer.organization, role=role)
    client = Client()
    client.force_login(user, backend="portal.accounts.backend.PasswordBackend")
    return client
