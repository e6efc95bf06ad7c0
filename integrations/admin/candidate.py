"""Candidates in the admin: why they were invited or not, who is on them in Lever, and whose data was erased."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import indented, link
from integrations.admin.filters import OrganizationFilter, incident_filter, period_of
from integrations.admin.names import CandidateMixin, candidate_link
from integrations.models import Candidate, Erasure, OpportunityPerson


class InvitedFilter(admin.SimpleListFilter):
    """Filter candidates by whether they were invited."""

    title = "whether invited"
    parameter_name = "invited"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return both choices."""
        return [("no", "Got no test"), ("yes", "Invited or held")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Candidate]) -> QuerySet[Candidate]:
        """Keep the candidates who were, or weren't, invited."""
        return queryset.filter(invitation__isnull=self.value() == "no") if self.value() else queryset


@admin.register(Candidate)
class CandidateAdmin(ScopedAdmin):
    """Everyone who entered a trigger stage, invited or not, latest entry first."""

    list_display = (
        "entered_at",
        "candidate",
        "role_title",
        "assessment_name",
        "verdict",
        "why",
        "invited",
        "outcome",
        "organization",
    )
    list_display_links = ("entered_at",)
    list_filter = (
        period_of("entered_at"),
        InvitedFilter,
        "outcome",
        incident_filter("entered_at"),
        OrganizationFilter,
    )
    list_select_related = ("organization", "delivery", "invitation")
    list_defer = ("delivery__payload", "delivery__traceback")
    search_fields = ("opportunity_id__exact", "name__icontains", "email__icontains")
    search_hint = "a name, an e-mail address, or an opportunity id"
    ordering = ("-entered_at", "-pk")
    fields = (
        "organization",
        "candidate",
        "opportunity_id",
        "name",
        "email",
        "role_title",
        "stage_name",
        "assessment_name",
        "entered_at",
        "verdict",
        "why",
        "delivery_link",
        "invitation_link",
        "outcome",
        "erased_at",
    )
    readonly_fields = ("candidate", "verdict", "why", "delivery_link", "invitation_link")

    @admin.display(description="candidate", ordering="name")
    def candidate(self, candidate: Candidate) -> str | SafeString:
        """Return a link to the page with everything about the candidate."""
        return candidate_link(candidate.organization_id, candidate.opportunity_id, candidate.name)

    @admin.display(description="verdict")
    def verdict(self, candidate: Candidate) -> str:
        """Return what was decided."""
        delivery = candidate.delivery
        return delivery.get_verdict_display() if delivery else self.get_empty_value_display()

    @admin.display(description="why")
    def why(self, candidate: Candidate) -> str:
        """Return why they were invited or not."""
        delivery = candidate.delivery
        return (delivery.explanation if delivery else "") or self.get_empty_value_display()

    @admin.display(description="invitation")
    def invited(self, candidate: Candidate) -> str:
        """Return where the invitation stands."""
        invitation = candidate.invitation
        return invitation.get_status_display() if invitation else "None"

    @admin.display(description="delivery")
    def delivery_link(self, candidate: Candidate) -> str | SafeString:
        """Return a link to the delivery whose verdict says where the candidate stands."""
        return link(candidate.delivery)

    @admin.display(description="invitation")
    def invitation_link(self, candidate: Candidate) -> str | SafeString:
        """Return a link to the candidate's latest invitation."""
        return link(candidate.invitation)


@admin.register(OpportunityPerson)
class OpportunityPersonAdmin(ScopedAdmin):
    """Whom Limited Team Members see, and why."""

    list_display = ("opportunity_id", "email", "relation", "organization")
    list_filter = ("relation", OrganizationFilter)
    search_fields = ("opportunity_id__exact", "email__exact")
    search_hint = "an opportunity id, or an e-mail address in small letters"
    fields = ("opportunity_id", "email", "relation", "organization")


@admin.register(Erasure)
class ErasureAdmin(CandidateMixin, ScopedAdmin):
    """Whose data was erased, by the opportunity's id: when, why and how much."""

    list_display = ("erased_at", "candidate", "cause", "repeated_at", "organization")
    list_display_links = ("erased_at",)
    list_filter = (period_of("erased_at"), "cause", OrganizationFilter)
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
