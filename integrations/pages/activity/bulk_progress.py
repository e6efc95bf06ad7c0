"""What can be done to many rows at once, how far it is, and the half minute in which it can be undone.

What was done is kept in the person's session: so the page that shows it needs no table.
"""

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode

from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.invitations.acts.undo import UNDO_FOR, take_back_approval, take_back_invite, take_back_retry
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.members.models.membership import ADMINS, APPROVERS, TEAM
from integrations.outbox.models import Effect
from integrations.pages.access import OrganizationMixin, visible
from integrations.pages.activity.rows import BEING_DECIDED, standing_of
from integrations.pages.views import ActView, PartialsMixin


@dataclass(frozen=True)
class Act:
    """One thing that is done to many rows: its words, whether it can be undone for a while, and who may do it."""

    code: str
    question: str
    question_of_one: str
    consequence: str
    button: str
    may_undo: bool = True
    roles: frozenset[str] = ADMINS


ACTS: Mapping[str, Act] = {
    act.code: act
    for act in (
        Act(
            "send",
            "Send these invitations?",
            "Send this invitation?",
            "CodeScreen e-mails the assessment to each of them. You can undo this for 30 seconds.",
            "Send invitations",
            roles=APPROVERS,
        ),
        Act(
            "cancel",
            "Cancel these invitations?",
            "Cancel this invitation?",
            "Nobody is e-mailed. To invite one of them later, use “Send again” on the candidate's page.",
            "Cancel invitations",
            may_undo=False,
            roles=APPROVERS,
        ),
        Act(
            "invite",
            "Invite these candidates?",
            "Invite this candidate?",
            "Each is read from Lever once more, and decided by your rules. You can undo this for 30 seconds.",
            "Invite",
        ),
        Act(
            "retry",
            "Retry these steps?",
            "Retry this step?",
            "Each is tried again. You can undo this for 30 seconds.",
            "Retry",
            roles=TEAM,
        ),
    )
}


@dataclass(frozen=True)
class BulkRow:
    """One row that is acted on, and the candidate it is about; a note says more."""

    key: int
    what: str
    candidate: Candidate | None
    opportunity_id: str
    note: str = ""


#: The keys of the rows it was done to, and of those it wasn't done to, each with the reason.
type DoneToEach = tuple[list[int], dict[int, str]]


class BulkMixin(OrganizationMixin):
    """The rows of the person's organization that an act may be done to."""

    allowed_roles = TEAM

    def act(self, code: str) -> Act | None:
        """Return the act, None when there is none of this code. Raises PermissionDenied."""
        act = ACTS.get(code)
        if act is not None:
            self.require(act.roles)
        return act

    def invitations(self, keys: Sequence[int]) -> list[Invitation]:
        """Return the organization's invitations with these keys."""
        rows = Invitation.objects.filter(organization=self.organization, pk__in=keys)
        connections = ("organization__lever_connection", "organization__codescreen_connection")
        return list(rows.select_related(*connections).order_by("pk"))

    def effects(self, keys: Sequence[int]) -> list[Effect]:
        """Return the organization's effects with these keys; a failed invitation has a button of its own."""
        rows = Effect.objects.filter(organization=self.organization, pk__in=keys)
        rows = rows.exclude(kind=Effect.Kind.SEND_INVITATION)
        return list(rows.select_related("organization", "invitation").order_by("pk"))

    def candidates(self, keys: Sequence[int]) -> list[Candidate]:
        """Return those of the candidates with these keys that the person sees, with where they stand."""
        rows = visible(Candidate.objects.filter(organization=self.organization, pk__in=keys), self.membership)
        return list(rows.with_standing().order_by("pk"))


def do_to_each[Row: (Invitation, Effect, Candidate)](
    rows: Sequence[Row], perform: Callable[[Row], None]
) -> DoneToEach:
    """Do it to one row after another; return those it was done to, and why it wasn't done to the others."""
    done, refused = list[int](), dict[int, str]()
    for row in rows:
        try:
            perform(row)
        except (ActionNotAllowed, PlatformError) as error:
            refused[row.pk] = str(error)
        else:
            done.append(row.pk)
    return done, refused


def tally(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return how often each name occurs, in alphabetical order."""
    return sorted(Counter(names).items())


#: The session's key for what was done lately.
SESSION_KEY = "bulk_acts"
#: How many acts are kept: each may be open in another tab of the browser.
MOST_KEPT = 5
_ID = re.compile(r"[\w-]{8,40}\Z", re.ASCII)


def new_id(stated: str = "") -> str:
    """Return the id in a preview's form, the same when it is sent again; a new one when it has none."""
    return stated if _ID.match(stated) else secrets.token_urlsafe(12)


@dataclass(frozen=True)
class DoneAct:
    """One act on many rows: the keys of those it was done to and of those taken back, and why others were refused.

    `id` is what the preview's form states, and `code` is the act's.
    """

    id: str
    code: str
    rows: Sequence[int] = ()
    refused: Sequence[str] = ()
    taken_back: Sequence[int] = ()
    at: datetime = field(default_factory=timezone.now)

    @property
    def act(self) -> Act:
        return ACTS[self.code]

    @property
    def undo_until(self) -> datetime:
        """When the first of them may begin."""
        return self.at + UNDO_FOR

    @property
    def left_to_undo(self) -> list[int]:
        return [key for key in self.rows if key not in self.taken_back]

    def with_more(self, rows: Sequence[int], refused: Sequence[str]) -> Self:
        """Return it with what another request of the same form did."""
        return replace(
            self,
            rows=[*self.rows, *(key for key in rows if key not in self.rows)],
            refused=[*self.refused, *refused],
            taken_back=[key for key in self.taken_back if key not in rows],
            at=timezone.now(),
        )

    def without(self, rows: Sequence[int]) -> Self:
        return replace(self, taken_back=[*self.taken_back, *rows])


class DoneLately:
    """What the person of a session did lately, the latest last."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    def latest(self, act_id: str = "") -> DoneAct | None:
        """Return the act of this id, the latest without an id; None when there is none."""
        found = _read(self._session.get(SESSION_KEY))
        return next((one for one in reversed(found) if not act_id or one.id == act_id), None)

    def reread(self, act_id: str) -> DoneAct | None:
        """Return the act of this id as it is stored now, also by another request; None when there is none."""
        return next((one for one in self._stored_now() if one.id == act_id), None)

    def store(self, done: DoneAct) -> None:
        """Keep the act. What another request of the session stored since this one began is kept too."""
        others = [one for one in self._stored_now() if one.id != done.id]
        kept = [*others, done][-MOST_KEPT:]
        self._session[SESSION_KEY] = [asdict(one) | {"at": one.at.isoformat()} for one in kept]
        self._session.save()
        # saved once more at the end, it would lose what another request stores meanwhile
        self._session.modified = False

    def _stored_now(self) -> list[DoneAct]:
        return _read(self._session.load().get(SESSION_KEY))


def _read(stored: object) -> list[DoneAct]:
    if not isinstance(stored, list):
        return []
    return [
        DoneAct(one["id"], one["code"], one["rows"], one["refused"], one["taken_back"], at)
        for one in stored
        if one.get("code") in ACTS and (at := parse_datetime(one["at"]))
    ]


def progress_address(act_id: str) -> str:
    """Return the address of the page that shows how far an act is."""
    return f"{reverse('candidates-bulk-done')}?{urlencode({'id': act_id})}"


_STATES = {"due": "waiting", "leased": "under way", "done": "done", "failed": "failed"}


def _how_far(row: Candidate | Effect | Invitation) -> str:
    """Return how far it is: inviting a candidate, a step, or sending an invitation."""
    if isinstance(row, Effect):
        return _STATES.get(row.shown_state, row.shown_state)
    if isinstance(row, Invitation):
        return "sent" if InvitationStatus(row.status).record.step is not None else row.words.phrase
    if row.invitation is not None:
        return _how_far(row.invitation)
    standing = standing_of(row, None)
    return "waiting to be decided" if standing is BEING_DECIDED else f"not invited: {standing.reason}"


class BulkDoneView(BulkMixin, PartialsMixin):
    """Show how far it is, and the button that undoes it while it can be undone."""

    template_name = "integrations/bulk_done.html"
    partials = {"progress": "integrations/_bulk_progress.html"}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        done = DoneLately(self.request.session).latest(self.request.GET.get("id", ""))
        if done is None:
            return super().get_context_data(act=None, **kwargs)
        rows = self._rows(done)
        return super().get_context_data(
            act=done.act,
            done=done,
            progress=tally(map(_how_far, rows)),
            only=rows[0].opportunity_id if len(rows) == 1 else "",
            may_undo=done.act.may_undo and bool(done.left_to_undo) and timezone.now() < done.undo_until,
            **kwargs,
        )

    def _rows(self, done: DoneAct) -> Sequence[Candidate | Effect | Invitation]:
        if done.code == "invite":
            return self.candidates(done.rows)
        return self.effects(done.rows) if done.code == "retry" else self.invitations(done.rows)


class BulkUndoView(BulkMixin, ActView):
    """Take back what hasn't begun."""

    following_page = "activity"

    def operate(self, form: Form) -> HttpResponse:
        """Take back one row after another, and say how many could not be taken back and why."""
        lately, user = DoneLately(self.request.session), self.user
        done = lately.latest(self.request.POST.get("id", ""))
        if done is None or not done.act.may_undo:
            raise ActionNotAllowed("There is nothing to undo.")
        self.act(done.code)
        if not done.left_to_undo:
            messages.info(self.request, "This is undone already.")
            return redirect(progress_address(done.id))
        if done.code == "invite":
            candidates = self.candidates(done.left_to_undo)
            undone, refused = do_to_each(candidates, lambda one: take_back_invite(one, user))
        elif done.code == "retry":
            undone, refused = do_to_each(
                self.effects(done.left_to_undo), lambda one: take_back_retry(one, user)
            )
        else:
            invitations = self.invitations(done.left_to_undo)
            undone, refused = do_to_each(invitations, lambda one: take_back_approval(one, user))
        if undone:
            lately.store(done.without(undone))
            messages.success(self.request, f"Undone: {len(undone)}.")
        for reason, number in tally(refused.values()):
            messages.error(self.request, f"Not undone: {number}. {reason}")
        return redirect(progress_address(done.id))
