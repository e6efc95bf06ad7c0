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
    digest_of("acme"),
    digest_of("before acme"),
)


@dataclass
class Customer:
    organization: Organization
    rows: dict[type, Any] = field(default_factory=dict)


def make_customer(slug: str) -> Customer:
    """Return an organization with a row of every kind."""
    organization = factories.OrganizationFactory.create(slug=slug, webhook_key=f"{slug}-whole-webhook-key")
    customer, now = Customer(organization, {Organization: organization}), timezone.now()
    about = {"opportunity_id": f"opportunity-{slug}"}

    def add(model: Any, **columns: Any) -> Any:
        """Add the organization's row of this kind."""
        customer.rows[model] = model.objects.create(organization=organization, **columns)
        return customer.rows[model]

    add(
        LeverConnection,
        access_token="access-SECRET",
        refresh_token="refresh-SECRET",
        scopes="offline_access",
        connected_at=now,
        first_connected_at=now,
    )
    add(CodeScreenConnection, api_key="key-SECRET", webhook_secret="webhooksecret-SECRET", state="connected")
    add(
        LeverWebhook,
        signature_token="signature-SECRET",
        previous_signature_token="previous-SECRET",
        previous_until=now + timedelta(hours=1),
        url=organization.lever_webhook_url,
    )
    add(DutyRun, duty="sweep")
    add(CircuitBreaker, platform="lever", failures=2)
    add(Stage, external_id="stage-1", name=f"CodeScreen {slug}")
    add(Role, external_id="role-1", title=f"Engineer {slug}", state="published")
    add(Assessment, external_id="assessment-1", name=f"Backend {slug}")
    add(RoleMapping, role=f"Engineer {slug}", assessment=f"Backend {slug}")
    invitation = add(
        Invitation,
        **about,
        candidate_name=f"Candidate of {slug}",
        email=f"candidate@{slug}.example",
        assessment_id="assessment-1",
        assessment_name=f"Backend {slug}",
        status=Invitation.Status.HELD,
    )
    event = "candidateStageChange"
    delivery = add(
        Delivery,
        **about,
        platform="lever",
        event=event,
        dedupe_key=f"delivery-{slug}",
        payload={"event": event, "signature": "abc", "data": {"email": f"person@{slug}.example"}},
        verdict="held_for_approval",
        explanation=f"Waits for a yes at {slug}.",
        decided_at=now,
        due_at=None,
        invitation=invitation,
    )
    add(Verdict, delivery=delivery, code="held_for_approval", explanation=f"Waits at {slug}.", cause="first")
    add(
        Candidate,
        **about,
        name=f"Candidate of {slug}",
        email=f"candidate@{slug}.example",
        assessment_name=f"Backend {slug}",
        entered_at=now,
        delivery=delivery,
        invitation=invitation,
    )
    effect = add(
        Effect,
        **about,
        kind="leave_note",
        key=f"note-{slug}",
        invitation=invitation,
        delivery=delivery,
        payload={"lines": ["Dear person"], "recipients": [f"team@{slug}.example"]},
        state=Effect.State.FAILED,
        due_at=None,
        last_error="Lever answered 400",
    )
    customer.rows[Result] = Result.objects.create(invitation=invitation, outcome="Passed", score=82, rating=4)
    add(
        ApiCall,
        **about,
        platform="Lever",
        method="GET",
        path=f"/opportunities/opportunity-{slug}",
        status=200,
        duration_ms=12,
        correlation_id="c" * 32,
        delivery=delivery,
        effect=effect,
        response_body='{"id": "x"}',
    )
    add(AuditEntry, actor_name="configure", action="replay", target=f"delivery of {slug}")
    owner = User.objects.create_user(f"owner-{slug}", f"owner@{slug}.example", is_staff=True)
    add(Membership, user=owner, role=Membership.Role.SUPER_ADMIN)
    add(PendingMembership, email=f"invited@{slug}.example", role="team_member", invited_at=now)
    add(OpportunityPerson, **about, email=f"colleague@{slug}.example", relation="owner")
    expires_at = now + timedelta(days=9)
    add(
        ApiToken,
        name=f"Program of {slug}",
        digest=digest_of(slug),
        previous_digest=digest_of(f"before {slug}"),
        previous_until=expires_at,
        scopes=["results"],
        expires_at=expires_at,
    )
    add(WebhookRejection, platform="lever", code="signature_mismatch")
    add(Incident, code="webhook_removed")
    add(Erasure, opportunity_id=f"erased-{slug}", cause="forgotten", rows={"integrations_invitation": 1})
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
