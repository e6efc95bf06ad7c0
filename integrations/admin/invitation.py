"""Invitations in the admin: where each candidate stands, and what waits for a person."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from integrations.admin import confirmation
from integrations.admin.base import OrganizationFilter, ScopedAdmin
from integrations.admin.display import candidate_link, links
from integrations.models import Invitation
from integrations.models.invitation import Status
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import approve, refuse, send_again

MOST_SHOWN = 50
BOTH = [admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM]


def _foretelling(statuses: tuple[str, ...], sentence: str) -> Callable[[Invitation], str]:
    def foretell(invitation: Invitation) -> str:
        if invitation.status not in statuses:
            raise ActionNotAllowed(f"It is {invitation.get_status_display().lower()}.")
        return sentence.format(
            assessment=invitation.assessment_name, who=invitation.candidate_name or "the candidate"
        )

    return foretell


def _performing(act: Callable[..., None], said: str) -> Callable[[Any, Any, str], str]:
    def perform(invitation: Invitation, actor: Any, reason: str) -> str:
        act(invitation, actor, reason)
        return said

    return perform


APPROVE = confirmation.Act(
    "approve",
    "Approve these invitations?",
    "Approve",
    "may_configure",
    _foretelling((Status.HELD,), "“{assessment}” is sent to {who}."),
    _performing(approve, "goes out."),
    asks_reason=True,
)
REFUSE = confirmation.Act(
    "refuse",
    "Refuse these invitations?",
    "Refuse",
    "may_configure",
    _foretelling((Status.HELD,), "{who} is not invited to “{assessment}”."),
    _performing(refuse, "was refused."),
    asks_reason=True,
)
SEND_AGAIN = confirmation.Act(
    "send_again",
    "Send these invitations again?",
    "Send again",
    "may_configure",
    _foretelling(
        (Status.UNCERTAIN, Status.FAILED),
        "“{assessment}” is sent to {who} again. Look in CodeScreen first: if they are there, they get a second one.",
    ),
    _performing(send_again, "is sent again."),
    asks_reason=True,
)


class DecisionFilter(admin.SimpleListFilter):
    """Choose those whose candidate failed and of whom a person is to say what was decided."""

    title = "decision"
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer the one choice."""
        return [("awaited", "Waits for a decision")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        """Keep who waits."""
        return queryset.filter(awaits_decision_since__isnull=False) if self.value() else queryset


@admin.register(Invitation)
class InvitationAdmin(ScopedAdmin):
    """Each candidate's journey through an assessment."""

    list_display = (
        "created_at",
        "candidate_name",
        "assessment_name",
        "round",
        "role_title",
        "status",
        "status_reason",
        "changed_at",
        "candidate",
        "organization",
    )
    list_display_links = ("created_at", "candidate_name")
    list_filter = ("created_at", "status", DecisionFilter, OrganizationFilter)
    list_select_related = ("organization",)
    search_fields = (
        "opportunity_id__exact",
        "instance_id__exact",
        "id__exact",
        "candidate_name",
        "email__istartswith",
    )
    search_hint = (
        "a name, the beginning of an e-mail address, or an opportunity's, instance's or invitation's id"
    )
    ordering = ("-created_at", "-pk")
    actions = ("approve", "refuse", "send_again")
    fieldsets = (
        (
            "Who and what",
            {
                "fields": (
                    "organization",
                    "candidate_name",
                    "email",
                    "candidate",
                    "role_title",
                    "stage_name",
                    "assessment_name",
                    "round",
                )
            },
        ),
        (
            "Where it stands",
            {"fields": ("status", "status_reason", "awaits_decision_since", "results_shown", "raw_status")},
        ),
        (
            "When",
            {
                "fields": (
                    "created_at",
                    "checked_at",
                    "invited_at",
                    "started_at",
                    "submitted_at",
                    "completed_at",
                    "changed_at",
                )
            },
        ),
        ("What led to it and what it led to", {"fields": ("deliveries_shown", "effects_shown")}),
        (
            "In detail",
            {
                "fields": (
                    "opportunity_id",
                    "contact_id",
                    "role_id",
                    "stage_id",
                    "assessment_id",
                    "instance_id",
                    "feedback_id",
                    "reference",
                    "polled_at",
                    "next_poll_at",
                    "poll_failures",
                )
            },
        ),
    )
    readonly_fields = ("candidate", "results_shown", "deliveries_shown", "effects_shown")

    @admin.display(description="timeline", ordering="opportunity_id")
    def candidate(self, invitation: Invitation) -> str | SafeString:
        """Link to the candidate's timeline."""
        return candidate_link(invitation.opportunity_id)

    @admin.display(description="results")
    def results_shown(self, invitation: Invitation) -> str | SafeString:
        """Link to the results, the latest first."""
        return links(invitation.results.all()[:MOST_SHOWN])

    @admin.display(description="deliveries")
    def deliveries_shown(self, invitation: Invitation) -> str | SafeString:
        """Link to the deliveries about it."""
        return links(invitation.deliveries.order_by("pk")[:MOST_SHOWN])

    @admin.display(description="effects")
    def effects_shown(self, invitation: Invitation) -> str | SafeString:
        """Link to the effects for it."""
        return links(invitation.effects.order_by("pk")[:MOST_SHOWN])

    @admin.action(permissions=["configure"], description="Approve", location=BOTH)
    def approve(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> TemplateResponse | None:
        """Let held invitations go out."""
        return confirmation.run(self, request, queryset.select_related("organization"), APPROVE)

    @admin.action(permissions=["configure"], description="Refuse", location=BOTH)
    def refuse(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> TemplateResponse | None:
        """Say no to held invitations."""
        return confirmation.run(self, request, queryset.select_related("organization"), REFUSE)

    @admin.action(permissions=["configure"], description="Send again", location=BOTH)
    def send_again(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> TemplateResponse | None:
        """Send uncertain or failed invitations again."""
        return confirmation.run(self, request, queryset.select_related("organization"), SEND_AGAIN)
