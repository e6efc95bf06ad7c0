"""Deliveries that wait are due without waiting."""

from integrations.inbox.models.delivery import Delivery
from tests.support.factories import a_moment_ago


def end_wait() -> None:
    """Make the deliveries that wait for another try due now."""
    Delivery.objects.filter(due_at__isnull=False).update(due_at=a_moment_ago())
