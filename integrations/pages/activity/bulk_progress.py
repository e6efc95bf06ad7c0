"""How far an act on many rows is, and the half minute in which it can be undone."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.generic import View

from integrations.invitation_status import InvitationStatus
from integrations.models import Actor, Candidate, Invitation
from integrations.pages.activity.bulk_lately import DoneAct, DoneLately
from integrations.pages.activity.bulk_rows import BulkMixin, counted, do_to_each
from integrations.pages.activity.standing import BEING_DECIDED, standing_of
from integrations.pages.partials import PartialsMixin
from integrations.workflow.operations.undo import take_back_approval, take_back_invite, take_back_retry


def progress_address(act_id: str) -> str:
    """Return the address of the page that shows how far an act is."""
    return f"{reverse('candidates-bulk-done')}?{urlencode({'id': act_id})}"


def _how_far_invitation(invitation: Invitation) -> str:
    """Return how far sending an invitation is."""
    record = InvitationStatus(invitation.status).record
    return record.phrase if record.step is None else "sent"


def _how_far(candidate: Candidate) -> str:
    """Return how far inviting a candidate is."""
    if candidate.invitation is not None:
        return _how_far_invitation(candidate.invitation)
    standing = standing_of(candidate, None)
    return "waiting to be decided" if standing is BEING_DECIDED else f"not invited: {standing.reason}"


class BulkDoneView(BulkMixin, PartialsMixin):
    """Show how far it is, and the button that undoes it while it can be undone."""

    template_name = "integrations/bulk_done.html"
    partials = {"progress": "integrations/_bulk_progress.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Count the rows by how far each is."""
        done = DoneLately(self.request.session).latest(self.request.GET.get("id", ""))
        if done is None:
            return super().get_context_data(act=None, **kwargs)
        count = {"retry": self._of_effects, "invite": self._of_candidates}.get(
            done.act.code, self._of_invitations
        )
        return super().get_context_data(
            act=done.act,
            done=done,
            progress=count(done),
            may_undo=done.act.may_undo and bool(done.left_to_undo) and timezone.now() < done.undo_until,
            **kwargs,
        )

    def _of_invitations(self, done: DoneAct) -> list[tuple[str, int]]:
        return counted(map(_how_far_invitation, self.invitations(done.rows)))

    def _of_candidates(self, done: DoneAct) -> list[tuple[str, int]]:
        return counted(map(_how_far, self.candidates(done.rows)))

    def _of_effects(self, done: DoneAct) -> list[tuple[str, int]]:
        names = {"due": "waiting", "leased": "under way", "done": "done", "failed": "failed"}
        return counted(names.get(one.shown_state, one.shown_state) for one in self.effects(done.rows))


class BulkUndoView(BulkMixin, View):
    """Take back what hasn't begun."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take back each row by itself, and say for how many it was too late."""
        lately = DoneLately(request.session)
        done = lately.latest(request.POST.get("id", ""))
        if done is None or not done.act.may_undo:
            messages.error(request, "There is nothing to undo.")
            return redirect("activity")
        self.act(done.act.code)
        if not done.left_to_undo:
            messages.info(request, "This is undone already.")
            return redirect(progress_address(done.id))
        user: Actor = self.user
        if done.act.code == "invite":
            candidates = self.candidates(done.left_to_undo)
            outcome = do_to_each(candidates, lambda one: take_back_invite(one, user))
        elif done.act.code == "retry":
            outcome = do_to_each(self.effects(done.left_to_undo), lambda one: take_back_retry(one, user))
        else:
            invitations = self.invitations(done.left_to_undo)
            outcome = do_to_each(invitations, lambda one: take_back_approval(one, user))
        if outcome.done:
            lately.store(done.without(outcome.done))
            messages.success(request, f"Undone: {len(outcome.done)}.")
        for reason, number in counted(outcome.refused.values()):
            messages.error(request, f"Not undone: {number}. {reason}")
        return redirect(progress_address(done.id))
