"""Candidates in the admin, why they were invited or not, and whose data was erased; their invitations and results."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.display import (
    DELIVERY_LINK,
    INVITATION_LINK,
    MAX_SHOWN,
    NOTHING,
    CandidateMixin,
    RelatedSearchMixin,
    SitePageMixin,
    candidate_link,
    column,
    columns,
    indented,
    invitation_badge,
    link,
    links,
    list_links,
    outcome_badge,
    section,
    sentence,
    step_after,
    time_text,
    verdict_badge,
    verdicts_table,
)
from integrations.admin.filters import OrganizationFilter, choice_filter, period_of
from integrations.audit.models.audited_rows import audit_entries_about
from integrations.core.verdict_code import NO_TEST
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate, OpportunityPerson
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.names import CandidateKey
from integrations.invitations.models.result import Result
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
        "no": ("Not invited", Q(invitation__isnull=True)),
        "yes": ("Invited or held", Q(invitation__isnull=False)),
    },
)


def standing_of(candidate: Candidate) -> str | SafeString:
    """Return where a candidate stands: the stated result, else by the invitation, else by the verdict."""
    if candidate.outcome:
        return outcome_badge(candidate.outcome)
    if candidate.invitation:
        return invitation_badge(candidate.invitation)
    return verdict_badge(candidate.delivery.verdict if candidate.delivery else "")


@admin.register(Candidate)
class CandidateAdmin(SitePageMixin, ScopedAdmin):
    """Everyone who entered a trigger stage, invited or not, latest entry first."""

    list_display = columns("who standing why role_title entered_at organization")
    list_filter = (
        period_of("entered_at"),
        InvitedFilter,
        "outcome",
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
            ("Why the candidate was not invited" if has_no_test else "Where it stands", {"fields": decided}),
            ("What happened", {"fields": ("history", "entries", "records")}),
        )

    def what_is(self, row: Candidate) -> str:
        return row.role_title or "candidate"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list; where a search finds one candidate, their record."""
        answer = super().changelist_view(request, extra_context)
        shown = (answer.context_data if isinstance(answer, TemplateResponse) else None) or {}
        found: list[Candidate] = list(shown["cl"].result_list) if "cl" in shown else []
        if request.GET.keys() == {SEARCH_VAR} and len(found) == 1:
            return redirect("admin:integrations_candidate_change", found[0].pk)
        return answer

    who = column("candidate", str, "name")
    standing = column("where it stands", standing_of)
    verdict = column(
        "verdict",
        lambda candidate: verdict_badge(candidate.delivery.verdict) if candidate.delivery else NOTHING,
    )
    why = column(
        "why", lambda candidate: sentence(candidate.delivery.explanation if candidate.delivery else "")
    )
    next_step = column("what a person can do", lambda candidate: step_after(candidate.delivery))
    delivery_link, invitation_link = DELIVERY_LINK, INVITATION_LINK

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
        return list_links(_LISTS, q=candidate.opportunity_id, organization=str(candidate.organization_id))


@admin.register(OpportunityPerson)
class OpportunityPersonAdmin(ScopedAdmin):
    """The candidates that Limited Team Members see, and why."""

    is_in_index = False
    list_display = ("opportunity_id", "email", "relation", "organization")
    list_filter = ("relation", OrganizationFilter)
    search_fields = ("opportunity_id__exact", "email__exact")
    search_hint = "an opportunity id, or an e-mail address in small letters"
    fields = ("opportunity_id", "email", "relation", "organization")


@admin.register(Erasure)
class ErasureAdmin(CandidateMixin, ScopedAdmin):
    """Whose data was erased, by the opportunity's id: when, why and how much."""

    list_display = ("opportunity_id", "cause", "erased_at", "repeated_at", "organization")
    list_filter = (period_of("erased_at"), "cause", OrganizationFilter)
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "an opportunity id, or the number of an erasure"
    ordering = ("-erased_at", "-pk")
    fields = ("organization", "candidate", "cause", "erased_at", "repeated_at", "rows_shown", "kept_shown")

    rows_shown = column("rows changed", lambda erasure: indented(erasure.rows))
    kept_shown = column("rows kept", lambda erasure: indented(erasure.kept))


#: How many of a list's newest invitations are compared: whether the person was invited before through another
#: opportunity. All second rounds of the same opportunity are found: they have an index.
MOST_COMPARED = 5_000
MOST_FOUND = 1_000


def invited_before(invitations: QuerySet[Invitation]) -> list[Any]:
    """Return the keys of invitations, among the newest, whose person was sent the same assessment before."""
    sent = invitations.exclude(instance_id="").exclude(contact_id="")
    newest = sent.select_related(None).order_by("-created_at", "-pk").values("pk")[:MOST_COMPARED]
    earlier = Invitation.objects.filter(
        organization=OuterRef("organization"),
        contact_id=OuterRef("contact_id"),
        assessment_id=OuterRef("assessment_id"),
        created_at__lt=OuterRef("created_at"),
    )
    has_earlier = Exists(earlier.exclude(instance_id=""))
    rows = Invitation.objects.filter(has_earlier, pk__in=newest).order_by()
    return list(rows.values_list("pk", flat=True)[:MOST_FOUND])


class InvitedAgainFilter(admin.SimpleListFilter):
    """Filter by whether the person had been invited to the same assessment before. It is the last filter of a list."""

    title = "how often invited"
    parameter_name = "invited"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [
            ("again", f"Invited again, among the newest {MOST_COMPARED:,}"),
            ("round", "Second and later rounds"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        match self.value():
            case "round":
                return queryset.filter(round__gt=1)
            case "again":
                return queryset.filter(Q(round__gt=1) | Q(pk__in=invited_before(queryset)))
        return queryset


def candidate_of(invitation: Invitation) -> str | SafeString:
    """Return a link to the candidate who is invited."""
    return candidate_link(invitation.organization_id, invitation.opportunity_id, invitation.candidate_name)


@admin.register(Invitation)
class InvitationAdmin(SitePageMixin, ScopedAdmin):
    """Each candidate's journey through an assessment, round by round."""

    list_display = columns("who assessment_name round standing why created_at changed_at organization")
    list_filter = (
        period_of("created_at"),
        "status",
        OrganizationFilter,
        InvitedAgainFilter,
    )
    search_fields = ("opportunity_id__exact", "instance_id__exact", "id__exact")
    searched_texts = ("candidate_name", "email__istartswith")
    search_hint = (
        "a name, the beginning of an e-mail address, or an opportunity's, instance's or invitation's id"
    )
    ordering = ("-created_at", "-pk")
    fieldsets = (
        section(
            "Who and what",
            "organization candidate email role_title stage_name assessment_name round",
        ),
        section("Where it stands", "standing status_reason results_shown raw_status"),
        section(
            "When",
            "created_at checked_at invited_at start_by bounced_at started_at submitted_at completed_at "
            "changed_at following_ended following_ended_reason following_ended_at",
        ),
        section("What led to it and what it led to", "deliveries_shown effects_shown"),
        section(
            "In detail",
            "opportunity_id contact_id role_id stage_id assessment_id instance_id feedback_id reference "
            "polled_at next_poll_at poll_failures missing_since followed_since unstarted_tag",
        ),
    )

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the columns that are searched: of several words, which no id has, those that hold texts.

        The index of instance ids is partial. If they were searched too, PostgreSQL would use the indexes for one word
        only, and would look for the other in all rows that have the first.
        """
        if len(request.GET.get(SEARCH_VAR, "").split()) > 1:
            return self.searched_texts
        return (*self.search_fields, *self.searched_texts)

    def what_is(self, row: Invitation) -> str:
        return row.assessment_name

    who = column("candidate", lambda invitation: invitation.candidate_name or "No name", "candidate_name")
    candidate = column("candidate", candidate_of)
    standing = column("status", invitation_badge, "status")
    why = column("why", lambda invitation: sentence(invitation.status_reason))
    results_shown = column("results", lambda invitation: links(invitation.results.all()[:MAX_SHOWN]))

    deliveries_shown = column(
        "deliveries", lambda invitation: links(invitation.deliveries.order_by("pk")[:MAX_SHOWN])
    )
    effects_shown = column("effects", lambda invitation: links(invitation.effects.order_by("pk")[:MAX_SHOWN]))


#: Django's own filter would look through all results for the ratings that there are.
RatingFilter = choice_filter(
    "rating",
    "rating",
    {
        "none": ("No rating", Q(rating__isnull=True)),
        **{str(rating): (str(rating), Q(rating=rating)) for rating in range(1, 5)},
    },
)


@admin.register(Result)
class ResultAdmin(SitePageMixin, RelatedSearchMixin, ScopedAdmin):
    """The results of attempts."""

    list_display = columns(
        "who invitation_link said score_shown rating failure_reason is_in_lever created_at organization"
    )
    list_filter = (period_of("created_at"), "outcome", RatingFilter, OrganizationFilter)
    list_select_related = ("invitation", "organization")
    list_defer = ("details_json",)
    search_fields = ("id__exact",)
    searched_relation, related_columns = "invitation", ("opportunity_id", "instance_id")
    search_hint = "an opportunity's, instance's or result's id"
    ordering = ("-created_at", "-pk")
    fields = columns(
        "organization candidate invitation_link attempt said score_shown failure_reason rating "
        "report_url feedback_id file_id created_at details_shown"
    )

    who = column("candidate", lambda result: result.invitation.candidate_name or "No name")
    said = column("result", lambda result: outcome_badge(result.outcome), "outcome")
    score_shown = column("score", lambda result: result.score_text, "score")

    def candidate_key(self, row: Result) -> CandidateKey:
        return row.organization_id, row.invitation.opportunity_id

    @admin.display(description="in Lever", boolean=True)
    def is_in_lever(self, result: Result) -> bool:
        return bool(result.feedback_id)

    candidate = column("candidate", lambda result: candidate_of(result.invitation))
    invitation_link = INVITATION_LINK
    details_shown = column("details", lambda result: indented(result.details))
