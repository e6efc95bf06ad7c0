"""Act on many rows at once: a preview that names them, then one operation for each, with half a minute to undo it."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.audit.models.entry import Actor
from integrations.catalog.lists import live_assessments
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import CORRECTABLE_VERDICTS, WAITING_VERDICTS, VerdictCode
from integrations.invitations.acts.chosen import invite_candidate
from integrations.invitations.acts.invitations import approve, cancel
from integrations.invitations.acts.undo import UNDO_FOR, retry_effect
from integrations.invitations.models.candidate import Candidate, CandidateQuerySet
from integrations.invitations.models.invitation import Invitation
from integrations.lists import keys_of
from integrations.members.models.membership import Membership
from integrations.outbox.models import Effect
from integrations.pages.access import visible
from integrations.pages.activity.bulk_progress import (
    Act,
    BulkMixin,
    BulkRow,
    DoneAct,
    DoneLately,
    DoneToEach,
    do_to_each,
    new_id,
    progress_address,
)
from integrations.pages.activity.candidate_filters import CandidateFilters
from integrations.pages.activity.candidate_search import CandidateSearch
from integrations.pages.activity.rows import candidates_of
from integrations.pages.views import ReasonForm
from integrations.queue import notify, on_request

#: So many are looked at at once: each may have to be read from Lever while somebody waits.
MOST_INVITED = 50
#: “All that match” means those with these verdicts: something can be done about them. Others can be ticked.
_VERDICTS = [*(set(CORRECTABLE_VERDICTS) - set(WAITING_VERDICTS)), VerdictCode.ENTERED_BEFORE]
#: So many of those that may match are looked at, the newest.
_MOST_LOOKED_AT = 1_000
#: So many rows are acted on at once; the next ones are offered afterwards.
MOST = 100
#: So many reasons are shown as messages.
MOST_REASONS = 5


def preview_of(member: Membership, found: Sequence[Candidate], chosen: str, actor: Actor) -> dict[str, Any]:
    """Return what inviting these candidates would lead to, each as the portal would decide now.

    That is who would be invited and to what, who would not and why, and the assessments to choose from.
    """
    organization = member.organization
    assessments = [(one.id, one.name) for one in live_assessments(organization)]
    chosen = chosen if chosen in dict(assessments) else ""
    looked_at = found[:MOST_INVITED]
    would = on_request.preview_invitations(organization, looked_at, actor, chosen)
    rows, left_out = list[BulkRow](), list[BulkRow]()
    for candidate in looked_at:
        it = would[candidate.pk]
        row = BulkRow(candidate.pk, it.sends or it.why_not, candidate, candidate.opportunity_id, it.note)
        (rows if it.sends else left_out).append(row)
    return {
        "rows": rows,
        "left_out": left_out,
        "assessments": assessments,
        "chosen": chosen,
        "is_cut": len(found) > MOST_INVITED,
        "most": MOST_INVITED,
    }


def ticked(member: Membership, keys: Sequence[int], held: Sequence[int]) -> list[Candidate]:
    """Return the candidates with these keys, and those whose invitation on hold was ticked beside them."""
    own = visible(Candidate.objects.filter(organization=member.organization), member)
    return _read(own.filter(Q(pk__in=keys) | Q(invitation__in=held)))


def matching(member: Membership, filters: CandidateFilters) -> list[Candidate]:
    """Return the candidates that the filters show and somebody can do something about, latest entry first."""
    rows = CandidateSearch(member, filters).rows()
    uninvited = rows.not_invited().filter(delivery__verdict__in=_VERDICTS, delivery__due_at__isnull=True)
    # each by its own index: a condition over both could use none
    failed = Invitation.objects.filter(organization=member.organization, status=InvitationStatus.FAILED)
    keys = list(failed.order_by("-created_at", "-pk").values_list("pk", flat=True)[:_MOST_LOOKED_AT])
    found = [*_read(uninvited), *_read(rows.filter(invitation__in=keys))]
    return sorted(found, key=lambda one: (one.entered_at, one.pk), reverse=True)[: MOST_INVITED + 1]


def _read(rows: CandidateQuerySet) -> list[Candidate]:
    # with the delivery's payload, by which it is decided
    whole = rows.select_related(None).defer(None).select_related("delivery", "invitation", "organization")
    return list(whole.order_by("-entered_at", "-pk")[: MOST_INVITED + 1])


class BulkView(BulkMixin, TemplateView):
    """Show the rows that an act is about to be done to; POST does it."""

    def get_template_names(self) -> list[str]:
        """Return the page that chooses an assessment too, or that of the other acts."""
        is_invite = self.request.GET.get("act") == "invite"
        return ["integrations/bulk_invite.html" if is_invite else "integrations/bulk.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Find the rows that are ticked, or all that match; of what failed, all."""
        act = self.act(self.request.GET.get("act", ""))
        if act is not None and act.code == "invite":
            shown = self._invite_preview()
        else:
            rows = self._rows(act) if act else []
            shown = {
                "rows": rows[:MOST],
                "is_cut": len(rows) > MOST,
                "most": MOST,
                "ignored": len(keys_of(self.request.GET.getlist("candidate"))),
            }
        return super().get_context_data(act=act, act_id=new_id(), **shown, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Perform the act on each row in turn, then show why some failed."""
        act = self.act(request.POST.get("act", ""))
        keys = keys_of(request.POST.getlist("row"))[:MOST]
        if act is None or not keys:
            messages.error(request, "Nothing was ticked.")
            return redirect("activity")
        form = ReasonForm(request.POST)
        reason = str(form.cleaned_data["reason"]) if form.is_valid() else ""
        done, why_not = self._perform(act, keys, reason)
        notify.notify_workers()
        lately = DoneLately(request.session)
        act_id = new_id(request.POST.get("id", ""))
        # by the session as it is now: the same form may have been sent twice, at the same time
        before = lately.reread(act_id)
        if before is None or before.code != act.code:
            before = DoneAct(act_id if before is None else new_id(), act.code)
        refused = [why for key, why in why_not.items() if key not in before.rows]
        if done:
            lately.store(before.with_more(done, refused))
            return redirect(progress_address(before.id))
        return self._nothing_done(before, refused)

    def _nothing_done(self, before: DoneAct, refused: list[str]) -> HttpResponse:
        """Say why; what the same form did before stays on its page, with its Undo."""
        if before.rows:
            messages.info(self.request, "This was done already. Nothing is done twice.")
        else:
            messages.error(self.request, "Nothing was done.")
        for reason in refused[:MOST_REASONS]:
            messages.error(self.request, reason)
        if more := len(refused[MOST_REASONS:]):
            messages.error(self.request, f"And {more} more.")
        return redirect(progress_address(before.id) if before.rows else "activity")

    def _perform(self, act: Act, keys: list[int], reason: str) -> DoneToEach:
        user = self.user
        if act.code == "invite":
            chosen = self.request.POST.get("chosen", "").strip()[:200]
            return do_to_each(
                self.candidates(keys), lambda one: invite_candidate(one, user, chosen, reason, UNDO_FOR)
            )
        if act.code == "retry":
            # one that is retried already would wait once more
            failed = [one for one in self.effects(keys) if one.state == Effect.State.FAILED]
            return do_to_each(failed, lambda effect: retry_effect(effect, user, UNDO_FOR))
        invitations = self.invitations(keys)
        if act.code == "send":
            return do_to_each(invitations, lambda one: approve(one, user, reason, UNDO_FOR))
        return do_to_each(invitations, lambda one: cancel(one, user, reason, only_unsent=True))

    def _invite_preview(self) -> dict[str, Any]:
        if "all" in self.request.GET:
            found = matching(self.membership, CandidateFilters.of_address(self.request.GET))
        else:
            ticks = [keys_of(self.request.GET.getlist(name))[: MOST + 1] for name in ("candidate", "row")]
            found = ticked(self.membership, *ticks)
        return preview_of(self.membership, found, self.request.GET.get("chosen", ""), self.user)

    def _rows(self, act: Act) -> list[BulkRow]:
        """Return the rows to act on, and one more where there are more than are done at once."""
        shown: list[tuple[Effect | Invitation, str, str]]
        if act.code == "retry":
            failed = Effect.objects.failed_steps().filter(organization=self.organization)
            # what fails again goes to the end, so that all come to be offered
            longest_ago = failed.order_by(F("failed_at").asc(nulls_first=True), "pk")
            shown = [(one, one.get_kind_display(), one.reason) for one in longest_ago[: MOST + 1]]
        else:
            is_all, keys = "all" in self.request.GET, keys_of(self.request.GET.getlist("row"))[: MOST + 1]
            held = Invitation.objects.filter(organization=self.organization, status=InvitationStatus.HELD)
            held = held.filter(pk__in=self._matching() if is_all else keys).order_by("-created_at", "-pk")
            shown = [(one, one.assessment_name, one.status_reason) for one in held[: MOST + 1]]
        about = candidates_of(self.organization, [one for one, *_ in shown])
        return [
            BulkRow(one.pk, what, about.get(one.opportunity_id), one.opportunity_id, note)
            for one, what, note in shown
        ]

    def _matching(self) -> list[int]:
        """Return the invitations on hold of the candidates that the filters in the address show."""
        search = CandidateSearch(self.membership, CandidateFilters.of_address(self.request.GET))
        held = Invitation.objects.filter(organization=self.organization, status=InvitationStatus.HELD)
        candidates = search.rows().filter(opportunity_id__in=held.values("opportunity_id"))[:_MOST_LOOKED_AT]
        shown = [one.invitation for one in search.with_invitation_shown(candidates) if one.invitation]
        return [one.pk for one in shown if one.status == InvitationStatus.HELD][: MOST + 1]
