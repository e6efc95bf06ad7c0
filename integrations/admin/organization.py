"""Organizations in the admin: their connections and policies."""

import copy
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest

from integrations.admin import access
from integrations.admin.access import current_user
from integrations.admin.base import ScopedAdmin
from integrations.models import (
    CodeScreenConnection,
    LeverConnection,
    Organization,
)
from integrations.models.organization import POLICIES, SECURITY
from integrations.queue import notify
from integrations.workflow.catalog import stage_on_pass
from integrations.workflow.operations.organizations import (
    IDENTITY,
    change_organization,
    create_organization,
)
from integrations.workflow.operations.policies import is_less_secure, set_policies


class OrganizationForm(forms.ModelForm):
    """An organization and its policies."""

    def clean(self) -> dict[str, Any]:
        """Reject a change that would make the stage on pass send an assessment."""
        cleaned = super().clean() or {}
        trial = copy.copy(self.instance)
        for name, value in cleaned.items():
            setattr(trial, name, value)
        stage_on_pass.refuse_inviting_target(trial, self.changed_data)
        return cleaned


@admin.register(Organization)
class OrganizationAdmin(ScopedAdmin):
    """Customers: whether they are connected, and their policies, which their Admins may change."""

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
        """Return the organization's own id."""
        return int(row.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organization]:
        """Return the organizations with the states of their connections."""
        organizations: QuerySet[Organization] = (
            super()
            .get_queryset(request)
            .annotate(
                lever_state=F("lever_connection__state"), codescreen_state=F("codescreen_connection__state")
            )
        )
        return organizations

    def get_fieldsets(self, request: HttpRequest, obj: Organization | None = None) -> Any:
        """Add the webhook key, masked, for those who may connect."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and access.has_right(request, "may_connect", obj.pk):
            fieldsets = [*fieldsets, ("Addresses", {"fields": ("masked_webhook_key",)})]
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Organization | None = None) -> tuple[str, ...]:
        """Keep the slug, which commands and files refer to. Only those who may connect change name and security."""
        fixed: tuple[str, ...] = ("created_at", "masked_webhook_key")
        if obj is not None:
            fixed += ("slug",)
            if not access.has_right(request, "may_connect", obj.pk):
                fixed += ("name", *SECURITY)
        return fixed

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Allow superusers."""
        return access.is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        """Allow its Admins and Super Admins."""
        return access.has_right(request, "may_configure", obj.pk if obj else None)

    def save_model(
        self, request: HttpRequest, obj: Organization, form: OrganizationForm, change: bool
    ) -> None:
        """Store what changed, audited. To require less takes a fresh proof, as under Settings."""
        person = current_user(request)
        if not change:
            create_organization(obj, person)
            return
        stored = Organization.objects.get(pk=obj.pk)
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        if is_less_secure(stored, values):
            self.require_proof(request)
        set_policies(stored, {name: value for name, value in values.items() if name in POLICIES}, person)
        change_organization(
            stored, {name: value for name, value in values.items() if name in IDENTITY}, person
        )
        notify.notify_workers()

    @admin.display(description="Lever")
    def lever(self, organization: Any) -> str:
        """Return the state of the connection to Lever."""
        state = organization.lever_state
        return LeverConnection.State(state).label if state else "Not connected"

    @admin.display(description="CodeScreen")
    def codescreen(self, organization: Any) -> str:
        """Return the state of the connection to CodeScreen."""
        state = organization.codescreen_state
        return CodeScreenConnection.State(state).label if state else "Not connected"

    @admin.display(description="webhook key")
    def masked_webhook_key(self, organization: Organization) -> str:
        """Return enough of the key to recognise it. Settings show the whole addresses."""
        return f"{organization.webhook_key[:4]}…"
