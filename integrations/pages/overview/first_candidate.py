"""The first candidate after the set-up: what to do in Lever, and the journey of the first one as it happens."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.catalog.models import Stage
from integrations.core.invitation_status import InvitationStatus
from integrations.health.checks.webhooks import open_rejection
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import next_step
from integrations.invitations.models.invitation import Invitation
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.pages.candidate.card import Step, StepState

#: For how long the overview shows the first journey, where it doesn't end before.
SHOWN_FOR = timedelta(days=7)
LABELS = ("Moved", "Invited", "Tag written", "Started", "Result", "Feedback")
_ENDED = (InvitationStatus.WITHDRAWN, InvitationStatus.FAILED)


@dataclass(frozen=True)
class FirstCandidate:
    """What the overview shows until the first candidate's feedback stands in Lever.

    `state` is a sentence about now. `invitation` is the first one, `delivery` the latest stage change without one.
    """

    steps: Sequence[Step]
    state: str
    invitation: Invitation | None = None
    delivery: Delivery | None = None
    #: Whether feedback stands in Lever, or the journey began too long ago to be news.
    is_over: bool = False

    @property
    def opportunity_id(self) -> str:
        """Whose page tells more; empty while nobody was moved."""
        about = self.invitation or self.delivery
        return about.opportunity_id if about else ""


def first_candidate(organization: Organization, stages: Sequence[Stage]) -> FirstCandidate:
    """Return how far the first candidate came; until somebody is invited, what became of the latest stage change."""
    of_lever = Delivery.objects.filter(organization=organization, platform=Delivery.Platform.LEVER)
    changes = of_lever.exclude(opportunity_id="").exclude(verdict=Delivery.VerdictCode.TEST_REQUEST)
    own = Invitation.objects.filter(organization=organization)
    invitation = own.exclude(status__in=_ENDED).select_related("organization").order_by("pk").first()
    if invitation is not None:
        moved = changes.filter(opportunity_id=invitation.opportunity_id).order_by("pk").first()
        steps = _journey(invitation, moved.received_at if moved else invitation.created_at)
        written = Effect.objects.filter(organization=organization, kind=Effect.Kind.WRITE_FEEDBACK)
        is_over = (
            invitation.created_at < timezone.now() - SHOWN_FOR
            or written.filter(state=Effect.State.DONE).exists()
        )
        return FirstCandidate(steps, _said(invitation, steps), invitation, is_over=is_over)
    latest = changes.order_by("-received_at", "-pk").first()
    nobody = [Step(label, StepState.TO_COME) for label in LABELS]
    if latest is None:
        rejection = open_rejection(organization, Delivery.Platform.LEVER)
        state = "Nobody has been moved yet."
        if rejection:
            state = f"We rejected Lever's last message: {rejection.reason}. {rejection.fix}"
        elif not stages:
            state = "Lever has no such stage yet."
        return FirstCandidate(nobody, state)
    state = "The stage change has arrived, and the portal is deciding about it."
    if latest.verdict:
        state = f"The latest stage change: {latest.explanation} {next_step(latest.verdict)}".strip()
    return FirstCandidate(nobody, state, delivery=latest)


def _journey(invitation: Invitation, moved_at: datetime) -> list[Step]:
    done = dict(
        Effect.objects.filter(invitation=invitation, state=Effect.State.DONE)
        .order_by("-pk")
        .values_list("kind", "done_at")
    )
    result = invitation.results.order_by("-attempt").first()
    times = (
        moved_at,
        invitation.invited_at,
        done.get(Effect.Kind.SET_PROGRESS_TAG),
        invitation.started_at or invitation.submitted_at or (result.created_at if result else None),
        result.created_at if result else None,
        done.get(Effect.Kind.WRITE_FEEDBACK),
    )
    return [
        Step(label, StepState.DONE if at else StepState.TO_COME, at)
        for label, at in zip(LABELS, times, strict=True)
    ]


def _said(invitation: Invitation, steps: Sequence[Step]) -> str:
    if steps[-1].state is StepState.DONE:
        return "The first candidate has gone all the way. The result stands in Lever."
    return f"{invitation.words.title or invitation.words.label}."
