"""Act on many rows at once: a page that names them and says what will happen, then one operation for each."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import TemplateView

from integrations.audit.models.entry import Actor
from integrations.catalog.lists import live_assessments
from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.inbox.today import Today
from integrations.invitations.acts.chosen import invite_candidate
from integrations.invitations.acts.invitations import approve, cancel, retry_effect, send_again
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import ADMINS, APPROVERS, TEAM
from integrations.outbox.models.effect import Effect
from integrations.pages.access import OrganizationMixin, return_url, visible
from integrations.pages.activity.candidate_filters import CandidateFilters
from integrations.pages.activity.candidate_search import CandidateSearch
from integrations.pages.activity.rows import candidate_rows, candidates_of
from integrations.pages.views import ReasonForm
from integrations.queue import notify
from integrations.store.database import keys_of

#: So many rows are acted on at once; the next ones are offered afterwards.
MOST = 100
#: Of those that the filters show so many are looked at, in the order of the list.
MOST_LOOKED_AT = 1_000
#: So many reasons are shown as messages.
MOST_REASONS = 5


@dataclass(frozen=True)
class BulkAct:
    """One thing that is done to many rows: what it does to one, its words, and who may do it.

    `listed` is the list that the rows come from.
    """

    code: str
    label: str
    consequence: str
    perform: Callable[..., object]
    listed: CandidateFilters
    roles: frozenset[str] = APPROVERS

    @property
    def decides(self) -> bool:
        """Whether candidates are decided again; other acts are done to invitations or steps."""
        return self.perform is _decide_again


def _retry(effect: Effect, actor: Actor, _reason: str) -> None:
    if effect.state != Effect.State.FAILED:  # it would begin anew
        raise ActionNotAllowed("It is being tried again already.")
    retry_effect(effect, actor)


def _decide_again(candidate: Candidate, actor: Actor, reason: str, assessment_id: str = "") -> None:
    invite_candidate(candidate, actor, assessment_id, reason)


ACTS: Mapping[str, BulkAct] = {
    act.code: act
    for act in (
        BulkAct(
            "send",
            "Send invitations",
            "CodeScreen e-mails the assessment to each of these candidates.",
            approve,
            CandidateFilters(status="held"),
        ),
        BulkAct(
            "cancel",
            "Cancel invitations",
            "Nobody is e-mailed. To invite one of them later, use “Send again” on the candidate's page.",
            partial(cancel, only_unsent=True),
            CandidateFilters(status="held"),
        ),
        BulkAct(
            "decide",
            "Decide again",
            "Each is read from Lever once more, and decided by your mappings and rules of now. If nothing prevents it, "
            "CodeScreen e-mails them the assessment, also where they may be invited already. An invitation that could "
            "not be sent, or was cancelled before, is sent again. The rules don't hold it.",
            _decide_again,
            CandidateFilters(view="not_invited"),
            ADMINS,
        ),
        BulkAct(
            "invite",
            "Invite",
            "What kept them from being invited has ended. Each is read from Lever once more. If nothing prevents it, "
            "CodeScreen e-mails them the assessment.",
            _decide_again,
            CandidateFilters(),
            ADMINS,
        ),
        BulkAct(
            "settle",
            "Not sent: send it",
            "CodeScreen e-mails those who are ticked. If the first e-mail did arrive, they get two.",
            send_again,
            CandidateFilters(status="uncertain"),
            ADMINS,
        ),
        BulkAct(
            "retry",
            "Retry steps",
            "Each of these steps is tried again.",
            _retry,
            CandidateFilters(view="attention"),
            TEAM,
        ),
    )
}


@dataclass(frozen=True)
class BulkRow:
    """One row that is acted on, and the candidate it is about; a note says more, `at` when CodeScreen was called."""

    key: int
    what: str
    candidate: Candidate | None
    opportunity_id: str
    note: str = ""
    at: datetime | None = None


class BulkView(OrganizationMixin, TemplateView):
    """Show the rows that an act is about to be done to; POST does it to those that are ticked."""

    template_name = "integrations/bulk.html"
    allowed_roles = TEAM

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        act = self._act(self.request.GET.get("act", ""))
        rows = self._named(act) if act else []
        listed = live_assessments(self.organization) if act and act.code == "decide" else []
        return super().get_context_data(
            act=act,
            rows=rows[:MOST],
            is_cut=len(rows) > MOST,
            most=MOST,
            alone=reverse("candidate", args=[rows[0].opportunity_id])
            if len(rows) == 1 and rows[0].opportunity_id
            else "",
            assessments=[(one.id, one.name) for one in listed],
            codescreen_page=settings.CODESCREEN_API_URL.removesuffix("/api"),
            **kwargs,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Perform the act on each row in turn, and say to how many it was done, and why it wasn't to others."""
        act = self._act(request.POST.get("act", ""))
        keys = keys_of(request.POST.getlist("row"))[:MOST]
        if act is None or not keys:
            messages.error(request, "Nothing was ticked.")
            return redirect("activity")
        form = ReasonForm(request.POST)
        reason = str(form.cleaned_data["reason"]) if form.is_valid() else ""
        chosen = {"assessment_id": request.POST.get("assessment", "")} if act.code == "decide" else {}
        done, why_not = 0, Counter[str]()
        for row in self._chosen(act, keys):
            try:
                act.perform(row, self.user, reason, **chosen)
            except (ActionNotAllowed, PlatformError) as error:
                why_not[str(error)] += 1
            else:
                done += 1
        notify.notify_workers()
        if done:
            messages.success(request, f"“{act.label}”: done for {done}.")
        for why, number in why_not.most_common(MOST_REASONS):
            messages.error(request, f"Not done for {number}: {why}")
        return redirect(return_url(request, act.listed.url))

    def _act(self, code: str) -> BulkAct | None:
        """Return the act, None when there is none of this code. Raises PermissionDenied."""
        act = ACTS.get(code)
        if act is not None:
            self.require(act.roles)
        return act

    def _named(self, act: BulkAct) -> list[BulkRow]:
        """Return the rows to act on: of what failed all, else those of the candidates who are ticked."""
        if act.code == "retry":
            failed = Effect.objects.failed_steps().filter(organization=self.organization)
            # what fails again goes to the end, so that all come to be offered
            steps = failed.order_by(F("failed_at").asc(nulls_first=True), "pk")[: MOST + 1]
            about = candidates_of(self.organization, steps)
            return [
                BulkRow(
                    one.pk,
                    one.get_kind_display(),
                    about.get(one.opportunity_id),
                    one.opportunity_id,
                    one.reason,
                )
                for one in steps
            ]
        today = Today(self.organization)
        if act.code == "invite":
            freed, ticked = today.freed, self._ticked()
            changed = [freed[one.pk] for one in ticked if one.pk in freed]
            return [
                BulkRow(one.candidate.pk, one.sentence, one.candidate, one.candidate.opportunity_id)
                for one in changed
            ]
        if act.code == "decide":
            rows = [row for row in candidate_rows(self._ticked(), today) if row.may_be_invited]
            return [
                BulkRow(row.candidate.pk, row.standing.whole, row.candidate, row.candidate.opportunity_id)
                for row in rows
            ]
        if act.code == "settle" and "invitation" in self.request.GET:
            keys = keys_of(self.request.GET.getlist("invitation"))
            found = list(Invitation.objects.filter(organization=self.organization, pk__in=keys))
        else:
            found = [one.invitation for one in self._ticked() if one.invitation is not None]
        status = InvitationStatus.UNCERTAIN if act.code == "settle" else InvitationStatus.HELD
        found = [one for one in found if one.status == status]
        about = candidates_of(self.organization, found)
        return [
            BulkRow(
                one.pk,
                one.assessment_name,
                about.get(one.opportunity_id),
                one.opportunity_id,
                one.email if act.code == "settle" else one.status_reason,
                one.first_call_at or one.changed_at,
            )
            for one in found
        ]

    def _ticked(self) -> list[Candidate]:
        """Return the candidates who are ticked, or all that the list shows, each with the invitation shown there."""
        search = CandidateSearch(self.membership, CandidateFilters.of_address(self.request.GET))
        rows = search.rows()
        if "all" not in self.request.GET:
            rows = rows.filter(pk__in=keys_of(self.request.GET.getlist("candidate")))
        return search.with_invitation_shown(rows[:MOST_LOOKED_AT])

    def _chosen(self, act: BulkAct, keys: Sequence[int]) -> Iterable[Candidate | Effect | Invitation]:
        """Return the organization's rows with these keys that the act is for."""
        if act.code == "retry":
            # a failed invitation has a button of its own
            steps = Effect.objects.filter(organization=self.organization, pk__in=keys)
            steps = steps.exclude(kind=Effect.Kind.SEND_INVITATION)
            return steps.select_related("organization", "invitation").order_by("pk")
        if act.decides:
            own = Candidate.objects.filter(organization=self.organization, pk__in=keys)
            return visible(own, self.membership).with_standing().order_by("pk")
        invitations = Invitation.objects.filter(organization=self.organization, pk__in=keys)
        return invitations.select_related("organization").order_by("pk")
