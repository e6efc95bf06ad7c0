"""Verdicts in the admin: everything that was ever decided about a delivery."""

from django.contrib import admin
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import candidate_link, link
from integrations.admin.filters import OrganizationFilter
from integrations.admin.related_search import RelatedSearchMixin, SearchedRelation
from integrations.models import Verdict


@admin.register(Verdict)
class VerdictAdmin(RelatedSearchMixin, ScopedAdmin):
    """The current and the earlier verdicts, newest first."""

    list_display = ("decided_at", "code", "is_current", "cause", "candidate", "explanation", "organization")
    list_filter = ("decided_at", "code", "cause", "is_current", OrganizationFilter)
    list_select_related = ("organization", "delivery")
    list_defer = (
        "assessment_written",
        "delivery__payload",
        "delivery__explanation",
        "delivery__traceback",
        "delivery__facts",
    )
    search_fields = ("id__exact", "delivery__id__exact")
    searched_relation = SearchedRelation("delivery", ("opportunity_id",))
    search_hint = "an opportunity id, or a delivery's or verdict's number"
    ordering = ("-decided_at", "-pk")
    fields = (
        "organization",
        "delivery_link",
        "candidate",
        "code",
        "explanation",
        "assessment_source",
        "assessment_written",
        "invitation_link",
        "cause",
        "decided_at",
        "is_current",
        "position",
        "previous_hash",
        "hash",
    )
    readonly_fields = ("delivery_link", "candidate", "invitation_link", "position", "previous_hash", "hash")

    @admin.display(description="delivery")
    def delivery_link(self, verdict: Verdict) -> str | SafeString:
        """Return a link to the delivery that it is about."""
        return link(verdict.delivery)

    @admin.display(description="candidate")
    def candidate(self, verdict: Verdict) -> str | SafeString:
        """Return a link to the candidate's timeline."""
        return candidate_link(verdict.delivery.opportunity_id)

    @admin.display(description="invitation")
    def invitation_link(self, verdict: Verdict) -> str | SafeString:
        """Return a link to the invitation that it led to or was about."""
        return link(verdict.invitation)
