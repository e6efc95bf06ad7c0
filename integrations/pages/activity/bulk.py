"""Act on many rows at once: a preview that names them, then one operation for each, with half a minute to undo it."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.generic import TemplateView, View

from integrations.http.errors import PlatformError
from integrations.models import Actor, Candidate, Effect, Invitation
from integrations.models.membership import ADMINS, TEAM
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.action_forms import ReasonForm
from integrations.pages.activity.bulk_acts import ACTS, Act
from integrations.pages.activity.candidate_filters import CandidateFilters, CandidateSearch
from integrations.pages.activity.rows import candidates_of
from integrations.pages.partials import PartialsMixin
from integrations.queue import notify
from integrations.vocabulary import InvitationStatus
from integrations.workflow.operations.effects import retry_effect
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.invitations import approve, refuse
from integrations.workflow.operations.undo import UNDO_FOR, take_back_approval, take_back_retry

#: So many rows are acted on at once; the next ones are offered afterwards.
MOST = 100
#: The session's key for what was done last.
SESSION_KEY = "bulk_act"
Kind = Effect.Kind


@dataclass(frozen=True)
class BulkRow:
    """One row that is acted on, and whom it is about."""

    key: int
    what: str
    candidate: Candidate | None
    opportunity_id: str


class BulkMixin(OrganizationMixin):
    """The rows of the person's organization that an act may be done to."""

    allowed_roles = TEAM

    def act(self, code: str) -> Act | None:
        """Return the act, None when there is none of this code. Raises PermissionDenied."""
        act = ACTS.get(code)
        if act is not None and act.needs_admin:
            self.require(ADMINS)
        return act

    def invitations(self, keys: Sequence[int]) -> list[Invitation]:
        """Return the organization's invitations with these keys."""
        rows = Invitation.objects.filter(organization=self.organization, pk__in=keys)
        return list(rows.select_related("organization").order_by("pk"))

    def effects(self, keys: Sequence[int]) -> list[Effect]:
        """Return the organization's effects with these keys; a failed invitation is sent again by itself."""
        rows = Effect.objects.filter(organization=self.organization, pk__in=keys)
        rows = rows.exclude(kind=Kind.SEND_INVITATION)
        return list(rows.select_related("organization", "invitation").order_by("pk"))


class BulkView(BulkMixin, TemplateView):
    """Show whom an act is about to be done to; POST does it."""

    template_name = "integrations/bulk.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Find the rows that are ticked, or all that match."""
        act = self.act(self.request.GET.get("act", ""))
        rows, is_cut = self._rows(act) if act else ([], False)
        return super().get_context_data(act=act, rows=rows, is_cut=is_cut, most=MOST, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Do it to each row by itself; what can't be done is said afterwards."""
        act = self.act(request.POST.get("act", ""))
        keys = _keys(request.POST.getlist("row"))[:MOST]
        if act is None or not keys:
            messages.error(request, "Nothing was ticked.")
            return redirect("activity")
        form = ReasonForm(request.POST)
        reason = str(form.cleaned_data["reason"]) if form.is_valid() else ""
        done, refused = self._perform(act, keys, reason)
        notify.notify_workers()
        request.session[SESSION_KEY] = {
            "act": act.code,
            "rows": done,
            "refused": refused,
            "at": timezone.now().isoformat(),
        }
        return redirect("candidates-bulk-done")

    def _perform(self, act: Act, keys: list[int], reason: str) -> tuple[list[int], list[str]]:
        user = self.user
        if act.code == "retry":
            return _each(self.effects(keys), lambda effect: retry_effect(effect, user, UNDO_FOR))
        invitations = self.invitations(keys)
        if act.code == "send":
            return _each(invitations, lambda one: approve(one, user, reason, UNDO_FOR))
        return _each(invitations, lambda one: refuse(one, user, reason))

    def _rows(self, act: Act) -> tuple[list[BulkRow], bool]:
        """Return the rows to act on, and whether there are more than are done at once."""
        is_all, keys = "all" in self.request.GET, _keys(self.request.GET.getlist("row"))[: MOST + 1]
        if act.code == "retry":
            effects = Effect.objects.filter(organization=self.organization, state=Effect.State.FAILED)
            effects = effects.exclude(kind=Kind.SEND_INVITATION).order_by("-created_at", "-pk")
            found = list((effects if is_all else effects.filter(pk__in=keys))[: MOST + 1])
            candidates = candidates_of(self.organization, found)
            rows = [
                BulkRow(
                    one.pk, one.get_kind_display(), candidates.get(one.opportunity_id), one.opportunity_id
                )
                for one in found
            ]
        else:
            held = Invitation.objects.filter(organization=self.organization, status=InvitationStatus.HELD)
            held = held.filter(pk__in=self._matching() if is_all else keys)
            invitations = list(held.order_by("-created_at", "-pk")[: MOST + 1])
            candidates = candidates_of(self.organization, invitations)
            rows = [
                BulkRow(one.pk, one.assessment_name, candidates.get(one.opportunity_id), one.opportunity_id)
                for one in invitations
            ]
        return rows[:MOST], len(rows) > MOST

    def _matching(self) -> list[int]:
        """Return the invitations on hold of the candidates whom the filters in the address show."""
        filters = CandidateFilters.of_address(self.request.GET)
        candidates = CandidateSearch(self.membership, filters).rows()
        held = candidates.filter(invitation__status=InvitationStatus.HELD)
        found = held.values_list("invitation", flat=True)[: MOST + 1]
        return [key for key in found if key is not None]


class BulkDoneView(BulkMixin, PartialsMixin):
    """Show how far it is, and the button that undoes it while it can be undone."""

    template_name = "integrations/bulk_done.html"
    partials = {"progress": "integrations/_bulk_progress.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Count the rows by how far each is."""
        last = _last(self.request)
        if last is None:
            return super().get_context_data(act=None, **kwargs)
        undo_until = last.at + UNDO_FOR
        progress = self._of_effects(last) if last.act.code == "retry" else self._of_invitations(last)
        return super().get_context_data(
            act=last.act,
            count=len(last.rows),
            refused=last.refused,
            progress=progress,
            may_undo=last.act.may_undo and bool(last.rows) and timezone.now() < undo_until,
            undo_until=undo_until,
            **kwargs,
        )

    def _of_invitations(self, last: "Last") -> list[tuple[str, int]]:
        names = {
            InvitationStatus.PENDING: "waiting to be sent",
            InvitationStatus.SENDING: "being sent",
            InvitationStatus.HELD: "on hold again",
            InvitationStatus.WITHDRAWN: "not sent",
            InvitationStatus.FAILED: "could not be sent",
            InvitationStatus.UNCERTAIN: "possibly sent",
        }
        return _counted(
            names.get(InvitationStatus(one.status), "sent") for one in self.invitations(last.rows)
        )

    def _of_effects(self, last: "Last") -> list[tuple[str, int]]:
        names = {"due": "waiting", "leased": "under way", "done": "done", "failed": "failed"}
        return _counted(names.get(one.shown_state, one.shown_state) for one in self.effects(last.rows))


class BulkUndoView(BulkMixin, View):
    """Take back what hasn't begun."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Take back each row by itself, and say for how many it was too late."""
        last = _last(request)
        if last is None or not last.act.may_undo:
            messages.error(request, "There is nothing to undo.")
            return redirect("activity")
        self.act(last.act.code)
        user: Actor = self.user
        if last.act.code == "retry":
            done, late = _each(self.effects(last.rows), lambda one: take_back_retry(one, user))
        else:
            done, late = _each(self.invitations(last.rows), lambda one: take_back_approval(one, user))
        if done:
            messages.success(request, f"Undone: {len(done)}.")
        if late:
            messages.error(request, f"Too late to undo: {len(late)}. They have begun already.")
        return redirect("candidates-bulk-done")


@dataclass(frozen=True)
class Last:
    """What the person did last: the act, its rows, why others were refused, and when."""

    act: Act
    rows: list[int]
    refused: list[str]
    at: datetime


def _last(request: HttpRequest) -> Last | None:
    stored = request.session.get(SESSION_KEY)
    if not isinstance(stored, dict) or stored.get("act") not in ACTS:
        return None
    at = parse_datetime(str(stored.get("at"))) or timezone.now() - timedelta(days=1)
    return Last(ACTS[stored["act"]], list(stored["rows"]), list(stored["refused"]), at)


def _each[Row: (Invitation, Effect)](
    rows: Sequence[Row], perform: Callable[[Row], None]
) -> tuple[list[int], list[str]]:
    """Do it to each row; return the keys of those it was done to, and why it wasn't done to the others."""
    done: list[int] = []
    refused: list[str] = []
    for row in rows:
        try:
            perform(row)
        except (ActionNotAllowed, PlatformError) as error:
            refused.append(str(error))
        else:
            done.append(row.pk)
    return done, refused


def _keys(written: Sequence[str]) -> list[int]:
    """Return the row keys among what a form states."""
    return [int(one) for one in written if one.isascii() and one.isdigit() and len(one) < 19]


def _counted(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return how often each name occurs, in alphabetical order."""
    return sorted(Counter(names).items())
