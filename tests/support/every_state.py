"""An organization with candidates in every state, of today and of weeks ago."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from integrations.audit.models.entry import AuditAction, AuditTarget, TargetKind
from integrations.audit.record import audit
from integrations.clients.models import CircuitBreaker
from integrations.core.invitation_status import FollowingEnd
from integrations.core.verdict_code import VerdictCode
from integrations.core.vocabulary import RejectionCode, ResultOutcome
from integrations.health.models import Incident, WebhookRejection
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.queue.models.duty_run import Duty, DutyRun
from tests.support import factories

STATUS = Invitation.Status
UNINVITED = [
    code
    for code in VerdictCode
    if code
    not in {VerdictCode.INVITE, VerdictCode.HELD_FOR_APPROVAL, VerdictCode.TEST_REQUEST, VerdictCode.NOTED}
]


class World:
    """An organization with candidates in every state, of today and of weeks ago."""

    def __init__(self, organization: Organization) -> None:
        self.organization, self.number = organization, 0

    def candidate(self, verdict: str, invitation: Invitation | None = None, **columns: object) -> None:
        """Let a candidate enter a stage, with the verdict about it."""
        at = columns.pop("at")
        delivery = factories.DeliveryFactory.create(
            organization=self.organization,
            opportunity_id=self.opportunity,
            verdict=verdict,
            explanation="Why it is so.",
            received_at=at,
            decided_at=at,
            due_at=None,
            invitation=invitation,
        )
        factories.CandidateFactory.create(
            organization=self.organization,
            opportunity_id=self.opportunity,
            name="Alder Birch",
            delivery=delivery,
            invitation=invitation,
            entered_at=at,
            origin=["", "agency", "referred"][self.number % 3],
            **columns,
        )
        if self.number % 2:
            factories.on_candidate(self.organization, self.opportunity, "owner@acme.example", "owner")

    @property
    def opportunity(self) -> str:
        return f"opportunity-{chr(97 + self.number // 26)}{chr(97 + self.number % 26)}"

    def invited(self, status: str, at, outcome: str | None = None, **columns: object) -> None:
        """Let a candidate be invited, and the invitation have this status, with a result unless `outcome` is None."""
        self.number += 1
        invitation = factories.InvitationFactory.create(
            organization=self.organization,
            opportunity_id=self.opportunity,
            status=status,
            instance_id="" if status in {STATUS.HELD, STATUS.PENDING, STATUS.FAILED} else self.opportunity,
            created_at=at,
            changed_at=timezone.now(),
            **columns,
        )
        held = status == STATUS.HELD
        if outcome is not None:
            Result.objects.create(invitation=invitation, outcome=outcome, score=82)
        self.candidate("held_for_approval" if held else "invite", invitation, at=at, outcome=outcome or "")

    def not_invited(self, verdict: str, at) -> None:
        """Let a candidate enter a stage and get no assessment."""
        self.number += 1
        self.candidate(verdict, at=at)


def make_every_state(organization: Organization) -> Organization:
    """Give the organization candidates in every state, and something in every list of the operators."""
    make_candidates(organization)
    _make_earlier(World(organization))
    _troubles(organization)
    return organization


def _make_earlier(made: World) -> None:
    """Let what waits for a person be of earlier invitations and steps: several of one candidate count as one."""
    at, made.number = timezone.now() - timedelta(days=2), 600
    for status in (STATUS.HELD, STATUS.UNCERTAIN, STATUS.FAILED):
        made.invited(STATUS.INVITED, timezone.now(), invited_at=timezone.now())
        own: dict[str, Any] = {"organization": made.organization, "opportunity_id": made.opportunity}
        steps = {"state": "failed", "due_at": None}
        for number in range(2):
            earlier = factories.InvitationFactory.create(
                **own, assessment_id=f"earlier-{number}", status=status, created_at=at
            )
            if status == STATUS.FAILED:
                factories.EffectFactory.create(**own, **steps, kind="send_invitation", invitation=earlier)
                factories.EffectFactory.create(**own, **steps)
    made.number += 1
    own = {"organization": made.organization, "opportunity_id": made.opportunity}
    cancelled = factories.InvitationFactory.create(**own, status=STATUS.WITHDRAWN, created_at=at)
    offered = {"verdict": VerdictCode.ENTERED_BEFORE, "decided_at": at, "due_at": None}
    factories.DeliveryFactory.create(**own, **offered)
    made.candidate(VerdictCode.ENTERED_BEFORE, cancelled, at=timezone.now())


def make_candidates(organization: Organization, ages: Sequence[int] = (0, 1, 40)) -> None:
    """Give the organization candidates in every state, who entered so many days ago."""
    made, now = World(organization), timezone.now()
    for at in (now - timedelta(days=age) for age in ages):
        for status in (STATUS.HELD, STATUS.PENDING, STATUS.UNCERTAIN, STATUS.FAILED):
            made.invited(status, at)
        for status in (STATUS.INVITED, STATUS.WITHDRAWN):
            made.invited(status, at, invited_at=at)
        made.invited(STATUS.IN_PROGRESS, at, invited_at=at, started_at=at)
        made.invited(STATUS.SUBMITTED, at, invited_at=at, started_at=at, submitted_at=at)
        for outcome in ("", *ResultOutcome):
            made.invited(STATUS.COMPLETED, at, outcome, invited_at=at, completed_at=at)
        done = {"invited_at": at, "started_at": at, "completed_at": now}
        made.invited(STATUS.COMPLETED, at, ResultOutcome.FAILED, **done)
        for end in (FollowingEnd.NOT_STARTED, FollowingEnd.GONE):
            made.invited(STATUS.INVITED, at, invited_at=at, following_ended=end, following_ended_at=at)
        for code in UNINVITED:
            made.not_invited(code, at)
        for state in ("failed", "done"):
            factories.EffectFactory.create(organization=organization, state=state, due_at=None, created_at=at)


def _troubles(organization: Organization) -> None:
    """Let something stand in every list of the operators."""
    own, now = {"organization": organization}, timezone.now()
    for number in range(2):
        factories.DeliveryFactory.create(**own, due_at=None, last_error="It crashed.")
        factories.DeliveryFactory.create(
            **own, opportunity_id=f"found-{number}", event="sweep", received_at=now
        )
        WebhookRejection.objects.create(**own, platform="lever", code=list(RejectionCode)[number], count=5)
        DutyRun.objects.create(**own, duty=list(Duty)[number], failures=4)
        Incident.objects.create(**own, code=["platform_down", "duty_failing"][number], began_at=now)
        audit(
            AuditTarget(TargetKind.ORGANIZATION, 1, "Acme"),
            "configure",
            AuditAction.CHANGE_POLICIES,
            organization=organization,
        )
    CircuitBreaker.objects.create(**own, platform="lever", failures=2)
