"""Erasures in the admin: the receipts."""

from django.contrib import admin
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import indented
from integrations.admin.filters import OrganizationFilter
from integrations.admin.names import CandidateMixin
from integrations.admin.period import period_of
from integrations.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(CandidateMixin, ScopedAdmin):
    """Whose data was erased, by the opportunity's id: when, why and how much."""

    list_display = ("erased_at", "candidate", "cause", "repeated_at", "organization")
    list_display_links = ("erased_at",)
    list_filter = (period_of("erased_at"), "cause", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "an opportunity id, or the number of an erasure"
    ordering = ("-erased_at", "-pk")
    fields = ("organization", "candidate", "cause", "erased_at", "repeated_at", "rows_shown", "kept_shown")
    readonly_fields = ("candidate", "rows_shown", "kept_shown")

    @admin.display(description="rows changed")
    def rows_shown(self, erasure: Erasure) -> str | SafeString:
        """Return how many rows were changed, by table."""
        return indented(erasure.rows)

    @admin.display(description="rows kept")
    def kept_shown(self, erasure: Erasure) -> str | SafeString:
        """Return how many rows stay without personal data, by table."""
        return indented(erasure.kept)
