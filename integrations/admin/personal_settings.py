"""People's own settings in the admin, for superusers."""

from django.contrib import admin

from integrations.admin.portal_wide import PortalWideAdmin
from integrations.models import PersonalSettings


@admin.register(PersonalSettings)
class PersonalSettingsAdmin(PortalWideAdmin):
    """The time zone in which a person reads times, in every organization."""

    list_display = ("user", "time_zone")
    list_select_related = ("user",)
