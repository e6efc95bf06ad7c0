"""The queue's own tables in the admin: schedules, failures, what waits. Superusers look; nobody changes anything.

A schedule names a function that the workers call, and a failed task could be sent again: to change either is to run
commands on the server. The schedules are written by the portal itself at its start.
"""

from datetime import datetime, timedelta
from typing import Any

import django_q.admin  # noqa: F401 - registers the models that are registered anew below
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.http.redaction import without_addresses

LONGEST_ERROR = 4000

admin.site.unregister([Failure, Schedule, Success])


@admin.register(Schedule)
class ScheduleAdmin(PortalWideAdmin):
    """What the queue runs by the clock: when it ran last and how that ended, and when it runs next."""

    list_display = ("name", "func", "every", "last_run", "took", "succeeded", "next_run")
    fields = ("name", "func", "every", "last_run", "took", "succeeded", "next_run")
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the schedules, each with its last task that has ended."""
        ended = Task.objects.filter(group=OuterRef("name")).order_by("-stopped")
        names = ("started", "stopped", "success")
        last = {f"last_{name}": Subquery(ended.values(name)[:1]) for name in names}
        schedules: QuerySet[Any] = super().get_queryset(request).annotate(**last)
        return schedules

    @admin.display(description="Every")
    def every(self, schedule: Schedule) -> str:
        """Return how often it runs."""
        return f"{schedule.minutes} minutes" if schedule.minutes else str(schedule.schedule_type)

    @admin.display(description="Last run", ordering="last_stopped")
    def last_run(self, schedule: Any) -> datetime | None:
        """Return when its last run ended."""
        ended: datetime | None = schedule.last_stopped
        return ended

    @admin.display(description="Took")
    def took(self, schedule: Any) -> timedelta | None:
        """Return how long its last run took."""
        return schedule.last_stopped - schedule.last_started if schedule.last_stopped else None

    @admin.display(description="Succeeded", boolean=True, ordering="last_success")
    def succeeded(self, schedule: Any) -> bool | None:
        """Return how its last run ended; None while it is in progress for the first time."""
        outcome: bool | None = schedule.last_success
        return outcome


@admin.register(Failure)
class FailureAdmin(PortalWideAdmin):
    """Tasks that ended with an error or were killed. The work itself is in rows, and is done by another task."""

    list_display = ("func", "group", "started", "stopped", "attempt_count")
    fields = ("id", "func", "group", "cluster", "started", "stopped", "attempt_count", "error")
    list_filter = ("group",)
    ordering = ("-stopped",)

    @admin.display(description="Error")
    def error(self, task: Failure) -> SafeString:
        """Return the error's end, where the traceback says what it was, without addresses of people."""
        return format_html("<pre>{}</pre>", without_addresses(str(task.result))[-LONGEST_ERROR:])


class QueuedAdmin(PortalWideAdmin):
    """Tasks that wait for a worker. They only say that there is work."""

    list_display = ("key", "func", "group", "lock")
    fields = ("key", "func", "group", "lock")
    ordering = ("pk",)


if admin.site.is_registered(OrmQ):  # not where the queue is on Redis
    admin.site.unregister(OrmQ)
    admin.site.register(OrmQ, QueuedAdmin)
