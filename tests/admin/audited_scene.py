"""An organization about which each of the auditor's ten questions has an answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from integrations.models import (
    AnnouncedHead,
    ApiCall,
    Candidate,
    ChainHead,
    Delivery,
    Effect,
    Incident,
    Membership,
    Organization,
    Result,
    RoleMapping,
    WebhookRejection,
)
from integrations.vocabulary import VerdictCode
from integrations.workflow.health.findings import FindingCode
from integrations.workflow.operations.mappings import save_mapping
from tests import factories

NOTE = "CodeScreen: nothing was sent, because CodeScreen has no assessment “Bakend”. Did you mean “Backend”?"


@dataclass(frozen=True)
class Scene:
    """The organization and its auditor, who is staff and a Team Member."""

    organization: Organization
    auditor: User


def make_scene(now: datetime | None = None) -> Scene:
    """Create the organization with its two weeks."""
    now = now or timezone.now()
    organization = factories.OrganizationFactory.create(slug="acme", name="Acme")
    auditor: User = factories.member(organization, Membership.Role.TEAM_MEMBER, "auditor")
    admin: User = factories.member(organization, Membership.Role.ADMIN, "lead")
    User.objects.filter(pk=auditor.pk).update(is_staff=True)
    factories.LeverConnectionFactory.create(organization=organization)
    factories.CodeScreenConnectionFactory.create(organization=organization)
    _no_test(organization, now)
    _written(organization, now)
    _outage(organization, now)
    _refused_key(organization, now)
    _second_round(organization, now)
    _sweep(organization, now)
    factories.InvitationFactory.create(
        organization=organization, opportunity_id="o-held", candidate_name="Candidate Holly", status="held"
    )
    mapping = RoleMapping(organization=organization, role="Backend Engineer", assessment="Backend")
    save_mapping(mapping, admin)
    mapping.assessment = "Frontend"
    save_mapping(mapping, admin)
    for _ in range(3):
        WebhookRejection.record(organization, "lever", "signature_mismatch", "expired_token")
    head = ChainHead.objects.get(pk=organization.pk)
    AnnouncedHead.objects.create(chain=organization.pk, position=head.position, hash=head.hash)
    return Scene(organization, User.objects.get(pk=auditor.pk))


def _delivery(
    organization: Organization, candidate: str, at: datetime, verdict: str, **columns: object
) -> Delivery:
    delivery: Delivery = factories.DeliveryFactory.create(
        organization=organization,
        opportunity_id=candidate,
        received_at=at,
        decided_at=at,
        due_at=None,
        verdict=verdict,
        **columns,
    )
    return delivery


def _call(
    organization: Organization, platform: str, at: datetime, status: int | None, **columns: object
) -> None:
    ApiCall.objects.create(
        organization=organization,
        platform=platform,
        method="POST" if platform == "codescreen" else "GET",
        path="/assessments" if platform == "codescreen" else "/stages",
        status=status,
        duration_ms=120,
        correlation_id="c" * 32,
        at=at,
        error="" if status else "no answer within 10 seconds",
        **columns,
    )


def _no_test(organization: Organization, now: datetime) -> None:
    delivery = _delivery(
        organization,
        "o-alder",
        now - timedelta(days=1),
        VerdictCode.UNKNOWN_ASSESSMENT,
        explanation="CodeScreen has no assessment “Bakend”. Did you mean “Backend”?",
    )
    Candidate.objects.create(
        organization=organization,
        opportunity_id="o-alder",
        name="Candidate Alder",
        role_title="Backend Engineer",
        entered_at=now - timedelta(days=1),
        delivery=delivery,
    )
    factories.EffectFactory.create(
        organization=organization,
        opportunity_id="o-alder",
        delivery=delivery,
        payload={"text": NOTE, "code": "unknown_assessment"},
        created_at=now - timedelta(days=1),
        done_at=now - timedelta(days=1) + timedelta(seconds=2),
        state=Effect.State.DONE,
        due_at=None,
    )


def _written(organization: Organization, now: datetime) -> None:
    at = now - timedelta(days=2)
    invitation = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-birch",
        candidate_name="Candidate Birch",
        status="completed",
        instance_id="i-birch",
        created_at=at,
        invited_at=at,
        completed_at=at + timedelta(hours=3),
    )
    _delivery(organization, "o-birch", at, VerdictCode.INVITE, invitation=invitation)
    result = Result.objects.create(invitation=invitation, outcome="Passed", score=82, rating=4)
    done = {
        "state": Effect.State.DONE,
        "due_at": None,
        "created_at": at,
        "done_at": at + timedelta(seconds=3),
    }
    own = {"organization": organization, "opportunity_id": "o-birch", "invitation": invitation}
    factories.EffectFactory.create(**own, **done, kind="write_feedback", payload={"result": result.pk})
    factories.EffectFactory.create(
        **own, **done, kind="set_progress_tag", payload={"tag": "CodeScreen: Assessment Completed"}
    )


def _outage(organization: Organization, now: datetime) -> None:
    began = now - timedelta(days=3)
    ended = began + timedelta(minutes=40)
    Incident.objects.create(
        organization=organization,
        code=FindingCode.PLATFORM_DOWN,
        began_at=began,
        notified_at=began + timedelta(minutes=10),
        ended_at=ended,
    )
    invitation = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-cedar",
        candidate_name="Candidate Cedar",
        status="invited",
        instance_id="i-cedar",
        created_at=began,
        invited_at=ended,
    )
    factories.EffectFactory.create(
        organization=organization,
        opportunity_id="o-cedar",
        invitation=invitation,
        kind="send_invitation",
        payload={},
        state=Effect.State.DONE,
        attempts=6,
        due_at=None,
        created_at=began,
        done_at=ended,
    )
    for minute in range(5):
        _call(organization, "codescreen", began + timedelta(minutes=minute), None, opportunity_id="o-cedar")
    for minute in range(20):
        _call(organization, "codescreen", now - timedelta(minutes=minute + 1), 200)
        _call(organization, "lever", now - timedelta(minutes=minute + 2), 200)


def _refused_key(organization: Organization, now: datetime) -> None:
    began = now - timedelta(days=5)
    Incident.objects.create(
        organization=organization,
        code=FindingCode.CODESCREEN_KEY_REFUSED,
        began_at=began,
        ended_at=began + timedelta(hours=1),
    )
    invitation = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-elm",
        candidate_name="Candidate Elm",
        status="invited",
        instance_id="i-elm",
        created_at=began + timedelta(hours=1),
    )
    delivery = _delivery(
        organization, "o-elm", began + timedelta(minutes=5), VerdictCode.DISCONNECTED, explanation="Refused."
    )
    delivery.due_at = factories.a_moment_ago()
    delivery.save()
    claimed = factories.claimed(Delivery, "worker")
    claimed.decide(VerdictCode.INVITE, "Backend is sent.", invitation)


def _second_round(organization: Organization, now: datetime) -> None:
    for number in (1, 2):
        factories.InvitationFactory.create(
            organization=organization,
            opportunity_id="o-fir",
            contact_id="contact-fir",
            candidate_name="Candidate Fir",
            round=number,
            status="completed",
            instance_id=f"i-fir-{number}",
            created_at=now - timedelta(minutes=10 - number),
        )


def _sweep(organization: Organization, now: datetime) -> None:
    invitation = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id="o-maple",
        candidate_name="Candidate Maple",
        status="invited",
        instance_id="i-maple",
    )
    _delivery(organization, "o-maple", now, VerdictCode.INVITE, event="sweep", invitation=invitation)
