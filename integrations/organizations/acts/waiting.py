"""Take up what waited for an organization: for the end of its pause, or for a connection."""

from integrations.inbox.models.delivery import Delivery
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect
from integrations.queue.models.duty_run import DutyRun


def requeue_waiting(organization: Organization) -> int:
    """Make the deliveries, effects and duties that waited due now; return how many deliveries there were."""
    count = Delivery.objects.requeue(organization)
    Effect.objects.requeue(organization)
    DutyRun.objects.requeue(organization.pk)
    return count
