"""Invitations in the admin: how far each is, and what waits for a person."""

from collections.abc import Callable

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from integrations.admin.base import ScopedAdmin
from integrations.admin.confirmation import AdminAction, run_action
from integrations.admin.display import links
from integrations.admin.filters import OrganizationFilter
from integrations.admin.incident_filter import incident_filter
from integrations.admin.invited_again import InvitedAgainFilter
from integrations.admin.names import candidate_link
from integrations.admin.period import period_of
from integrations.invitation_status import InvitationAct
from integrations.models import Actor, Invitation
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import approve, cancel, send_again

MAX_SHOWN = 50
#: Where the actions are offered.
LISTS_AND_PAGES = [admin.ActionLocation.CHANGE_LIST, admin.ActionLocation.CHANGE_FORM]


def _preview_of(act: InvitationAct, sentence: str) -> Callable[[Invitation], str]:
    """Return the preview of an act; `sentence` may name {assessment} and {who}."""

    def preview(invitation: Invitation) -> str:
        if act not in invitation.allows:
            raise ActionNotAllowed(f"It is {invitation.words.phrase}.")
        return sentence.format(
            assessment=invitation.assessment_name, who=invitation.candidate_name or "the candidate"
        )

    return preview


def _approve(invitation: Invitation, actor: Actor, reason: str) -> str:
    approve(invitation, actor, reason)
    return "goes out."


def _cancel(invitation: Invitation, actor: Actor, reason: str) -> str:
    cancel(invitation, actor, reason)
    return "was cancelled."


def _send_again(invitation: Invitation, actor: Actor, reason: str) -> str:
    send_again(invitation, actor, reason)
    return "is sent again."


APPROVE = AdminAction(
    "approve",
    "Approve these invitations?",
    "Approve",
    "may_configure",
    _preview_of(InvitationAct.APPROVE, "“{assessment}” is sent to {who}."),
    _approve,
    asks_reason=True,
)
CANCEL = AdminAction(
    "cancel",
    "Cancel these invitations?",
    "Cancel invitations",
    "may_configure",
    _preview_of(
        InvitationAct.CANCEL, "“{assessment}” for {who} is cancelled. CodeScreen can't take an e-mail back."
    ),
    _cancel,
    asks_reason=True,
)
SEND_AGAIN = AdminAction(
    "send_again",
    "Send these invitations again?",
    "Send again",
    "may_configure",
    _preview_of(
        InvitationAct.SEND_AGAIN,
        "“{assessment}” is sent to {who} again. Look in CodeScreen first: if they are there, they get a second one.",
    ),
    _send_again,
    asks_reason=True,
)


class DecisionFilter(admin.SimpleListFilter):
    """Filter by whether a person still has to decide about a candidate who failed."""

    title = "decision"
    parameter_name = "decision"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        """Return the one choice."""
        return [("awaited", "Waits for a decision")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> QuerySet[Invitation]:
        """Keep the invitations that wait for a decision."""
        return queryset.filter(awaits_decision_since__isnull=False) if self.value() else queryset


@admin.register(Invitation)
class InvitationAdmin(ScopedAdmin):
    """Each candidate's journey through an assessment, round by round."""

    list_display = (
        "created_at",
        "candidate",
        "assessment_name",
        "round",
        "role_title",
        "status",
        "status_reason",
        "changed_at",
        "organization",
    )
    list_display_links = ("created_at", "assessment_name")
    list_filter = (
        period_of("created_at"),
        "status",
        DecisionFilter,
        incident_filter("created_at"),
        OrganizationFilter,
        InvitedAgainFilter,
    )
    list_select_related = ("organization",)
    search_fields = ("opportunity_id__exact", "instance_id__exact", "id__exact")
    searched_texts = ("candidate_name", "email__istartswith")
    search_hint = (
        "a name, the beginning of an e-mail address, or an opportunity's, instance's or invitation's id"
    )
    ordering = ("-created_at", "-pk")
    actions = ("approve", "cancel", "send_again")
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
                    "bounced_at",
                    "started_at",
                    "submitted_at",
                    "completed_at",
                    "changed_at",
                    "following_ended",
                    "following_ended_reason",
                    "following_ended_at",
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
                    "missing_since",
                    "followed_since",
                )
            },
        ),
    )
    readonly_fields = ("candidate", "results_shown", "deliveries_shown", "effects_shown")

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the columns that are searched: of several words, which no id has, those that hold texts.

        With the ids of instances among them, whose index is partial, PostgreSQL would look for one word by the indexes
        and for the other in all rows that have the first.
        """
        if len(request.GET.get(SEARCH_VAR, "").split()) > 1:
            return self.searched_texts
        return (*self.search_fields, *self.searched_texts)

    @admin.display(description="candidate")
    def candidate(self, invitation: Invitation) -> str | SafeString:
        """Return a link to the candidate."""
        return candidate_link(
            invitation.organization_id, invitation.opportunity_id, invitation.candidate_name
        )

    @admin.display(description="results")
    def results_shown(self, invitation: Invitation) -> str | SafeString:
        """Return links to the results, latest first."""
        return links(invitation.results.all()[:MAX_SHOWN])

    @admin.display(description="deliveries")
    def deliveries_shown(self, invitation: Invitation) -> str | SafeString:
        """Return links to the deliveries about it."""
        return links(invitation.deliveries.order_by("pk")[:MAX_SHOWN])

    @admin.display(description="effects")
    def effects_shown(self, invitation: Invitation) -> str | SafeString:
        """Return links to its effects."""
        return links(invitation.effects.order_by("pk")[:MAX_SHOWN])

    @admin.action(permissions=["configure"], description="Approve", location=LISTS_AND_PAGES)
    def approve(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> TemplateResponse | None:
        """Preview, then send held invitations."""
        return run_action(self, request, queryset.select_related("organization"), APPROVE)

    @admin.action(permissions=["configure"], description="Cancel invitations", location=LISTS_AND_PAGES)
    def cancel(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> TemplateResponse | None:
        """Preview, then cancel invitations that haven't been started."""
        return run_action(self, request, queryset.select_related("organization"), CANCEL)

    @admin.action(permissions=["configure"], description="Send again", location=LISTS_AND_PAGES)
    def send_again(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> TemplateResponse | None:
        """Preview, then send uncertain or failed invitations again."""
        return run_action(self, request, queryset.select_related("organization"), SEND_AGAIN)
