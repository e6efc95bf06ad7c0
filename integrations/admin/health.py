"""Incidents and the background work in the admin: duties, workers, limits, whether the platforms answer."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from integrations.accounts.models.sessions import AttemptLimit
from integrations.admin.base import PortalWideAdmin, ScopedAdmin
from integrations.admin.display import badge, column, columns, list_links
from integrations.admin.filters import FailingFilter, OrganizationFilter, choice_filter, period_of
from integrations.clients.models import CircuitBreaker, RateLimitBucket
from integrations.core.finding_code import INCIDENTS
from integrations.core.vocabulary import Tone
from integrations.health.models import Incident
from integrations.queue import notify
from integrations.queue.models.duty_run import DutyRun
from integrations.queue.models.nodes import CacheEntry, Heartbeat, PortalDuty

WhatFilter = choice_filter(
    "what was wrong",
    "what",
    {str(code): (incident.name, Q(code=code)) for code, incident in INCIDENTS.items()},
)
OngoingFilter = choice_filter(
    "whether it is over",
    "state",
    {"ongoing": ("Ongoing", Q(ended_at__isnull=True)), "over": ("Over", Q(ended_at__isnull=False))},
)


@admin.register(Incident)
class IncidentAdmin(ScopedAdmin):
    """Each ongoing or past failure."""

    list_display = ("what", "state", "began_at", "ended_at", "notified_at", "organization")
    list_filter = (period_of("began_at"), WhatFilter, OngoingFilter, OrganizationFilter)
    ordering = ("-began_at", "-pk")
    fields = list_display

    what = column("what was wrong", lambda incident: incident.title, "code")
    state = column(
        "state",
        lambda incident: badge("Over", Tone.GOOD) if incident.ended_at else badge("Ongoing", Tone.BAD),
        "ended_at",
    )


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(ScopedAdmin):
    """Whether calls to each organization's platforms are stopped because they failed."""

    is_in_index = False
    list_display = ("organization", "platform", "failures", "open_until")
    list_filter = (FailingFilter, "platform", OrganizationFilter)


@admin.register(DutyRun)
class DutyRunAdmin(ScopedAdmin):
    """Each organization's duties."""

    is_in_index = False
    list_display = columns(
        "duty organization succeeded_at finished_at duration_ms failures due_at last_error"
    )
    list_filter = (FailingFilter, "duty", OrganizationFilter)
    ordering = ("-failures", "due_at")


@admin.register(PortalDuty)
class PortalDutyAdmin(PortalWideAdmin):
    """When each ran last, how that ended, and when it runs next."""

    is_in_index = False
    list_display = ("name", "started_at", "finished_at", "succeeded_at", "due_at", "last_error")
    fields = list_display
    ordering = ("name",)


#: The lists of what the workers of all nodes share.
_SHARED = {"ratelimitbucket": "Limits of calls", "attemptlimit": "Limits of attempts", "cacheentry": "Cache"}


@admin.register(Heartbeat)
class HeartbeatAdmin(PortalWideAdmin):
    """The nodes, and when each of their worker processes last performed a task; each is shown for 15 minutes."""

    is_in_index = False
    list_display = ("node", "process", "version", "started_at", "at")
    list_filter = ("node",)
    ordering = ("node", "-at")
    fields = (*list_display, "records")
    records = column("what they share", lambda _: list_links(_SHARED))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page, with what waits in this node's queue."""
        context = {"note": _queue() if self.has_view_permission(request) else ""}
        return super().changelist_view(request, context | (extra_context or {}))


def _queue() -> str:
    """Return which broker this node's queue is in, and how many tasks wait there."""
    try:
        broker = notify.broker()
        return f"Queue of {settings.NODE}, {broker.info()}: tasks that wait: {broker.queue_size()}"
    except notify.QUEUE_OUTAGE:
        return f"Queue of {settings.NODE}: no answer"


# When each account may be called next; and how far limits of attempts are used up, by keys that tell no names.
admin.site.register(RateLimitBucket, PortalWideAdmin, is_in_index=False, list_display=("key", "free_at"))
admin.site.register(
    AttemptLimit, PortalWideAdmin, is_in_index=False, list_display=("key", "count", "free_at")
)


@admin.register(CacheEntry)
class CacheEntryAdmin(PortalWideAdmin):
    """Which values are kept and until when; not the values: some are addresses of people."""

    is_in_index = False
    list_display = ("key", "expires_at")
    fields = list_display
    ordering = ("key",)
