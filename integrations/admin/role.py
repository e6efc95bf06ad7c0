"""The roles that the customer hires for, in the admin."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import GoneFilter, OrganizationFilter
from integrations.models import Role


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Roles, as last read from Lever."""

    list_display = ("title", "state", "tags_shown", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("title", "external_id__exact")
    fields = ("organization", "title", "state", "tags_shown", "external_id", "gone_at")
    readonly_fields = ("tags_shown",)

    @admin.display(description="tags")
    def tags_shown(self, role: Role) -> str:
        """Return the tags; one that begins with CodeScreen can name the assessment."""
        return ", ".join(map(str, role.tags)) or self.get_empty_value_display()
