"""The rows that acts on many are done to, and doing it to each."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from integrations.http.errors import PlatformError
from integrations.models import Candidate, Effect, Invitation
from integrations.models.membership import ADMINS, TEAM
from integrations.pages.access import OrganizationMixin
from integrations.pages.activity.bulk_acts import ACTS, Act
from integrations.pages.visibility import visible
from integrations.workflow.operations.errors import ActionNotAllowed


@dataclass(frozen=True)
class BulkRow:
    """One row that is acted on, and whom it is about; a note says more."""

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
        """Return the organization's effects with these keys; a failed invitation is sent again by itself."""
        rows = Effect.objects.filter(organization=self.organization, pk__in=keys)
        rows = rows.exclude(kind=Effect.Kind.SEND_INVITATION)
        return list(rows.select_related("organization", "invitation").order_by("pk"))

    def candidates(self, keys: Sequence[int]) -> list[Candidate]:
        """Return those of the candidates with these keys whom the person sees, with where they stand."""
        rows = visible(Candidate.objects.filter(organization=self.organization, pk__in=keys), self.membership)
        return list(rows.with_standing().order_by("pk"))


def do_to_each[Row: (Invitation, Effect, Candidate)](
    rows: Sequence[Row], perform: Callable[[Row], None]
) -> DoneToEach:
    """Do it to each row by itself; return to which it was done, and why it wasn't done to the others."""
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
