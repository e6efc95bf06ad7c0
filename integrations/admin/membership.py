"""Members in the admin; Super Admins of the organization may change them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from integrations.admin import access
from integrations.admin.access import current_user
from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import LastSuperAdmin, Membership
from integrations.models.membership import SUPER_ADMINS
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.members import change_role, remove_member


class MembershipForm(forms.ModelForm):
    """A member's role. An organization always has a Super Admin."""

    def clean_role(self) -> str:
        """Reject another role for the last Super Admin."""
        role = str(self.cleaned_data["role"])
        is_change = self.instance.pk and role != Membership.Role.SUPER_ADMIN
        # the admin's page is one transaction, so the lock holds until the role is saved
        if is_change and self.instance.is_last_super_admin(is_locked=True):
            raise ValidationError(str(LastSuperAdmin(self.instance)))
        return role


@admin.register(Membership)
class MembershipAdmin(ScopedAdmin):
    """Who may do what; each change is audited."""

    form = MembershipForm
    list_display = ("user", "role", "organization", "created_at")
    list_filter = ("role", OrganizationFilter)
    list_select_related = ("user", "organization")
    search_fields = ("user__username", "user__email")
    fields = ("user", "address", "organization", "role")
    readonly_fields = ("user", "address", "organization")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: people are invited under Settings and accept; an operator's `configure` makes members at once."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Allow Super Admins of the organization."""
        return access.has_right(request, "may_connect", obj.organization_id if obj else None)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Allow Super Admins of the organization, unless it would be left without one."""
        allowed = access.has_right(request, "may_connect", obj.organization_id if obj else None)
        return allowed and not (obj and obj.is_last_super_admin())

    def get_actions(
        self, request: HttpRequest, action_location: admin.ActionLocation = admin.ActionLocation.CHANGE_LIST
    ) -> Any:
        """Leave out deleting many at a time, which could remove every Super Admin."""
        actions = super().get_actions(request, action_location=action_location)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: Membership, form: forms.ModelForm, change: bool) -> None:
        """Store the role, audited. A new Super Admin takes a fresh proof, as under Settings."""
        if obj.role in SUPER_ADMINS:
            self.require_proof(request)
        change_role(Membership.objects.get(pk=obj.pk), obj.role, current_user(request))

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Remove the member, audited."""
        try:
            remove_member(obj, current_user(request))
        except ActionNotAllowed as error:
            raise PermissionDenied(str(error)) from error
