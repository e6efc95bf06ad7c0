"""Factories of rows with default values."""

from datetime import timedelta
from typing import Any
from unittest import mock

import factory
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrations.api.acts import make_token
from integrations.api.models import ApiScope, ApiToken
from integrations.audit.models.entry import AuditAction, AuditEntry
from integrations.clients.models import ApiCall
from integrations.codescreen.models import CodeScreenConnection
from integrations.core.vocabulary import VerdictCause
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.members.models.membership import Membership, PendingMembership
from integrations.organizations.acts import create_organization
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect

SIGNATURE_TOKEN = "0123456789abcdef" * 3
WEBHOOK_SECRET = "whsec_Y29kZXNjcmVlbi1jb250cmFjdC10ZXN0LXNlY3JldCE="


def recorded():
    """Return the audit entries but those that organizations were made."""
    return AuditEntry.objects.exclude(action=AuditAction.CREATE_ORGANIZATION)


def a_moment_ago():
    """Return a time that is in the past by the database's clock too, which may have millisecond precision."""
    return timezone.now() - timedelta(seconds=1)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"user-{number}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@portal.example")
    password = factory.django.Password("correct horse battery")


class OrganizationFactory(DjangoModelFactory):
    class Meta:
        model = Organization

    slug = factory.Sequence(lambda number: f"org-{number}")
    name = factory.LazyAttribute(lambda organization: organization.slug.title())
    attach_report = False  # the tests of the report switch it on

    @classmethod
    def _create(cls, model_class: type[Organization], *args: Any, **kwargs: Any) -> Organization:
        """Make it as the portal makes one, which its own log then knows."""
        organization = model_class(*args, **kwargs)
        with mock.patch.object(organization, "full_clean"):  # it takes two thirds of the time
            create_organization(organization, "configure")
        return organization


class LeverConnectionFactory(DjangoModelFactory):
    class Meta:
        model = LeverConnection

    organization = factory.SubFactory(OrganizationFactory)
    access_token = "access-1"
    refresh_token = "refresh-1"
    access_expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))
    refreshed_at = factory.LazyFunction(timezone.now)
    connected_at = factory.LazyFunction(timezone.now)
    first_connected_at = factory.SelfAttribute("connected_at")
    lever_user_id = "lever-user"
    lever_account_id = "lever-account"


def by_key(organization: Organization, api_key: str = "key-1", **values: Any) -> LeverConnection:
    """Return a working connection by API key."""
    return LeverConnectionFactory.create(
        organization=organization,
        **{
            "api_key": api_key,
            "access_token": "",
            "refresh_token": "",
            "access_expires_at": None,
            "lever_account_id": "",
            **values,
        },
    )


class CodeScreenConnectionFactory(DjangoModelFactory):
    class Meta:
        model = CodeScreenConnection

    organization = factory.SubFactory(OrganizationFactory)
    api_key = "codescreen-key"
    state = CodeScreenConnection.State.CONNECTED


class LeverWebhookFactory(DjangoModelFactory):
    class Meta:
        model = LeverWebhook

    organization = factory.SubFactory(OrganizationFactory)
    signature_token = SIGNATURE_TOKEN


class DeliveryFactory(DjangoModelFactory):
    class Meta:
        model = Delivery
        skip_postgeneration_save = True

    organization = factory.SubFactory(OrganizationFactory)
    platform = Delivery.Platform.LEVER
    event = "candidateStageChange"
    dedupe_key = factory.Sequence(lambda number: f"id:{number}")
    opportunity_id = "opportunity-1"
    payload = factory.LazyAttribute(
        lambda delivery: {
            "event": delivery.event,
            "data": {"opportunityId": delivery.opportunity_id, "toStageId": "stage-codescreen"},
        }
    )
    due_at = factory.LazyFunction(a_moment_ago)

    @factory.post_generation
    def current_verdict(self, create, extracted, **_):
        """Store the verdict that the columns hold as a row too, as deciding does."""
        if create and self.verdict:
            VerdictFactory(delivery=self)


class VerdictFactory(DjangoModelFactory):
    class Meta:
        model = Verdict

    delivery = factory.SubFactory(DeliveryFactory)
    organization = factory.SelfAttribute("delivery.organization")
    code = factory.SelfAttribute("delivery.verdict")
    explanation = factory.SelfAttribute("delivery.explanation")
    assessment_source = factory.SelfAttribute("delivery.assessment_source")
    assessment_written = factory.SelfAttribute("delivery.assessment_written")
    invitation = factory.SelfAttribute("delivery.invitation")
    decided_at = factory.SelfAttribute("delivery.decided_at")
    cause = VerdictCause.FIRST


class InvitationFactory(DjangoModelFactory):
    class Meta:
        model = Invitation

    organization = factory.SubFactory(OrganizationFactory)
    opportunity_id = factory.Sequence(lambda number: f"opportunity-{number}")
    contact_id = factory.Sequence(lambda number: f"contact-{number}")
    candidate_name = "Candidate Alder"
    email = factory.LazyAttribute(
        lambda invitation: f"{invitation.contact_id or 'nobody'}@candidates.example"
    )
    assessment_id = "assessment-backend"
    assessment_name = "Backend"
    checked_at = factory.LazyFunction(timezone.now)
    changed_at = factory.LazyFunction(timezone.now)
    created_at = factory.LazyFunction(timezone.now)


def in_status(organization: Organization, status: str, **columns: object) -> Invitation:
    """Return an invitation in that status, with CodeScreen's id where it has one by then."""
    is_sent = status in {"invited", "in_progress", "submitted", "completed"}
    values = {"status": status, "instance_id": "instance-1" if is_sent else ""}
    return InvitationFactory.create(organization=organization, **values | columns)


class CandidateFactory(DjangoModelFactory):
    class Meta:
        model = Candidate

    organization = factory.SubFactory(OrganizationFactory)
    opportunity_id = factory.Sequence(lambda number: f"opportunity-{number}")
    name = "Candidate Alder"
    email = factory.LazyAttribute(lambda candidate: f"{candidate.opportunity_id}@candidates.example")
    role_id = "role-backend"
    role_title = "Backend Engineer"
    stage_name = "CodeScreen Assessment"
    entered_at = factory.LazyFunction(timezone.now)


class EffectFactory(DjangoModelFactory):
    class Meta:
        model = Effect

    organization = factory.SubFactory(OrganizationFactory)
    kind = Effect.Kind.LEAVE_NOTE
    key = factory.Sequence(str)
    opportunity_id = factory.LazyAttributeSequence(
        lambda effect, number: getattr(
            getattr(effect, "invitation", None), "opportunity_id", f"opportunity-{number}"
        )
    )
    payload = factory.LazyFunction(lambda: {"text": "CodeScreen: nothing was sent.", "code": "no_email"})
    due_at = factory.LazyFunction(a_moment_ago)


class ApiCallFactory(DjangoModelFactory):
    class Meta:
        model = ApiCall

    organization = factory.SubFactory(OrganizationFactory)
    platform = "lever"
    method = "GET"
    path = "/"
    duration_ms = 1
    correlation_id = "c"


def attached_report(organization, opportunity_id, **columns) -> Any:
    """Store that a report was attached to the candidate in Lever. Return the effect."""
    name = "codescreen-report-a1-1.pdf"
    values = {
        "kind": "attach_report",
        "opportunity_id": opportunity_id,
        "payload": {"result": 1, "name": name},
        "written": {"file": name, "is_kept": True},
        "state": "done",
        "due_at": None,
        "done_at": timezone.now(),
        **columns,
    }
    return EffectFactory(organization=organization, **values)


def member(organization, role, name):
    """Create a user with that role in the organization. Return the user."""
    user: Any = UserFactory(username=f"{name}-{organization.slug}")
    Membership.objects.create(user=user, organization=organization, role=role, address=user.email)
    return user


def invited(organization, address, role=Membership.Role.TEAM_MEMBER):
    """Invite an address to the organization. Return the pending membership."""
    return PendingMembership.objects.create(
        organization=organization, email=address, role=role, invited_at=timezone.now()
    )


def on_candidate(organization, opportunity_id, address, relation="follower"):
    """Let Lever have shown that the person with that address is on the candidate."""
    return OpportunityPerson.objects.create(
        organization=organization, opportunity_id=opportunity_id, email=address, relation=relation
    )


def prove_address(user):
    """Store that the user once opened a link that was sent to their address."""
    EmailAddress.objects.create(user=user, email=user.email.lower(), verified=True, primary=True)


def claimed(model, owner) -> Any:
    """Claim a due row for `owner`, as a worker does. Return the row."""
    row = model.claim(owner)
    assert row is not None
    return row


def decide(delivery, code, explanation=None, **more) -> None:
    """Lease the delivery and decide it, as a worker does."""
    leased = delivery.lease()
    assert leased is not None
    told = f"It is {code}." if explanation is None else explanation
    assert leased.decide(code, told, **more)


def api_token(organization, name="warehouse", maker="tests") -> ApiToken:
    """Return a token with every scope."""
    return make_token(organization, name, list(ApiScope), 30, maker).token
