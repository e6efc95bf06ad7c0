"""Which effects there are by whether a worker may take them."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models.functions import Now

from integrations.organizations.models.organization import Organization
from integrations.store.leasing import LeasableQuerySet

if TYPE_CHECKING:
    from integrations.outbox.models.effect import Effect  # noqa: F401 - the text below names it


class EffectQuerySet(LeasableQuerySet["Effect"]):
    """Effects by whether a worker may take them.

    The state isn't asked, since only what is to be performed has a due time. A statement with a state among its values
    is planned anew each time that it runs: which value it is decides whether it may use the index.
    """

    work_order = ("priority", "due_at")
    also_due = """AND (
        job.opportunity_id = '' OR job.leased_until IS NOT NULL OR NOT EXISTS (
            SELECT 1 FROM {table} other
            WHERE other.organization_id = job.organization_id AND other.opportunity_id = job.opportunity_id
            AND other.id <> job.id AND (other.leased_until IS NOT NULL OR (
                other.due_at <= {now}
                AND (other.priority, other.due_at, other.id) < (job.priority, job.due_at, job.id)
            ))
        )
    )"""

    def due(self) -> Self:
        """Free effects, of each candidate the most urgent, and none while one of the candidate's is held.

        Two workers that write to one opportunity would overwrite each other's tags. So an effect whose lease ran out
        goes before the candidate's others, too: its worker may only be slow.
        """
        others = self.model._base_manager.filter(
            organization=models.OuterRef("organization"), opportunity_id=models.OuterRef("opportunity_id")
        ).exclude(pk=models.OuterRef("pk"))
        more_urgent = (
            models.Q(priority__lt=models.OuterRef("priority"))
            | models.Q(priority=models.OuterRef("priority"), due_at__lt=models.OuterRef("due_at"))
            | models.Q(
                priority=models.OuterRef("priority"),
                due_at=models.OuterRef("due_at"),
                pk__lt=models.OuterRef("pk"),
            )
        )
        is_next = models.Q(due_at__lte=Now()) & more_urgent
        goes_first = models.Q(leased_until__isnull=False) | is_next
        has_held_it = models.Q(leased_until__isnull=False)
        is_behind = models.Exists(others.filter(goes_first))
        return self.free().filter(models.Q(opportunity_id="") | has_held_it | ~is_behind)

    def tried_in_vain(self) -> Self:
        """Effects whose last try failed, and that are tried again."""
        return self.scheduled().filter(attempts__gt=0).exclude(last_error="")

    def failed_steps(self) -> Self:
        """Effects that failed and can be retried; an invitation that could not be sent is counted by its own status."""
        return self.filter(state=self.model.State.FAILED).exclude(kind=self.model.Kind.SEND_INVITATION)

    def requeue(self, organization: Organization) -> int:
        """Make the organization's effects that wait for their next try due now; return how many."""
        waiting = self.filter(organization=organization, state=self.model.State.DUE, due_at__gt=Now())
        return waiting.update(due_at=Now())
