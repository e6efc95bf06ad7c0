"""Which e-mails members chose, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.models import NotificationPreference


@admin.register(NotificationPreference)
class NotificationPreferenceAdmin(ScopedAdmin):
    """The choices that differ from what a role gets."""

    organization_path = "membership__organization"
    list_display = ("membership", "kind", "is_wanted", "updated_at")
    list_filter = ("kind", "is_wanted")
    list_select_related = ("membership__user", "membership__organization")
    fields = ("membership", "kind", "is_wanted", "updated_at")

    def organization_of(self, row: NotificationPreference) -> int:
        """Return the id of the membership's organization."""
        return int(row.membership.organization_id)
