"""Organizations and their members in the admin."""

import copy
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest

from integrations.admin import access
from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.models import (
    CodeScreenConnection,
    LastSuperAdmin,
    LeverConnection,
    Membership,
    Organization,
)
from integrations.models.organization import POLICIES
from integrations.queue import notify
from integrations.workflow.catalog import stage_on_pass
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.members import add_member, change_role, remove_member
from integrations.workflow.operations.organizations import (
    IDENTITY,
    change_organization,
    create_organization,
)
from integrations.workflow.operations.policies import set_policies


class OrganizationForm(forms.ModelForm):
    """An organization's policies; the stage on pass doesn't invite."""

    def clean(self) -> dict[str, Any]:
        """Refuse a change that would make the stage on pass send an assessment."""
        cleaned = super().clean() or {}
        trial = copy.copy(self.instance)
        for name, value in cleaned.items():
            setattr(trial, name, value)
        stage_on_pass.refuse_inviting_target(trial, self.changed_data)
        return cleaned


@admin.register(Organization)
class OrganizationAdmin(ScopedAdmin):
    """Whether each customer is connected, and its policies, which its Admins may change."""

    form = OrganizationForm
    organization_path = "pk"
    list_display = ("name", "slug", "lever", "codescreen", "paused", "created_at")
    list_filter = ("paused",)
    search_fields = ("name", "slug")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "slug", "created_at")}),
        ("Policies", {"fields": POLICIES}),
    )

    def organization_of(self, row: Organization) -> int:
        """Return its own id."""
        return int(row.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the organizations with the states of their connections."""
        rows: QuerySet[Any] = (
            super()
            .get_queryset(request)
            .annotate(
                lever_state=F("lever_connection__state"), codescreen_state=F("codescreen_connection__state")
            )
        )
        return rows

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the webhook key, masked, for those who may connect."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and access.has_right(request, "may_connect", obj.pk):
            fieldsets = [*fieldsets, ("Addresses", {"fields": ("masked_webhook_key",)})]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the slug, which commands and files refer to; leave the name to those who may connect."""
        fixed: tuple[str, ...] = ("created_at", "masked_webhook_key")
        if obj is not None:
            fixed += ("slug",)
            if not access.has_right(request, "may_connect", obj.pk):
                fixed += ("name",)
        return fixed

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow superusers."""
        return access.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow its Admins and Super Admins."""
        return access.has_right(request, "may_configure", obj.pk if obj else None)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save it the way the settings page does, with who did it on record."""
        person = cast(User, request.user)
        if not change:
            create_organization(obj, person)
            return
        stored = Organization.objects.get(pk=obj.pk)
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        set_policies(stored, {name: value for name, value in values.items() if name in POLICIES}, person)
        change_organization(
            stored, {name: value for name, value in values.items() if name in IDENTITY}, person
        )
        notify.notify_workers()

    @admin.display(description="Lever")
    def lever(self, organization: Any) -> str:
        """Say whether Lever is connected."""
        state = organization.lever_state
        return LeverConnection.State(state).label if state else "Not connected"

    @admin.display(description="CodeScreen")
    def codescreen(self, organization: Any) -> str:
        """Say whether CodeScreen is connected."""
        state = organization.codescreen_state
        return CodeScreenConnection.State(state).label if state else "Not connected"

    @admin.display(description="webhook key")
    def masked_webhook_key(self, organization: Organization) -> str:
        """Show enough of the key to recognise it; Settings show the whole addresses."""
        return f"{organization.webhook_key[:4]}…"


class MembershipForm(forms.ModelForm):
    """A member's role; an organization keeps a Super Admin."""

    def clean_role(self) -> str:
        """Refuse to take the role from the last Super Admin."""
        role = str(self.cleaned_data["role"])
        is_change = self.instance.pk and role != Membership.Role.SUPER_ADMIN
        # the admin's page is one transaction, so the lock holds until the role is saved
        if is_change and self.instance.is_last_super_admin(is_locked=True):
            raise ValidationError(str(LastSuperAdmin(self.instance)))
        return role


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Who may do what; Super Admins of the organization may change it, and each change is on record."""

    form = MembershipForm
    list_display = ("user", "role", "organization", "created_at")
    list_filter = ("role", OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("user__username", "user__email")
    fields = ("user", "organization", "role")
    raw_id_fields = ("user",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow superusers, who see every user; others invite members under Settings."""
        return access.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow Super Admins of the organization."""
        return access.has_right(request, "may_connect", obj.organization_id if obj else None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow Super Admins of the organization, unless it would be left without one."""
        allowed = access.has_right(request, "may_connect", obj.organization_id if obj else None)
        return allowed and not (obj and obj.is_last_super_admin())

    def get_actions(
        self, request: HttpRequest, action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST
    ) -> Any:
        """Leave out deleting many at once, which could take every Super Admin together."""
        actions = super().get_actions(request, action_location=action_location)
        actions.pop("delete_selected", None)
        return actions

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Change the role alone."""
        return ("user", "organization") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the role and who gave it."""
        person = cast(User, request.user)
        if change:
            change_role(Membership.objects.get(pk=obj.pk), obj.role, person)
        else:
            add_member(obj, person)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Remove the member and record who did it."""
        try:
            remove_member(obj, cast(User, request.user))
        except ActionNotAllowed as error:
            raise PermissionDenied(str(error)) from error
