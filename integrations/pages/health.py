"""What the doctor and the mapping linter say of the set-up, with a way to mend each, and how the queue stands."""

from datetime import datetime
from typing import Any

from django.db.models import Max
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
from integrations.pages.access import TEAM, OrganizationMixin
from integrations.pages.partials import LivePartsMixin
from integrations.queue import liveness
from integrations.workflow.health import doctor, linter

#: What each level means to a person.
GROUPS = {
    "error": ("Broken", "Candidates may not be invited, or results not arrive, until this is mended."),
    "warning": ("Needs attention", "The portal works; this will cost you something if it stays."),
    "info": ("Worth knowing", "Nothing is wrong."),
}


class HealthView(OrganizationMixin, LivePartsMixin):
    """List the findings, gravest first, and the queue's state."""

    template_name = "integrations/health.html"
    live_parts = {"health": "integrations/_health_now.html"}
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Ask the doctor and the linter now."""
        grave_first = {"error": 0, "warning": 1, "info": 2}
        found = [*doctor.findings(self.organization), *linter.findings(self.organization)]
        unique = [finding for finding in dict.fromkeys(found) if finding.code != "ok"]
        unique.sort(key=lambda finding: grave_first.get(finding.level, 3))
        groups = [
            (level, words, [finding for finding in unique if finding.level == level])
            for level, words in GROUPS.items()
        ]
        return super().get_context_data(
            findings=unique,
            groups=[group for group in groups if group[2]],
            queue=queue(self.organization),
            now=timezone.now(),
            **kwargs,
        )


def queue(organization: Organization) -> dict[str, Any]:
    """Return how the organization's work stands: who works, what waits and for how long, what was last heard."""
    own = {"organization": organization}
    deliveries, effects = Delivery.objects.filter(**own), Effect.objects.filter(**own)
    oldest = [deliveries.oldest_due_at(), effects.oldest_due_at()]
    grant = LeverConnection.objects.filter(**own).first()
    breakers = {row.platform.casefold(): row for row in CircuitBreaker.objects.filter(**own)}
    return {
        "workers_at": Heartbeat.objects.filter(pk=liveness.DRAIN).values_list("at", flat=True).first(),
        "oldest_due_at": min((moment for moment in oldest if moment), default=None),
        "due": deliveries.due().count() + effects.due().count(),
        "later": effects.filter(state=Effect.State.DUE, due_at__gt=timezone.now()).count(),
        "next_poll_at": _next_poll(organization),
        "heard_at": LeverWebhook.objects.filter(**own).aggregate(at=Max("last_received_at"))["at"],
        "swept_at": grant.swept_at if grant else None,
        "breakers": [(label, breakers.get(value)) for value, label in Delivery.Platform.choices()],
    }


def _next_poll(organization: Organization) -> datetime | None:
    rows = Invitation.objects.filter(organization=organization, next_poll_at__isnull=False)
    return rows.order_by("next_poll_at").values_list("next_poll_at", flat=True).first()
