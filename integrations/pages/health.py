"""The findings of the doctor and the mapping linter, each with its fix, and the state of the queue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Min
from django.utils import timezone

from integrations.models import (
    CircuitBreaker,
    Delivery,
    Effect,
    Heartbeat,
    Invitation,
    LeverConnection,
    LeverWebhook,
    Organization,
)
from integrations.models.membership import TEAM
from integrations.pages.access import OrganizationMixin
from integrations.pages.partials import PartialsMixin
from integrations.workflow.health import doctor
from integrations.workflow.health.findings import Finding, FindingCode, Level

#: The levels in the order of the page, each with its title and meaning.
LEVELS = {
    Level.ERROR: ("Broken", "Candidates may not be invited, or results not arrive, until this is mended."),
    Level.WARNING: ("Needs attention", "The portal works; this will cost you something if it stays."),
    Level.INFO: ("Worth knowing", "Nothing is wrong."),
}


@dataclass(frozen=True)
class FindingGroup:
    """The findings of one level."""

    level: Level
    title: str
    meaning: str
    findings: list[Finding]


@dataclass(frozen=True)
class QueueState:
    """The workers' last heartbeat, how many rows wait and since when, and when each platform was last in touch."""

    heartbeat_at: datetime | None
    oldest_due_at: datetime | None
    due: int
    later: int
    next_poll_at: datetime | None
    last_received_at: datetime | None
    swept_at: datetime | None
    breakers: list[tuple[str, CircuitBreaker | None]]


class HealthView(OrganizationMixin, PartialsMixin):
    """List the findings, errors first, and the queue's state."""

    template_name = "integrations/health.html"
    partials = {"health": "integrations/_health_current.html"}
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Run the doctor and the linter now."""
        groups = finding_groups(self.organization)
        return super().get_context_data(
            findings=[finding for group in groups for finding in group.findings],
            groups=groups,
            queue=queue_state(self.organization),
            now=timezone.now(),
            **kwargs,
        )


def finding_groups(organization: Organization) -> list[FindingGroup]:
    """Return what the doctor and the linter find, each finding once, by level; empty levels are left out."""
    found = doctor.findings(organization, with_hints=True)
    groups = [
        FindingGroup(
            level, title, meaning, [one for one in found if one.level == level and one.code != FindingCode.OK]
        )
        for level, (title, meaning) in LEVELS.items()
    ]
    return [group for group in groups if group.findings]


def queue_state(organization: Organization) -> QueueState:
    """Return the state of the organization's work."""
    own = {"organization": organization}
    deliveries, effects = Delivery.objects.filter(**own), Effect.objects.filter(**own)
    waiting = [
        rows.free().aggregate(number=Count("pk"), oldest=Min("due_at")) for rows in (deliveries, effects)
    ]
    connection = LeverConnection.objects.filter(**own).first()
    breakers = {row.platform.casefold(): row for row in CircuitBreaker.objects.filter(**own)}
    return QueueState(
        heartbeat_at=Heartbeat.objects.aggregate(at=Max("at"))["at"],
        oldest_due_at=min((rows["oldest"] for rows in waiting if rows["oldest"]), default=None),
        due=sum(rows["number"] for rows in waiting),
        later=effects.scheduled().filter(due_at__gt=timezone.now()).count(),
        next_poll_at=_next_poll_at(organization),
        last_received_at=LeverWebhook.objects.filter(**own).aggregate(at=Max("last_received_at"))["at"],
        swept_at=connection.swept_at if connection else None,
        breakers=[(label, breakers.get(value)) for value, label in Delivery.Platform.choices()],
    )


def _next_poll_at(organization: Organization) -> datetime | None:
    scheduled = Invitation.objects.filter(organization=organization, next_poll_at__isnull=False)
    return scheduled.order_by("next_poll_at").values_list("next_poll_at", flat=True).first()
