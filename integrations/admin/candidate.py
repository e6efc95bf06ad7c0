"""Candidates in the admin, why they were invited or not, and whose data was erased; their invitations and results."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from integrations.admin.base import CandidateMixin, OrganizationFilter, ScopedAdmin
from integrations.admin.display import (
    DELIVERY_LINK,
    INVITATION_LINK,
    MAX_SHOWN,
    NOTHING,
    column,
    columns,
    indented,
    invitation_badge,
    list_links,
    outcome_badge,
    section,
    sentence,
    step_after,
    table,
    time_text,
    verdict_badge,
    verdicts_table,
)
from integrations.audit.models.entry import AuditEntry, TargetKind
from integrations.inbox.models.delivery import Delivery
from integrations.inbox.models.verdict import Verdict
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.privacy.models import Erasure

#: The lists that an opportunity's id is searched in.
_LISTS = {
    "integrations_invitation": "Invitations",
    "integrations_result": "Results",
    "integrations_effect": "What was sent and written",
    "integrations_delivery": "Deliveries",
    "integrations_verdict": "Verdicts",
    "integrations_apicall": "API calls",
}


def standing_of(candidate: Candidate) -> str | SafeString:
    """Return where a candidate stands: the stated result, else by the invitation, else by the verdict."""
    if candidate.outcome:
        return outcome_badge(candidate.outcome)
    if candidate.invitation:
        return invitation_badge(candidate.invitation)
    return verdict_badge(candidate.delivery.verdict if candidate.delivery else "")


@admin.register(Candidate)
class CandidateAdmin(CandidateMixin, ScopedAdmin):
    """Everyone who entered a trigger stage, invited or not, latest entry first."""

    list_display = columns("who standing why role_title entered_at organization")
    list_filter = ("entered_at", "outcome", OrganizationFilter)
    lookups = ("invitation",)
    list_select_related = ("organization", "delivery", "invitation")
    list_defer = ("delivery__payload", "delivery__traceback")
    search_fields = ("opportunity_id__exact", "name__icontains", "email__icontains")
    search_hint = "a name, an e-mail address, or an opportunity id"
    ordering = ("-entered_at", "-pk")
    fieldsets = (
        section(
            "Who and what",
            "organization opportunity_id name email role_title stage_name assessment_name entered_at erased_at",
        ),
        section("Where it stands", "standing why next_step delivery_link invitation_link outcome"),
        section("What happened", "history records"),
    )

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
    why = column(
        "why", lambda candidate: sentence(candidate.delivery.explanation if candidate.delivery else "")
    )
    next_step = column(
        "what a person can do",
        lambda candidate: (
            candidate.invitation.words.next_step if candidate.invitation else step_after(candidate.delivery)
        ),
    )
    delivery_link, invitation_link = DELIVERY_LINK, INVITATION_LINK

    @admin.display(description="all verdicts")
    def history(self, candidate: Candidate) -> str | SafeString:
        """Return every verdict about the candidate's deliveries, newest first."""
        own = {"organization": candidate.organization_id, "opportunity_id": candidate.opportunity_id}
        verdicts = Verdict.objects.filter(delivery__in=Delivery.objects.filter(**own))
        return verdicts_table(verdicts.order_by("-decided_at", "-pk")[:MAX_SHOWN])

    @admin.display(description="all records")
    def records(self, candidate: Candidate) -> SafeString:
        return list_links(_LISTS, q=candidate.opportunity_id, organization=str(candidate.organization_id))


@admin.register(Erasure)
class ErasureAdmin(ScopedAdmin):
    """Whose data was erased, by the opportunity's id: when, why and how much."""

    list_display = columns("opportunity_id cause erased_at repeated_at organization")
    list_filter = ("erased_at", "cause", OrganizationFilter)
    search_fields = ("opportunity_id__exact", "id__exact")
    search_hint = "an opportunity id, or the number of an erasure"
    ordering = ("-erased_at", "-pk")
    fields = columns("organization opportunity_id cause erased_at repeated_at rows_shown kept_shown")

    rows_shown = column("rows changed", lambda erasure: indented(erasure.rows))
    kept_shown = column("rows kept", lambda erasure: indented(erasure.kept))


@admin.register(Invitation)
class InvitationAdmin(CandidateMixin, ScopedAdmin):
    """Each candidate's journey through an assessment, round by round."""

    list_display = columns("who assessment_name round standing why created_at changed_at organization")
    list_filter = ("created_at", "status", OrganizationFilter)
    lookups = ("round",)
    search_fields = ("opportunity_id__exact", "instance_id__exact", "candidate_name", "email__istartswith")
    search_hint = "a name, the beginning of an e-mail address, or an opportunity's or instance's id"
    ordering = ("-created_at", "-pk")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return all columns, and what people did: why there is a second round stands only there."""
        return [*super().get_fields(request, obj), "what_people_did"]

    who = column("candidate", lambda invitation: invitation.candidate_name or "No name", "candidate_name")
    standing = column("status", invitation_badge, "status")
    why = column("why", lambda invitation: sentence(invitation.status_reason))

    @admin.display(description="what people did")
    def what_people_did(self, invitation: Invitation) -> str | SafeString:
        entries = AuditEntry.objects.filter(
            organization=invitation.organization_id,
            target_kind=TargetKind.INVITATION,
            target_id=str(invitation.pk),
        )
        rows = [
            (time_text(entry.at), entry.who, entry.get_action_display(), entry.reason or NOTHING)
            for entry in entries.order_by("-at", "-pk")[:MAX_SHOWN]
        ]
        return table(("When", "Who", "What", "Reason"), rows) if rows else NOTHING


@admin.register(Result)
class ResultAdmin(CandidateMixin, ScopedAdmin):
    """The results of attempts."""

    opportunity_path = "invitation__opportunity_id"
    list_display = columns(
        "candidate invitation_link said score_shown rating failure_reason created_at organization"
    )
    list_display_links = ("said",)
    list_filter = ("created_at", "outcome", OrganizationFilter)
    list_select_related = ("invitation", "organization")
    list_defer = ("details_json",)
    search_fields = ("invitation__opportunity_id__exact", "invitation__instance_id__exact")
    search_hint = "an opportunity's or instance's id"
    ordering = ("-created_at", "-pk")
    fields = columns(
        "organization candidate invitation_link attempt said score_shown failure_reason rating "
        "report_url feedback_id file_id created_at details_shown"
    )

    said = column("result", lambda result: outcome_badge(result.outcome), "outcome")
    score_shown = column("score", lambda result: result.score_text, "score")
    invitation_link = INVITATION_LINK
    details_shown = column("details", lambda result: indented(result.details))
