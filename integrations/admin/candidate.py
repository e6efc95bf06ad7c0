"""Candidates in the admin: everyone who entered a trigger stage."""

from django.contrib import admin
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import link
from integrations.admin.filters import OrganizationFilter
from integrations.models import Candidate


@admin.register(Candidate)
class CandidateAdmin(ScopedAdmin):
    """Everyone who entered a trigger stage, invited or not, latest entry first."""

    list_display = ("entered_at", "name", "role_title", "assessment_name", "outcome", "organization")
    list_filter = ("entered_at", OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = ("opportunity_id__exact", "name__icontains", "email__icontains")
    search_hint = "a name, an e-mail address, or an opportunity id"
    ordering = ("-entered_at", "-pk")
    fields = (
        "organization",
        "opportunity_id",
        "name",
        "email",
        "role_title",
        "stage_name",
        "assessment_name",
        "entered_at",
        "delivery_link",
        "invitation_link",
        "outcome",
        "erased_at",
    )
    readonly_fields = ("delivery_link", "invitation_link")

    @admin.display(description="delivery")
    def delivery_link(self, candidate: Candidate) -> str | SafeString:
        """Return a link to the delivery whose verdict says where the candidate stands."""
        return link(candidate.delivery)

    @admin.display(description="invitation")
    def invitation_link(self, candidate: Candidate) -> str | SafeString:
        """Return a link to the candidate's latest invitation."""
        return link(candidate.invitation)
