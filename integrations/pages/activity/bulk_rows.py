"""What can be done to many rows at once, in words, and doing it to each row."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.http.errors import PlatformError
from integrations.models import Candidate, Effect, Invitation
from integrations.models.membership import ADMINS, TEAM
from integrations.pages.access import OrganizationMixin, visible
from integrations.workflow.operations.errors import ActionNotAllowed


@dataclass(frozen=True)
class Act:
    """One thing that is done to many rows: its words, whether it can be undone for a while, and who may do it."""

    code: str
    question: str
    consequence: str
    button: str
    may_undo: bool
    needs_admin: bool


ACTS: Mapping[str, Act] = {
    act.code: act
    for act in (
        Act(
            "send",
            "Send these invitations?",
            "CodeScreen e-mails the assessment to each of them. You can undo this for 30 seconds.",
            "Send invitations",
            may_undo=True,
            needs_admin=True,
        ),
        Act(
            "cancel",
            "Cancel these invitations?",
            "Nobody is e-mailed. To invite one of them later, use “Send again” on the candidate's page.",
            "Cancel invitations",
            may_undo=False,
            needs_admin=True,
        ),
        Act(
            "invite",
            "Invite these candidates?",
            "Each is read from Lever once more, and decided by your rules. You can undo this for 30 seconds.",
            "Invite",
            may_undo=True,
            needs_admin=True,
        ),
        Act(
            "retry",
            "Retry these effects?",
            "Each is tried again. You can undo this for 30 seconds.",
            "Retry",
            may_undo=True,
            needs_admin=False,
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


@dataclass(frozen=True)
class DoneToEach:
    """The keys of the rows it was done to, and of those it wasn't done to, each with the reason."""

    done: list[int] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


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
    outcome = DoneToEach()
    for row in rows:
        try:
            perform(row)
        except (ActionNotAllowed, PlatformError) as error:
            outcome.refused[row.pk] = str(error)
        else:
            outcome.done.append(row.pk)
    return outcome


def keys_of(written: Sequence[str]) -> list[int]:
    """Return the row keys among what a form states."""
    return [int(one) for one in written if one.isascii() and one.isdigit() and len(one) < 19]


def counted(names: Iterable[str]) -> list[tuple[str, int]]:
    """Return how often each name occurs, in alphabetical order."""
    return sorted(Counter(names).items())
