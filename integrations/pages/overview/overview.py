"""The first page: the set-up checklist until every step is done, then what needs attention and today."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import messages
from django.core.cache import caches
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.csp import csp_override

from integrations.catalog.lists import trigger_stages
from integrations.health import doctor
from integrations.invitations.models.candidate import Candidate
from integrations.members.models.membership import ADMINS
from integrations.organizations.acts import set_policies
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin, visible
from integrations.pages.activity.candidate_filters import CandidateFilters
from integrations.pages.activity.candidate_search import CandidateSearch
from integrations.pages.activity.rows import candidate_rows
from integrations.pages.overview.attention import (
    attention,
    further_findings,
    today,
    waiting_for_a_person,
)
from integrations.pages.overview.checklist import SetupStep, setup_steps
from integrations.pages.settings.lever_connect import connect_policy
from integrations.pages.views import ActView, PartialsMixin
from integrations.queue import notify

LATEST = 10
CATALOG_REFRESH_SECONDS = 8
#: The steps whose state depends on the copies of the platforms' lists.
CATALOG_STEPS = frozenset({"codescreen", "stage", "roles"})
PAUSED = "Paused. Nothing is sent until somebody presses “Resume”."
#: The last step: once it is done, the checklist is only about what has broken since.
FIRST_INVITATION = "candidate"


class OverviewView(OrganizationMixin, PartialsMixin):
    """Show the organization at a glance."""

    template_name = "integrations/overview.html"
    partials = {
        "checklist": "integrations/_checklist.html",
        "overview": "integrations/_overview_current.html",
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the checklist, the counts and the newest rows; for a partial only what it shows."""
        # a Limited Team Member has no part in the set-up, and its last step tells of any candidate
        has_checklist = self.partial != "overview" and self.membership.sees_all_candidates
        stages = trigger_stages(self.organization) if has_checklist or not self.partial else []
        steps = setup_steps(self.organization, stages) if has_checklist else []
        is_ready = self.partial == "overview" or all(step.is_done for step in steps)
        context = super().get_context_data(
            steps=steps,
            steps_done=sum(step.is_done for step in steps),
            next_step=_next_step(steps),
            is_ready=is_ready,
            was_set_up=any(step.is_done for step in steps if step.code == FIRST_INVITATION),
            **kwargs,
        )
        if self.partial == "checklist":
            self._refresh_catalog(steps)
            return context
        context |= self.current_state()
        if not self.partial:
            candidates = CandidateSearch(self.membership, CandidateFilters())
            context |= {"trigger_stages": stages, "needs_attention": candidates.need_attention()}
        return context

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        """Let the checklist's Connect form lead to Lever, as on the settings page, while there is a checklist."""
        response = super().render_to_response(context, **kwargs)
        if context["is_ready"] or not self.membership.may_connect:
            return response
        relaxed: HttpResponse = csp_override(connect_policy())(lambda _: response)(self.request)
        return relaxed

    def _refresh_catalog(self, steps: Sequence[SetupStep]) -> None:
        """Request the platforms' lists while an Admin is on the checklist and a step depends on them."""
        is_needed = any(step.code in CATALOG_STEPS and not step.is_done for step in steps)
        if not is_needed or not self.membership.may_configure:
            return
        key = f"lists-asked-{self.organization.pk}"
        if caches["memory"].add(key, True, CATALOG_REFRESH_SECONDS):
            notify.request_catalog_refresh(self.organization)

    def current_state(self) -> dict[str, Any]:
        """Return what the page keeps up to date: what needs attention, today's counts and the latest candidates."""
        # findings name candidates, and a Limited Team Member has no part in fixing them
        is_told = self.membership.sees_all_candidates
        findings = doctor.operational_findings(self.organization) if is_told else []
        waiting = waiting_for_a_person(self.membership)
        return {
            "waiting": waiting,
            "today": today(self.membership),
            "attention": attention(self.membership, waiting, findings),
            "further_findings": further_findings(findings),
            "rows": candidate_rows(self._latest()),
        }

    def _latest(self) -> Iterable[Candidate]:
        """Return the latest candidates that the member sees."""
        own = visible(Candidate.objects.filter(organization=self.organization), self.membership)
        return own.with_standing().order_by("-entered_at", "-pk")[:LATEST]


def _next_step(steps: Sequence[SetupStep]) -> SetupStep | None:
    """Return the step to do next; one that is begun finishes without the reader, so the others come first."""
    to_do = [step for step in steps if not step.is_done]
    return next((step for step in to_do if not step.is_begun), to_do[0] if to_do else None)


class PauseView(OrganizationMixin, ActView):
    """Pause the organization, or end its pause: what waited for that is decided then."""

    allowed_roles = ADMINS
    following_page = "overview"
    pauses = True

    def operate(self, form: Form) -> str | HttpResponse:
        """Do it, and say so; nothing changes if it was done already."""
        stored = Organization.objects.get(pk=self.organization.pk)
        if set_policies(stored, {"paused": self.pauses}, self.user):
            return PAUSED if self.pauses else "The pause has ended. What waited is decided now."
        messages.info(self.request, "Already paused." if self.pauses else "The pause had ended already.")
        return redirect(self.get_success_url())
