"""Work what is due, and what waits because Lever didn't show a candidate, without waiting."""

from integrations.http.steps import NOT_SHOWN_WAITS
from integrations.inbox.models.delivery import Delivery
from integrations.queue import worker
from tests.support.factories import a_moment_ago


def end_wait() -> None:
    """Make the deliveries that wait for another try due now."""
    Delivery.objects.filter(due_at__isnull=False).update(due_at=a_moment_ago())


def work_through_waits() -> None:
    """Work everything, until the portal believes that Lever doesn't show a candidate."""
    worker.work()
    for _ in NOT_SHOWN_WAITS:
        end_wait()
        worker.work()
