"""All that a job takes place in: the platforms, the portal's processes, the clock, people and the expectations."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.contrib.auth.models import User

from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import ActionNotAllowed, ProgressTag
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.lever.acts.connection import connect_lever
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.oauth import scopes_of
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from integrations.queue.models.duty_run import Duty, DutyRun
from portal.devtools.chaos.every_point.injector import Injector
from portal.devtools.chaos.every_point.platforms import ACCOUNT, Platforms
from portal.devtools.chaos.every_point.process import PretendProcess
from portal.devtools.clock import PretendClock
from portal.devtools.sandbox.values import stable_id

STAGE, ASSESSMENT, PERSON = "CodeScreen Assessment", "Backend", "the person of the run"
#: A candidate who stood in the stage before Lever was connected.
EARLIER = "Larch"
MOST_TRIES = 12
PRESS_AGAIN_SECONDS = 10.0  # people and workers go on trying for longer than the database is away
MOST_POLLS = 40
SWEEP_SECONDS = 600.0
INVITED_TAG = frozenset({ProgressTag.INVITED})


class NeverQuiet(Exception):
    """The portal doesn't come to rest."""


@dataclass(frozen=True)
class Expected:
    """What a candidate's books have to show when all is quiet."""

    verdicts: tuple[str, ...] | None  # None, here and in the statuses: whatever they are
    emails: int = 0
    statuses: tuple[str, ...] | None = ()
    tags: frozenset[str] = frozenset()
    notes: frozenset[int] = frozenset({0})
    feedback: dict[str, str] | None = None
    forms: int = 1  # of feedback; of several, what they say isn't looked at
    files: int | None = None  # one for each candidate with a result, unless it is given
    stage: str = STAGE
    alerts: int | None = None  # how many about results arrived, each once, where that is to be looked at


@dataclass
class World:
    """What a job acts on."""

    clock: PretendClock
    injector: Injector
    platforms: Platforms
    process: PretendProcess
    expected: dict[str, Expected] = field(default_factory=dict)
    #: What a phase itself found broken.
    violations: list[str] = field(default_factory=list)
    #: Looked at beside the expectations, after each phase from then on.
    promises: list[Callable[[], list[str]]] = field(default_factory=list)
    #: The candidates whose invitation was uncertain for a while.
    uncertain: list[str] = field(default_factory=list)
    lost_grants: int = 0
    #: Whether a person wants it so.
    is_disconnected: bool = False

    @property
    def organization(self) -> Organization:
        """The organization, read again."""
        return Organization.objects.get(slug=ACCOUNT)

    @property
    def connection(self) -> LeverConnection:
        """The connection to Lever, read again."""
        return LeverConnection.objects.get(organization=self.organization)

    def invitation(self, word: str) -> Invitation | None:
        """Return a candidate's latest invitation."""
        return Invitation.objects.filter(opportunity_id=opportunity_id(word)).order_by("round").last()

    def status(self, word: str) -> str:
        """Return the status of a candidate's latest invitation; empty without one."""
        row = self.invitation(word)
        return row.status if row else ""

    # recruiters and candidates

    def move(self, *words: str, stage: str = STAGE) -> None:
        """A recruiter moves candidates in Lever, which sends its webhooks."""
        self.platforms.lever_does("move", opportunities=[opportunity_id(word) for word in words], stage=stage)
        self.deliver_webhooks()

    def move_unnoticed(self, word: str) -> None:
        """A recruiter moves a candidate, and Lever's webhook is lost."""
        self.platforms.lever_does("settings", webhooks_enabled=False)
        self.move(word)
        self.platforms.lever_does("settings", webhooks_enabled=True)

    def candidate_does(self, word: str, *actions: str, **verdict: object) -> None:
        """A candidate acts in CodeScreen, or CodeScreen evaluates what they did."""
        what = {"email": email(word), "assessment": ASSESSMENT} | verdict
        self.platforms.codescreen_does("candidate", action=list(actions), **what)
        self.deliver_webhooks()

    def deliver_webhooks(self) -> None:
        """Let the platforms' webhooks arrive that are due."""
        self.platforms.deliver_webhooks(self.process.receive_webhook)

    def lever_refuses(self, method: str, path: str) -> None:
        """Let Lever refuse the next such call for good."""
        self.platforms.lever.faults.load({"rules": [_refusal(method, path, 403)]})

    def codescreen_refuses(self, method: str, path: str, status: int = 403) -> None:
        """Let CodeScreen refuse the next such call, for good unless the status says otherwise."""
        self.platforms.codescreen.faults.load({"rules": [_refusal(method, path, status)]})

    # people of the customer

    def person_does(self, is_wanted: Callable[[], bool], act: Callable[[], object]) -> None:
        """A person does something until it has had its effect: they see when it failed."""
        self._do_while(is_wanted, lambda: self.process.run(lambda: _try(act)))

    def press_while(self, is_wanted: Callable[[], bool], path: Callable[[], str], **form: object) -> None:
        """A person presses a button of a page until it has had its effect."""
        self._do_while(is_wanted, lambda: self.process.press(path(), form))

    def _do_while(self, is_wanted: Callable[[], bool], act: Callable[[], object]) -> None:
        for _ in range(MOST_TRIES):
            if not is_wanted():
                return
            act()
            self.clock.advance(PRESS_AGAIN_SECONDS)

    def press(self, word: str, button: str, *statuses: str) -> None:
        """A person presses a button of a candidate's latest invitation while it has one of these statuses."""
        row = self.invitation(word)
        path = f"/invitations/{row.pk if row else 0}/{button}/"
        self.press_while(lambda: self.status(word) in statuses, lambda: path)

    def approve(self, word: str) -> None:
        """A person lets the invitation that is on hold be sent, in the list of candidates."""
        row = self.invitation(word)
        self.press_while(
            lambda: self.status(word) == InvitationStatus.HELD,
            lambda: "/candidates/bulk/",
            act="send",
            row=[str(row.pk if row else 0)],
        )

    # what is done by the clock

    def sweep(self) -> None:
        """Let the sweep run, as its command does, until it has once gone through."""

        def run_sweep() -> bool:
            try:
                queue_acts.sweep_organization(self.organization)
            except PlatformError:
                return False
            return True

        for _ in range(MOST_TRIES):
            has_gone_through = self.process.run(run_sweep) is True
            self.rest()
            if has_gone_through:
                return
            self.clock.advance(SWEEP_SECONDS)

    def do_duty(self, duty: Duty) -> None:
        """Let a worker do a duty until it has succeeded, with the connection that it needs. Raises NeverQuiet."""
        began = self.clock.now()
        DutyRun.objects.request(duty, [self.organization.pk])
        for _ in range(MOST_TRIES):
            self.process.run(worker.perform_duties)
            run = DutyRun.objects.get(duty=duty)
            # other duties that have become due meanwhile are performed, too
            rows = DutyRun.objects.filter(leased_until__isnull=False)
            leases = [row.leased_until for row in rows if row.leased_until]
            if run.succeeded_at is not None and run.succeeded_at >= began and not leases:
                self.rest()  # a person connects Lever again where its grant ended
                if DutyRun.objects.get(duty=duty).priority == DutyRun.BY_THE_CLOCK:
                    return
                continue
            self.clock.move_to(max(leases, default=run.due_at or self.clock.now()))
            self.clock.advance(PRESS_AGAIN_SECONDS)
        raise NeverQuiet(f"{run} hasn't succeeded: {run.last_error} {run.traceback}")

    # rest

    def work_once(self) -> None:
        """Let workers work what is due now."""
        self.process.run(worker.work)

    def rest(self) -> None:
        """Work until all is quiet; people do what the portal asks of them. Raises NeverQuiet."""
        for _ in range(MOST_TRIES):
            is_quiet = self.process.work_for_a_while()
            self.deliver_webhooks()
            has_acted = self._reconnect() or self._resolve_uncertain()
            if is_quiet and not has_acted and not claimable_now():
                return
        rows = [*Effect.objects.filter(state=Effect.State.DUE), *Delivery.objects.filter(verdict="")]
        due = "; ".join(f"{row} after {row.attempts} attempts: {row.last_error}" for row in rows)
        raise NeverQuiet(f"rows become due again and again: {due}")

    def rest_after_polls(self, *words: str) -> None:
        """Let time pass until CodeScreen has been polled about these candidates' invitations, and all is quiet."""
        since = self.clock.now()
        for _ in range(MOST_POLLS):
            opportunities = map(opportunity_id, words)
            rows = Invitation.objects.filter(opportunity_id__in=opportunities, next_poll_at__isnull=False)
            waiting = [
                row.next_poll_at
                for row in rows
                if row.next_poll_at and (row.polled_at is None or row.polled_at < since)
            ]
            if not waiting:
                break
            self.clock.move_to(min(waiting))
            self.rest()
        self.rest()

    def _reconnect(self) -> bool:
        """Connect Lever again if its grant ended."""
        if self.is_disconnected or self.connection.is_working:
            return False
        self.lost_grants += 1
        connect(self.platforms)
        return True

    def _resolve_uncertain(self) -> bool:
        """Look in CodeScreen's books for each uncertain invitation, and say on its page what they show."""
        rows = list(Invitation.objects.filter(status=Invitation.Status.UNCERTAIN))
        for row in rows:
            word = word_of(row)
            self.uncertain.append(word)
            sent = self._sent_to(row)
            form = {"instance_id": sent[0]} if sent else {}
            self.press_while(
                lambda row=row: Invitation.objects.get(pk=row.pk).status == Invitation.Status.UNCERTAIN,  # type: ignore[misc]
                lambda row=row, sent=sent: f"/invitations/{row.pk}/{'sent' if sent else 'send-again'}/",  # type: ignore[misc]
                **form,
            )
        return bool(rows)

    def _sent_to(self, row: Invitation) -> list[str]:
        """Return the instances in CodeScreen's books that the portal doesn't know."""
        _, codescreen = self.platforms.ledgers()
        known = set(Invitation.objects.values_list("instance_id", flat=True))
        return [
            instance["instance"]
            for entry in codescreen["invitations"]
            for instance in entry["instances"]
            if (instance["email"], entry["assessment"]) == (row.email, row.assessment_name)
            and instance["instance"] not in known
        ]


def claimable_now() -> bool:
    """Whether a delivery is undecided and due: one that a webhook has just brought."""
    return Delivery.objects.filter(verdict="", due_at__isnull=False).exists()


def _refusal(method: str, path: str, status: int) -> dict[str, object]:
    return {"method": method, "path": path, "kind": "status", "status": status, "times": 1}


def _try(act: Callable[[], object]) -> None:
    try:
        act()
    except ActionNotAllowed:
        return  # the person reads why, and looks again


def opportunity_id(word: str) -> str:
    """Return the opportunity id of a seeded candidate."""
    return stable_id(ACCOUNT, "opportunity", word)


def email(word: str) -> str:
    """Return the address of a seeded candidate."""
    return f"{word.lower()}@candidates.example"


def word_of(row: Invitation) -> str:
    """Return the word by which a job knows an invitation's candidate: what their address begins with."""
    return row.email.partition("@")[0].capitalize()


def connect(platforms: Platforms) -> None:
    """Give the organization a grant of Lever's account, as if its Super Admin had consented."""
    grants, account = platforms.lever.grants, platforms.lever.accounts[ACCOUNT]
    user = account.users[account.actor() or ""]
    tokens = grants.issue(grants.grant(account, user, frozenset(scopes_of(attaches_files=True))), account)
    organization = Organization.objects.get(slug=ACCOUNT)
    person = User.objects.get(memberships__organization=organization)
    connect_lever(organization, LeverAccess(tokens, account.id, user.id), person)
