"""What the portal does by the clock, in the admin. Superusers look; nobody changes anything.

django-q2's own tables have no pages: the portal stores nothing in them, and to show a row is to read its pickles.
"""

import django_q.admin  # noqa: F401 - registers what is unregistered
from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import PortalDuty

for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(PortalDuty)
class PortalDutyAdmin(PortalWideAdmin):
    """When each ran last, how that ended, and when it runs next."""

    list_display = ("name", "started_at", "finished_at", "succeeded_at", "due_at", "last_error")
    fields = list_display
    ordering = ("name",)
