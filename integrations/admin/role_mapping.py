"""Role mappings in the admin, which Admins may change."""

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from integrations.admin import access
from integrations.admin.access import current_user
from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import RoleMapping
from integrations.workflow.operations.mappings import delete_mapping, save_mapping


@admin.register(RoleMapping)
class RoleMappingAdmin(ScopedAdmin):
    """Which assessment a role needs; each change is audited."""

    list_display = ("role", "stage", "assessment", "updated_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("role", "stage", "assessment")
    fields = ("organization", "role", "stage", "assessment")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow Admins and Super Admins."""
        return access.has_right(request, "may_configure")

    def has_change_permission(self, request: HttpRequest, obj: RoleMapping | None = None) -> bool:
        """Allow Admins and Super Admins of the organization."""
        return access.has_right(request, "may_configure", obj.organization_id if obj else None)

    def has_delete_permission(self, request: HttpRequest, obj: RoleMapping | None = None) -> bool:
        """Allow Admins and Super Admins of the organization."""
        return access.has_right(request, "may_configure", obj.organization_id if obj else None)

    def get_readonly_fields(self, request: HttpRequest, obj: RoleMapping | None = None) -> tuple[str, ...]:
        """Keep a mapping in its organization."""
        return ("organization",) if obj else ()

    def save_model(self, request: HttpRequest, obj: RoleMapping, form: ModelForm, change: bool) -> None:
        """Store the mapping, audited."""
        save_mapping(obj, current_user(request))

    def delete_model(self, request: HttpRequest, obj: RoleMapping) -> None:
        """Delete the mapping, audited."""
        delete_mapping(obj, current_user(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RoleMapping]) -> None:
        """Delete the mappings one by one, each audited."""
        for mapping in queryset.select_related("organization"):
            self.delete_model(request, mapping)
