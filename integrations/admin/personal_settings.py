"""People's own settings in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import PersonalSettings


@admin.register(PersonalSettings)
class PersonalSettingsAdmin(PortalWideAdmin):
    """A person's time zone, proven address and latest organization."""

    list_display = ("user", "time_zone", "proven_email", "last_organization")
    list_select_related = ("user", "last_organization")
