"""How long candidates waited from the stage change in Lever until they were invited."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from integrations.models import Delivery, Membership
from integrations.pages.visibility import visible

#: The newest invitations that are read; more would hardly change a median.
MOST = 2_000


@dataclass(frozen=True)
class Wait:
    """When a candidate was invited, and how many seconds after the stage change arrived."""

    invited_at: datetime
    seconds: float


def waits(member: Membership, since: datetime) -> Iterator[Wait]:
    """Yield the wait of each candidate whom the member sees and who was invited since then; one query."""
    invited = Delivery.objects.filter(
        organization=member.organization_id,
        verdict=Delivery.VerdictCode.INVITE,
        received_at__gte=since,
        invitation__invited_at__gte=since,
    )
    times = visible(invited, member).order_by("-received_at")
    for received_at, invited_at in times.values_list("received_at", "invitation__invited_at")[:MOST]:
        if invited_at is not None:
            yield Wait(invited_at, max(0.0, (invited_at - received_at).total_seconds()))
