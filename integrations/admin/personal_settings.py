"""What people chose for themselves in the admin: for those who run the whole portal."""

from django.contrib import admin

from integrations.admin.runtime import PortalWideAdmin
from integrations.models import PersonalSettings


@admin.register(PersonalSettings)
class PersonalSettingsAdmin(PortalWideAdmin):
    """Who reads times in which zone; a person's own affair, in every organization."""

    list_display = ("user", "time_zone")
    list_select_related = ("user",)
