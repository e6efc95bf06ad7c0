"""An organization about which each of the auditor's ten questions has an answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from integrations.catalog.acts import save_mapping
from integrations.catalog.models.role_mapping import RoleMapping
from integrations.clients.models import ApiCall
from integrations.core.finding_code import FindingCode
from integrations.core.verdict_code import VerdictCode
from integrations.health.models import Incident, WebhookRejection
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from tests.support import factories

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
    _invitation(organization, "holly", status="held", instance_id="")
    mapping = RoleMapping(organization=organization, role="Backend Engineer", assessment="Backend")
    save_mapping(mapping, admin)
    mapping.assessment = "Frontend"
    save_mapping(mapping, admin)
    for _ in range(3):
        WebhookRejection.record(organization, "lever", "signature_mismatch", "former_token")
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


def _invitation(organization: Organization, word: str, **columns: object) -> Invitation:
    values = {"status": "invited", "instance_id": f"i-{word}", **columns}
    invitation: Invitation = factories.InvitationFactory.create(
        organization=organization,
        opportunity_id=f"o-{word}",
        candidate_name=f"Candidate {word.capitalize()}",
        **values,
    )
    return invitation


def _done_effect(
    organization: Organization, word: str, at: datetime, done_at: datetime, **columns: object
) -> None:
    factories.EffectFactory.create(
        organization=organization,
        opportunity_id=f"o-{word}",
        created_at=at,
        done_at=done_at,
        state=Effect.State.DONE,
        due_at=None,
        **columns,
    )


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
    at = now - timedelta(days=1)
    delivery = _delivery(
        organization,
        "o-alder",
        at,
        VerdictCode.UNKNOWN_ASSESSMENT,
        explanation="CodeScreen has no assessment “Bakend”. Did you mean “Backend”?",
    )
    Candidate.objects.create(
        organization=organization,
        opportunity_id="o-alder",
        name="Candidate Alder",
        role_title="Backend Engineer",
        entered_at=at,
        delivery=delivery,
    )
    note = {"text": NOTE, "code": "unknown_assessment"}
    _done_effect(organization, "alder", at, at + timedelta(seconds=2), delivery=delivery, payload=note)


def _written(organization: Organization, now: datetime) -> None:
    at = now - timedelta(days=2)
    invitation = _invitation(
        organization,
        "birch",
        status="completed",
        created_at=at,
        invited_at=at,
        completed_at=at + timedelta(hours=3),
    )
    _delivery(organization, "o-birch", at, VerdictCode.INVITE, invitation=invitation)
    result = Result.objects.create(invitation=invitation, outcome="Passed", score=82, rating=4)
    for kind, payload in (
        ("write_feedback", {"result": result.pk}),
        ("set_progress_tag", {"tag": "CodeScreen: Assessment Completed"}),
    ):
        _done_effect(
            organization,
            "birch",
            at,
            at + timedelta(seconds=3),
            invitation=invitation,
            kind=kind,
            payload=payload,
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
    invitation = _invitation(organization, "cedar", created_at=began, invited_at=ended)
    _done_effect(
        organization,
        "cedar",
        began,
        ended,
        invitation=invitation,
        kind="send_invitation",
        payload={},
        attempts=6,
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
    invitation = _invitation(organization, "elm", created_at=began + timedelta(hours=1))
    delivery = _delivery(
        organization, "o-elm", began + timedelta(minutes=5), VerdictCode.DISCONNECTED, explanation="Refused."
    )
    delivery.due_at = factories.a_moment_ago()
    delivery.save()
    claimed = factories.claimed(Delivery, "worker")
    claimed.decide(VerdictCode.INVITE, "Backend is sent.", invitation)


def _second_round(organization: Organization, now: datetime) -> None:
    for number in (1, 2):
        _invitation(
            organization,
            "fir",
            contact_id="contact-fir",
            round=number,
            status="completed",
            instance_id=f"i-fir-{number}",
            created_at=now - timedelta(minutes=10 - number),
        )


def _sweep(organization: Organization, now: datetime) -> None:
    invitation = _invitation(organization, "maple")
    _delivery(organization, "o-maple", now, VerdictCode.INVITE, event="sweep", invitation=invitation)
