"""All that a run of the job takes place in: the platforms, the portal's processes, the clock and the expectations."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from integrations.http.errors import PlatformError
from integrations.lever.oauth import scopes_of
from integrations.models import Delivery, Effect, Invitation, LeverConnection, Organization
from integrations.queue import on_request
from integrations.workflow.operations import invitations
from integrations.workflow.operations.errors import ActionNotAllowed
from integrations.workflow.operations.lever_connection import connect_lever
from portal.devtools.chaos.every_point.clock import PretendClock
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.platforms import ACCOUNT, Platforms
from portal.devtools.chaos.every_point.process import PretendProcess
from portal.devtools.sandbox.ids import stable_id

STAGE, ASSESSMENT, PERSON = "CodeScreen Assessment", "Backend", "the person of the run"
MOST_TRIES = 12
PRESS_AGAIN_SECONDS = 10.0  # people go on trying for longer than the database is away
MOST_POLLS = 40
SWEEP_SECONDS = 600.0


class NeverQuiet(Exception):
    """The portal doesn't come to rest."""


@dataclass(frozen=True)
class Expected:
    """What a candidate's books have to show when all is quiet."""

    verdict: str
    emails: int = 0
    statuses: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    notes: frozenset[int] = frozenset({0})
    feedback: dict[str, str] | None = None


@dataclass
class World:
    """What the job acts on."""

    clock: PretendClock
    injector: Injector
    platforms: Platforms
    process: PretendProcess
    is_idempotent: bool
    expected: dict[str, Expected] = field(default_factory=dict)
    uncertain: list[str] = field(
        default_factory=list
    )  # the candidates whose invitation was uncertain for a while
    lost_grants: int = 0

    @property
    def organization(self) -> Organization:
        """The organization, read again."""
        return Organization.objects.get(slug=ACCOUNT)

    def invitation(self, word: str) -> Invitation | None:
        """Return a candidate's latest invitation."""
        return Invitation.objects.filter(opportunity_id=opportunity_id(word)).order_by("round").last()

    # recruiters and candidates

    def move(self, word: str, stage: str = STAGE) -> None:
        """A recruiter moves a candidate in Lever, which sends its webhook."""
        self.platforms.lever_does("move", opportunities=[opportunity_id(word)], stage=stage)
        self.platforms.deliver_webhooks(self.process.receive_webhook)

    def candidate_does(self, word: str, *actions: str, **verdict: object) -> None:
        """A candidate acts in CodeScreen, or CodeScreen evaluates what they did."""
        person = {"email": email(word), "assessment": ASSESSMENT}
        self.platforms.codescreen_does("candidate", action=list(actions), **person, **verdict)

    def person_does(self, is_wanted: Callable[[], bool], act: Callable[[], object]) -> None:
        """A person presses a button until it has had its effect: they see when the page failed."""
        for _ in range(MOST_TRIES):
            if not is_wanted():
                return
            self.process.run(lambda: _press(act))
            self.clock.advance(PRESS_AGAIN_SECONDS)

    # rest

    def sweep(self) -> None:
        """Let the duty run until it has once gone through."""

        def run_duty() -> bool:
            try:
                on_request.sweep_organization(self.organization)
            except PlatformError:
                return False
            return True

        for _ in range(MOST_TRIES):
            has_gone_through = self.process.run(run_duty) is True
            self.rest()
            if has_gone_through:
                return
            self.clock.advance(SWEEP_SECONDS)

    def rest(self) -> None:
        """Work until all is quiet; people do what the portal asks of them. Raises NeverQuiet."""
        for _ in range(MOST_TRIES):
            is_quiet = self.process.work_for_a_while()
            has_acted = self._reconnect() or self._resolve_uncertain()
            if is_quiet and not has_acted:
                return
        rows = [*Effect.objects.filter(state=Effect.State.DUE), *Delivery.objects.filter(verdict="")]
        due = "; ".join(f"{row} after {row.attempts} attempts: {row.last_error}" for row in rows)
        raise NeverQuiet(f"rows become due again and again: {due}")

    def rest_after_polls(self, *words: str) -> None:
        """Let time pass until CodeScreen has been polled about these candidates' invitations, and all is quiet."""
        since = self.clock.now()
        for _ in range(MOST_POLLS):
            rows = [self.invitation(word) for word in words]
            waiting = [
                row.next_poll_at
                for row in rows
                if row and row.next_poll_at and (row.polled_at is None or row.polled_at < since)
            ]
            if not waiting:
                break
            self.clock.move_to(min(waiting))
            self.rest()
        self.rest()

    def _reconnect(self) -> bool:
        """Connect Lever again if its grant ended."""
        connection = LeverConnection.objects.get(organization=self.organization)
        if connection.is_working:
            return False
        self.lost_grants += 1
        connect(self.platforms)
        return True

    def _resolve_uncertain(self) -> bool:
        """Look in CodeScreen's books for each uncertain invitation, and say what they show."""
        rows = list(Invitation.objects.filter(status=Invitation.Status.UNCERTAIN))
        for row in rows:
            word = _word(row.opportunity_id)
            self.uncertain.append(word)
            self.person_does(
                lambda row=row: _status(row) == Invitation.Status.UNCERTAIN,  # type: ignore[misc]
                lambda row=row: self._say_what_books_show(row),  # type: ignore[misc]
            )
        return bool(rows)

    def _say_what_books_show(self, row: Invitation) -> None:
        _, codescreen = self.platforms.ledgers()
        known = set(Invitation.objects.values_list("instance_id", flat=True))
        sent = [
            instance["instance"]
            for entry in codescreen["invitations"]
            for instance in entry["instances"]
            if instance["email"] == row.email and instance["instance"] not in known
        ]
        if sent:
            invitations.resolve_as_sent(row, sent[0], PERSON)
        else:
            invitations.send_again(row, PERSON)


def _press(act: Callable[[], object]) -> None:
    try:
        act()
    except ActionNotAllowed:
        return  # the person reads why, and looks again


def _status(row: Invitation) -> str:
    return Invitation.objects.get(pk=row.pk).status


def opportunity_id(word: str) -> str:
    """Return the opportunity id of a seeded candidate."""
    return stable_id(ACCOUNT, "opportunity", word)


def email(word: str) -> str:
    """Return the address of a seeded candidate."""
    return f"{word.lower()}@candidates.example"


WORDS = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Nyssa")


def _word(opportunity: str) -> str:
    return next(word for word in WORDS if opportunity_id(word) == opportunity)


def connect(platforms: Platforms) -> None:
    """Give the organization a grant of Lever's account, as if its Super Admin had consented."""
    grants, account = platforms.lever.grants, platforms.lever.accounts[ACCOUNT]
    user = account.users[account.actor() or ""]
    tokens = grants.issue(grants.grant(account, user, frozenset(scopes_of(attaches_files=True))), account)
    organization = Organization.objects.get(slug=ACCOUNT)
    person = User.objects.get(memberships__organization=organization)
    connect_lever(organization, tokens, person, lever_user_id=user.id, lever_account_id=account.id)
