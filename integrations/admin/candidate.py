"""Candidates in the admin: why they were invited or not, who is on them in Lever, and whose data was erased."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import (
    MAX_SHOWN,
    NOTHING,
    CandidateMixin,
    SitePageMixin,
    column,
    columns,
    indented,
    link,
    list_links,
    step_after,
    time_text,
    verdicts_table,
)
from integrations.admin.filters import OrganizationFilter, choice_filter, incident_filter, period_of
from integrations.audit.models.audited_rows import audit_entries_about
from integrations.core.verdict_code import NO_TEST
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.privacy.models import Erasure

#: The lists that an opportunity's id is searched in.
_LISTS = {
    "invitation": "Invitations",
    "result": "Results",
    "effect": "What was sent and written",
    "delivery": "Deliveries",
    "verdict": "Verdicts",
    "apicall": "API calls",
}


InvitedFilter = choice_filter(
    "whether invited",
    "invited",
    {
        "no": ("Got no test", Q(invitation__isnull=True)),
        "yes": ("Invited or held", Q(invitation__isnull=False)),
    },
)


@admin.register(Candidate)
class CandidateAdmin(SitePageMixin, ScopedAdmin):
    """Everyone who entered a trigger stage, invited or not, latest entry first."""

    list_display = columns(
        "entered_at candidate role_title assessment_name verdict why invited outcome organization"
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

    def get_fieldsets(self, request: HttpRequest, obj: Candidate | None = None) -> Any:
        """Return who the candidate is, what was decided and why, and where the rest is."""
        delivery = obj.delivery if obj else None
        has_no_test = delivery and delivery.verdict in NO_TEST and not (obj and obj.invitation_id)
        who = (
            "organization",
            "opportunity_id",
            "name",
            "email",
            "role_title",
            "stage_name",
            "assessment_name",
        )
        decided = ("verdict", "why", "next_step", "delivery_link", "invitation_link", "outcome")
        return (
            ("Who and what", {"fields": (*who, "entered_at", "erased_at")}),
            ("Why there was no test" if has_no_test else "Where it stands", {"fields": decided}),
            ("What happened", {"fields": ("history", "entries", "records")}),
        )

    candidate = column("candidate", link, "name")

    verdict = column(
        "verdict",
        lambda candidate: candidate.delivery.get_verdict_display() if candidate.delivery else NOTHING,
    )
    why = column("why", lambda candidate: (candidate.delivery and candidate.delivery.explanation) or NOTHING)
    next_step = column("what a person can do", lambda candidate: step_after(candidate.delivery))
    invited = column(
        "invitation",
        lambda candidate: candidate.invitation.get_status_display() if candidate.invitation else "None",
    )
    delivery_link = column("delivery", lambda candidate: link(candidate.delivery))
    invitation_link = column("invitation", lambda candidate: link(candidate.invitation))

    @admin.display(description="all verdicts")
    def history(self, candidate: Candidate) -> str | SafeString:
        """Return every verdict about the candidate's deliveries, newest first."""
        own = {"organization": candidate.organization_id, "opportunity_id": candidate.opportunity_id}
        newest = (
            Delivery.objects.filter(**own).order_by("-received_at").values_list("pk", flat=True)[:MAX_SHOWN]
        )
        verdicts = Verdict.objects.filter(delivery__in=list(newest))
        return verdicts_table(verdicts.order_by("-decided_at", "-pk")[:MAX_SHOWN])

    @admin.display(description="who acted")
    def entries(self, candidate: Candidate) -> str | SafeString:
        """Return when who did what about the candidate and why, newest first, with links to the audit log."""
        entries = audit_entries_about(candidate.organization_id, candidate.opportunity_id)
        lines = (
            (time_text(entry.at), link(entry), f": {entry.reason}" if entry.reason else "")
            for entry in entries.order_by("-at")[:MAX_SHOWN]
        )
        return format_html_join("", "<div>{} · {}{}</div>", lines) or NOTHING

    @admin.display(description="all records")
    def records(self, candidate: Candidate) -> SafeString:
        """Return links to the lists of what is about the candidate, each with its words and values."""
        return list_links(_LISTS, q=candidate.opportunity_id, organization=str(candidate.organization_id))


@admin.register(OpportunityPerson)
class OpportunityPersonAdmin(ScopedAdmin):
    """The candidates that Limited Team Members see, and why."""

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

    rows_shown = column("rows changed", lambda erasure: indented(erasure.rows))
    kept_shown = column("rows kept", lambda erasure: indented(erasure.kept))
