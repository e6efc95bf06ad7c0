"""Pending memberships in the admin, read-only: people are invited under Settings."""

from django.contrib import admin

from integrations.admin.base import ScopedAdmin
from integrations.admin.filters import OrganizationFilter
from integrations.models import PendingMembership


@admin.register(PendingMembership)
class PendingMembershipAdmin(ScopedAdmin):
    """Who was invited and hasn't answered yet."""

    list_display = ("email", "role", "organization", "invited_at")
    list_filter = ("role", OrganizationFilter)
    list_select_related = ("organization",)
    fields = ("email", "role", "organization", "created_at", "invited_at")
