"""The workers, in the admin: django-q2's queue, and the heartbeats of the processes that perform its tasks.

django-q2's own pages aren't here: they execute the pickles that they show. What fails is on the page of its row; a task
that fails beside them is logged.
"""

from typing import Any

import django_q.admin  # noqa: F401 - registers what is unregistered
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django_q.models import Failure, OrmQ, Schedule, Success

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import Heartbeat
from integrations.queue import notify

for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Heartbeat)
class HeartbeatAdmin(PortalWideAdmin):
    """The nodes, and when each of their worker processes last performed a task; each is shown for 15 minutes."""

    list_display = ("node", "process", "started_at", "at")
    list_filter = ("node",)
    ordering = ("node", "-at")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page, with what waits in this node's queue."""
        context = {"subtitle": _queue() if self.has_view_permission(request) else ""}
        return super().changelist_view(request, context | (extra_context or {}))


def _queue() -> str:
    """Return which broker this node's queue is in, and how many tasks wait there."""
    try:
        broker = notify.broker()
        return f"Queue of {settings.NODE}, {broker.info()}: tasks that wait: {broker.queue_size()}"
    except notify.QUEUE_OUTAGE:
        return f"Queue of {settings.NODE}: no answer"
