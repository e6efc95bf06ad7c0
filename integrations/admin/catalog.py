"""Roles, stages and assessments in the admin, and which assessment a role needs."""

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from integrations.admin import access
from integrations.admin.access import current_user
from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import GoneFilter, OrganizationFilter
from integrations.catalog.acts import delete_mapping, save_mapping
from integrations.catalog.models import Assessment, RatingThresholds, Role, RoleMapping, Stage


@admin.register(RoleMapping)
class RoleMappingAdmin(ScopedAdmin):
    """Which assessment a role needs; each change is audited."""

    list_display = ("role", "stage", "assessment", "updated_at", "organization")
    list_filter = (OrganizationFilter,)
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


@admin.register(RatingThresholds)
class RatingThresholdsAdmin(ScopedAdmin):
    """From which scores the ratings of one assessment begin."""

    list_display = ("assessment", "rating_2_from", "rating_3_from", "rating_4_from", "organization")
    list_filter = (OrganizationFilter,)
    search_fields = ("assessment",)


@admin.register(Role)
class RoleAdmin(ScopedAdmin):
    """Roles, as last read from Lever."""

    list_display = ("title", "state", "tags_shown", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    search_fields = ("title", "external_id__exact")
    fields = ("organization", "title", "state", "tags_shown", "external_id", "gone_at")
    readonly_fields = ("tags_shown",)

    @admin.display(description="tags")
    def tags_shown(self, role: Role) -> str:
        """Return the tags; one that begins with CodeScreen can name the assessment."""
        return ", ".join(map(str, role.tags)) or self.get_empty_value_display()


@admin.register(Stage)
class StageAdmin(ScopedAdmin):
    """Lever's stages, as last read."""

    list_display = ("name", "position", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    search_fields = ("name", "external_id__exact")


@admin.register(Assessment)
class AssessmentAdmin(ScopedAdmin):
    """CodeScreen's assessments, as last read."""

    list_display = ("name", "external_id", "gone_at", "organization")
    list_filter = (GoneFilter, OrganizationFilter)
    search_fields = ("name", "external_id__exact")
