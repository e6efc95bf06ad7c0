"""Verdicts in the admin: everything that was ever decided about a delivery."""

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import invitation_link, link
from integrations.admin.filters import OrganizationFilter
from integrations.admin.incident_filter import incident_filter
from integrations.admin.names import CandidateKey, CandidateMixin
from integrations.admin.period import period_of
from integrations.admin.related_search import MOST, RelatedSearchMixin, SearchedRelation
from integrations.models import Delivery, Verdict


@admin.register(Verdict)
class VerdictAdmin(CandidateMixin, RelatedSearchMixin, ScopedAdmin):
    """The current and the earlier verdicts, newest first."""

    list_display = ("decided_at", "code", "is_current", "cause", "candidate", "explanation", "organization")
    list_filter = (
        period_of("decided_at"),
        "code",
        "cause",
        "is_current",
        incident_filter("decided_at"),
        OrganizationFilter,
    )
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
    search_hint = "a candidate's name, an opportunity id, or a delivery's or verdict's number"
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

    def candidate_key(self, row: Verdict) -> CandidateKey:
        """Return whom the delivery is about."""
        return row.organization_id, row.delivery.opportunity_id

    def rows_of_candidates(
        self, queryset: QuerySet[Verdict], opportunity_ids: list[str]
    ) -> QuerySet[Verdict]:
        """Return the verdicts about these candidates' deliveries, which are found first."""
        deliveries = Delivery.objects.filter(opportunity_id__in=opportunity_ids).order_by()
        return queryset.filter(delivery__in=list(deliveries.values_list("pk", flat=True)[:MOST]))

    @admin.display(description="invitation")
    def invitation_link(self, verdict: Verdict) -> str | SafeString:
        """Return a link to the invitation that it led to or was about."""
        return invitation_link(verdict.invitation)
