"""Which invitations: by status, by what waits for a person, by what CodeScreen is asked about."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Coalesce, Now

from integrations.invitation_status import FOLLOWED, OPEN
from integrations.invitation_status import InvitationStatus as Status
from integrations.models.result import Result

if TYPE_CHECKING:
    from integrations.models.invitation import Invitation

#: What `Invitation.is_bounced` says of one row.
BOUNCED = models.Q(status=Status.INVITED, bounced_at__isnull=False, following_ended="")


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations by status."""

    def open(self) -> Self:
        """Invitations whose journey isn't over."""
        return self.filter(status__in=OPEN)

    def locked(self) -> Self:
        """Lock the rows until the transaction ends. SQLite needs no lock: its write transactions run one at a time."""
        return self.select_for_update(of=("self",), no_key=True)

    def reread_locked(self, invitation: "Invitation") -> "Invitation":
        """Read the invitation again, with its organization, and lock it until the transaction ends."""
        return self.select_related("organization").locked().get(pk=invitation.pk)

    def with_steps(self) -> Self:
        """Add `begun_at` and `handed_in_at`, by when the candidate had started and submitted, and the latest `outcome`.

        CodeScreen is asked once an hour, so who starts and finishes in between is only known to have finished. An
        expired assessment may never have been started.
        """
        latest_attempt = Result.objects.filter(invitation=models.OuterRef("pk")).order_by("-attempt")
        outcome = models.Subquery(latest_attempt.values("outcome")[:1])
        is_expired = models.Q(outcome=Result.Outcome.EXPIRED)
        finished_at = models.Case(models.When(is_expired, then=None), default=models.F("completed_at"))
        return self.annotate(
            outcome=outcome,
            begun_at=Coalesce("started_at", "submitted_at", finished_at),
            handed_in_at=Coalesce("submitted_at", "completed_at"),
        )

    def awaiting_decision(self) -> Self:
        """Invitations of candidates who failed and still wait for a person's decision."""
        return self.filter(awaits_decision_since__isnull=False)

    def followed(self) -> Self:
        """Sent invitations that no person cancelled, of people not erased: CodeScreen may be polled about them."""
        return self.filter(stopped_by_user=False, erased_at__isnull=True).exclude(instance_id="")

    def ended_without_result(self) -> Self:
        """Invitations that the portal stopped asking about although CodeScreen gave no result."""
        return self.filter(status__in=FOLLOWED, erased_at__isnull=True).exclude(following_ended="")

    def bounced(self) -> Self:
        """Invitations whose e-mail bounced and that wait for a person to correct the address."""
        return self.filter(BOUNCED)

    def due_for_poll(self) -> Self:
        """Invitations to poll CodeScreen about now, by the database's clock."""
        return self.followed().filter(next_poll_at__lte=Now())
