"""The copies of the platforms' lists in the admin, and the mappings between them."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from integrations.admin import access
from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import (
    Assessment,
    Role,
    RoleMapping,
    Stage,
)
from integrations.workflow.operations.mappings import delete_mapping, save_mapping


class GoneFilter(admin.SimpleListFilter):
    """Choose entries by whether the platform still lists them."""

    title = "whether it is still there"
    parameter_name = "gone"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer both."""
        return [("no", "Listed now"), ("yes", "Gone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep those that are or aren't listed now."""
        return queryset.filter(gone_at__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Stage)
class StageAdmin(ScopedAdmin):
    """Lever's stages, as last read."""

    list_display = ("name", "position", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "external_id__exact")


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """The roles the customer hires for, as last read from Lever."""

    list_display = ("title", "state", "tags_shown", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("title", "external_id__exact")
    fields = ("organization", "title", "state", "tags_shown", "external_id", "gone_at")
    readonly_fields = ("tags_shown",)

    @admin.display(description="tags")
    def tags_shown(self, role: Role) -> str:
        """List the tags, of which those that begin with CodeScreen choose the assessment."""
        return ", ".join(map(str, role.tags)) or self.get_empty_value_display()


@admin.register(Assessment)
class AssessmentAdmin(ScopedAdmin):
    """CodeScreen's assessments, as last read."""

    list_display = ("name", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("name", "external_id__exact")


@admin.register(RoleMapping)
class RoleMappingAdmin(ScopedAdmin):
    """Which assessment a role needs; Admins may change it, and each change is on record."""

    list_display = ("role", "stage", "assessment", "updated_at", "organization")
    list_filter = (OrganizationFilter,)
    list_select_related = ("organization",)
    search_fields = ("role", "stage", "assessment")
    fields = ("organization", "role", "stage", "assessment")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow Admins and Super Admins."""
        return access.has_right(request, "may_configure")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow Admins and Super Admins of the organization."""
        return access.has_right(request, "may_configure", obj.organization_id if obj else None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow Admins and Super Admins of the organization."""
        return access.has_right(request, "may_configure", obj.organization_id if obj else None)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep a mapping in its organization."""
        return ("organization",) if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the mapping and who did it."""
        save_mapping(obj, cast(User, request.user))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the mapping and record who did it."""
        delete_mapping(obj, cast(User, request.user))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Remove the mappings and record who did it."""
        for mapping in queryset.select_related("organization"):
            self.delete_model(request, mapping)
