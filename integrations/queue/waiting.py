"""What waited for the end of a pause or for a connection, and what takes it up again."""

from integrations.catalog import lists
from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.models import CodeScreenConnection
from integrations.inbox.models.delivery import Delivery
from integrations.lever.models.connection import LeverConnection
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue.models.duty_run import DutyRun


def requeue_waiting(organization: Organization) -> int:
    """Make due now what waited for the end of a pause, or for a connection; return how many deliveries did."""
    count = Delivery.objects.requeue(organization)
    Effect.objects.requeue(organization)
    DutyRun.objects.requeue(organization.pk)
    return count


def organizations_with_stranded_deliveries() -> set[int]:
    """Return the organizations that are connected again, and whose waiting deliveries nobody has requeued."""
    working = Organization.objects.unpaused().filter(
        lever_connection__state=LeverConnection.State.CONNECTED,
        codescreen_connection__state__in=CodeScreenConnection.USABLE,
    )
    stranded = Delivery.objects.stranded().filter(organization__in=working)
    return set(stranded.order_by().values_list("organization", flat=True).distinct())


def verify_codescreen_key(organization: Organization, codescreen: CodeScreenClient) -> int:
    """Read CodeScreen's assessments with the stored key; return how many there are.

    A key that is accepted again takes up what waited for one. Raises PlatformError; after a 401 or a 404 the key isn't
    used until it is tried again.
    """
    before = CodeScreenConnection.objects.filter(organization=organization).first()
    lists.refresh_assessments(organization, codescreen)
    if before is None or not before.is_working:
        requeue_waiting(organization)
    return len(lists.live_assessments(organization))
