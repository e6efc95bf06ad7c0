"""Which invitations there are by status, by what they wait for, and with their steps."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Coalesce, Now

from integrations.core.invitation_status import FOLLOWED, NEED_PERSON, OPEN
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ResultOutcome
from integrations.invitations.models.result import Result

if TYPE_CHECKING:
    from integrations.invitations.models.invitation import Invitation

#: The columns while CodeScreen is asked about an invitation.
FOLLOWING_GOES_ON: dict[str, object] = {
    "following_ended": "",
    "following_ended_reason": "",
    "following_ended_at": None,
    "missing_since": None,
}
NOT_SENT = models.Q(status=Status.FAILED, erased_at__isnull=True)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by status."""

    def open(self) -> Self:
        """Invitations whose journey isn't over."""
        return self.filter(status__in=OPEN)

    def locked(self) -> Self:
        """Lock the rows until the transaction ends. SQLite needs no lock: its write transactions run one at a time."""
        return self.select_for_update(of=("self",), no_key=True)

    def reread_locked(self, invitation: "Invitation") -> "Invitation":
        """Read the invitation again, with whose rules hold, and lock it until the transaction ends."""
        return self.select_related("organization", "mapping").locked().get(pk=invitation.pk)

    def with_steps(self) -> Self:
        """Add the latest `outcome`, and `begun_at` and `handed_in_at`: when the candidate had started and submitted.

        CodeScreen is asked from time to time. When a candidate starts and finishes between two polls, the portal only
        learns that they finished. An expired assessment may never have been started.
        """
        latest_attempt = Result.objects.filter(invitation=models.OuterRef("pk")).order_by("-attempt")
        outcome = models.Subquery(latest_attempt.values("outcome")[:1])
        is_expired = models.Q(outcome=ResultOutcome.EXPIRED)
        finished_at = models.Case(models.When(is_expired, then=None), default=models.F("completed_at"))
        return self.annotate(
            outcome=outcome,
            begun_at=Coalesce("started_at", "submitted_at", finished_at),
            handed_in_at=Coalesce("submitted_at", "completed_at"),
        )

    def followed(self) -> Self:
        """Sent invitations that no person cancelled, of people not erased: CodeScreen may be polled about them."""
        return self.filter(stopped_by_user=False, erased_at__isnull=True).exclude(instance_id="")

    def ended_without_result(self) -> Self:
        """Invitations that the portal stopped asking about although CodeScreen gave no result."""
        return self.filter(status__in=FOLLOWED, erased_at__isnull=True).exclude(following_ended="")

    def not_sent(self) -> Self:
        """Invitations that could not be sent and that a person may send again."""
        return self.filter(NOT_SENT)

    def candidates_waiting(self) -> dict[str, int]:
        """Return how many candidates wait for a person, by what for, each counted once; one query.

        The lists that these numbers open are of candidates, not of invitations.
        """
        waiting = self.filter(models.Q(status__in=NEED_PERSON) | NOT_SENT)
        conditions = {
            "held": models.Q(status=Status.HELD),
            "uncertain": models.Q(status=Status.UNCERTAIN),
            "not_sent": NOT_SENT,
        }
        return waiting.aggregate(
            **{
                name: models.Count("opportunity_id", filter=condition, distinct=True)
                for name, condition in conditions.items()
            }
        )

    def due_for_poll(self) -> Self:
        """Invitations to poll CodeScreen about now, by the database's clock."""
        return self.followed().filter(next_poll_at__lte=Now())
