"""The first page: the set-up checklist until all is done, then what happened, what waits and what is broken."""

from collections.abc import Sequence
from typing import Any

import redis
from django.core.cache import cache
from django.db.models import Count, Q
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.csp import csp_override

from integrations.models import Delivery, Effect, Invitation, Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.result_labels import with_results
from integrations.pages.overview import charts, checklist
from integrations.pages.overview.checklist import Step
from integrations.pages.partials import LivePartsMixin
from integrations.pages.settings.connections import connect_csp
from integrations.queue import notify
from integrations.workflow.catalog.trigger_policy import trigger_stages
from integrations.workflow.health import doctor

LATEST = 10
LOOK_AGAIN_SECONDS = 8
_STATUS = Invitation.Status


class OverviewView(OrganizationMixin, LivePartsMixin):
    """Show the organization at a glance."""

    template_name = "integrations/overview.html"
    live_parts = {
        "checklist": "integrations/_checklist.html",
        "overview": "integrations/_overview_now.html",
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the checklist, the counts and the newest rows; for a part only what it shows."""
        steps = checklist.steps(self.organization) if self.part != "overview" else []
        is_ready = self.part == "overview" or all(step.is_done for step in steps)
        context = super().get_context_data(
            steps=steps,
            steps_done=sum(step.is_done for step in steps),
            next_step=next((step for step in steps if not step.is_done), None),
            is_ready=is_ready,
            **kwargs,
        )
        if self.part == "checklist":
            self._look_again(steps)
            return context
        context |= self.now()
        if not self.part:
            context["trigger_stages"] = [stage.name for stage in trigger_stages(self.organization)]
            context["pictures"] = charts.pictures(self.organization) if context["latest"] else []
        return context

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Let the checklist's Connect form lead to Lever, as on the settings page, while there is a checklist."""
        response = super().render_to_response(context, **kwargs)
        if context["is_ready"] or not self.membership.may_connect:
            return response
        answer: HttpResponse = csp_override(connect_csp())(lambda _: response)(self.request)
        return answer

    def _look_again(self, steps: Sequence[Step]) -> None:
        """Have the lists read anew while somebody who may act waits for a step that depends on them."""
        waits = any(step.code in {"codescreen", "stage", "roles"} and not step.is_done for step in steps)
        if waits and self.membership.may_configure:
            key = f"lists-asked-{self.organization.pk}"
            try:
                is_first = cache.add(key, True, LOOK_AGAIN_SECONDS)
            except redis.RedisError:
                return  # the hourly round reads them too, and the page is worth more
            if is_first:
                notify.request_catalog_refresh(self.organization)

    def now(self) -> dict[str, Any]:
        """Return what changes by itself: today's counts, what waits, what is broken, the newest invitations."""
        rows = Invitation.objects.filter(organization=self.organization).order_by("-created_at", "-pk")
        return {
            "today": today(self.organization),
            "waiting": waiting(self.organization),
            "errors": [found for found in doctor.findings(self.organization) if found.level == "error"],
            "latest": with_results(rows[:LATEST]),
        }


def today(organization: Organization) -> dict[str, int]:
    """Return what happened since midnight in the reader's zone."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    # whoever was invited, started or completed today changed today: that finds them by an index
    counts = Invitation.objects.filter(organization=organization, changed_at__gte=start).aggregate(
        invited=Count("pk", filter=Q(invited_at__gte=start)),
        started=Count("pk", filter=Q(started_at__gte=start)),
        completed=Count("pk", filter=Q(completed_at__gte=start)),
    )
    received = Delivery.objects.filter(organization=organization, received_at__gte=start).count()
    return {"received": received, **counts}


def waiting(organization: Organization) -> dict[str, int]:
    """Return how many rows wait for a person, by why."""
    counts = Invitation.objects.filter(
        organization=organization, status__in=[_STATUS.HELD, _STATUS.UNCERTAIN]
    ).aggregate(
        held=Count("pk", filter=Q(status=_STATUS.HELD)),
        uncertain=Count("pk", filter=Q(status=_STATUS.UNCERTAIN)),
    )
    counts["failed"] = Effect.objects.filter(organization=organization, state=Effect.State.FAILED).count()
    undecided = Invitation.objects.awaiting_decision().filter(organization=organization)
    counts["decision"] = undecided.count()
    return {**counts, "all": sum(counts.values())}
