"""Writes the history: each event of the plan at its time, and after it what the portal's workers make of it."""

import gc
import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from unittest import mock

from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db.models.functions import Now
from django.test.utils import override_settings

from integrations import stop_signal
from integrations.clients.provider import lever_client
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed, WebhookEvent
from integrations.health import incidents
from integrations.invitations.models.invitation import Invitation
from integrations.lever.acts import make_webhooks
from integrations.members.acts.members import save_member
from integrations.members.models.membership import Membership
from integrations.notifications.acts import save_preferences
from integrations.notifications.models.email_kind import EmailKind
from integrations.queue import on_request, worker
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment, Platforms
from portal.devtools.demo.history.acts import CodeScreenActs, LeverActs, TeamActs
from portal.devtools.demo.history.events import (
    LEAD,
    RECRUITER,
    Act,
    Add,
    Archive,
    Event,
    Move,
    MoveTogether,
    Occurrence,
    TakeStep,
)
from portal.devtools.demo.history.plan import LATEST, LENGTH
from portal.devtools.demo.history.transport import LocalNetwork, PastClock
from portal.devtools.processes import RunFailed
from portal.devtools.sandbox.mail import Mailbox
from portal.devtools.sandbox.messages import HttpError

#: Calls needn't be spread over time, and CodeScreen's webhooks say when to ask.
QUICK = {
    "LEVER_RATE": 1_000_000.0,
    "LEVER_BURST": 1_000_000,
    "POLL_NOT_STARTED_SECONDS": 30 * 86_400,
    "POLL_IN_PROGRESS_SECONDS": 30 * 86_400,
}
AT_ONCE = 8
PICKED_UP_SECONDS = (0.1, 0.9)
SLUG = provisioning.CONNECTED
FOLLOWED = (Status.INVITED, Status.IN_PROGRESS, Status.SUBMITTED)


def write_history(
    environment: DemoEnvironment, platforms: Platforms, events: Sequence[Event], now: datetime
) -> list[Event]:
    """Set the organizations up two weeks before now, and let everything happen; return the events that couldn't."""
    servers = [platforms.lever, platforms.codescreen]
    with (
        override_settings(**QUICK),
        _unhurried(platforms),
        PastClock(now - LENGTH) as clock,
        LocalNetwork(servers, environment.portal_url, clock).connected(),
        _mailed_to(platforms.mail.mailbox),
    ):
        history = _History(platforms, clock)
        history.set_up(environment)
        skipped = [event for event in events if not history.let_happen(event)]
        history.end(now - LATEST)
    return skipped


class _History:
    def __init__(self, platforms: Platforms, clock: PastClock) -> None:
        self._platforms = platforms
        self._clock = clock
        self._random = random.Random(SLUG)  # noqa: S311 a demo needs no secret
        self._account = platforms.lever.accounts[SLUG]
        lever = self._lever = LeverActs(self._account)
        codescreen = self._codescreen = CodeScreenActs(platforms.codescreen, SLUG)
        team = self._team = TeamActs(SLUG, codescreen)
        self._occurrences: dict[Occurrence, Callable[[], object]] = {
            Occurrence.CODESCREEN_FAILS: codescreen.fail,
            Occurrence.CODESCREEN_WORKS: codescreen.work,
            Occurrence.WEBHOOKS_ARE_LOST: lever.lose_webhooks,
            Occurrence.WEBHOOKS_ARRIVE: lever.deliver_webhooks,
            Occurrence.FORGED_WEBHOOK: lever.forge_webhook,
            Occurrence.WORK: lambda: None,  # the workers have their turn after each event
            Occurrence.SWEEP: self._sweep,
            Occurrence.POLL: lambda: on_request.poll_organization(team.organization),
            Occurrence.UPDATE_INCIDENTS: lambda: incidents.update_incidents(team.organization),
        }

    def set_up(self, environment: DemoEnvironment) -> None:
        """Make the organizations, connect one of them as its Super Admin would, and add its team."""
        secret = provisioning.seed(environment.folder)
        owner = User.objects.get(username=provisioning.USERNAME)
        provisioning.consent(environment, SLUG, provisioning.USERNAME)
        organization = self._team.organization
        make_webhooks(organization, lever_client(organization), owner)
        self._account.events.enabled.update(event.value for event in WebhookEvent)
        for webhook in self._account.events.webhooks.values():
            if not self._account.events.verify(webhook).succeeded:
                raise RunFailed("Lever's test request was refused")
        self._platforms.codescreen.platform.accounts[SLUG].settings.update(
            {"webhook_url": organization.codescreen_webhook_url, "webhook_secret": secret}
        )
        for username, role in ((LEAD, "admin"), (RECRUITER, "team_member")):
            save_member(organization, username, role, owner, email=f"{username}@{SLUG}.example")
        provisioning.set_passwords(SLUG)
        recruiter = Membership.objects.get(user__username=RECRUITER)
        save_preferences(recruiter, {EmailKind.RESULT: False}, recruiter.user)
        _work()

    def let_happen(self, event: Event) -> bool:
        """Let one event happen at its time, and work what follows; False when it couldn't."""
        self._clock.go_to(event.at)
        try:
            self._perform(event.act)
        except (ActionNotAllowed, HttpError, LookupError, Invitation.DoesNotExist):
            return False
        if not isinstance(event.act, Add):
            self._clock.take(self._random.uniform(*PICKED_UP_SECONDS))
            _work()
        return True

    def end(self, at: datetime) -> None:
        """Compare with Lever once more, and have those underway followed from now on."""
        self._clock.go_to(at)
        self._sweep()
        _work()
        incidents.update_incidents(self._team.organization)
        _work()
        self._codescreen.end()
        Invitation.objects.followed().filter(status__in=FOLLOWED).update(next_poll_at=Now())

    def _perform(self, act: Act) -> None:
        match act:
            case Add():
                self._lever.add(act)
            case Move():
                if act.answer_is_lost:
                    self._codescreen.lose_next_answer()
                self._lever.move(act)
            case MoveTogether():
                self._lever.move_together(act)
            case Archive():
                self._lever.archive(act)
            case TakeStep():
                self._codescreen.take_step(act)
            case Occurrence():
                self._occurrences[act]()
            case _:
                self._team.perform(act)

    def _sweep(self) -> None:
        on_request.sweep_organization(self._team.organization)


def _work() -> None:
    """Work everything that is due, as a worker would."""
    organizations = worker.Organizations()
    while rows := list(worker.claim_rows(AT_ONCE, 0)):
        for row in rows:
            worker.work_on(row, organizations)


@contextmanager
def _unhurried(platforms: Platforms) -> Iterator[None]:
    """Have the platforms send webhooks at once and limit no calls until the end of the block."""
    settings = platforms.lever.accounts[SLUG].settings
    limit, settings.rate_limit = settings.rate_limit, 0.0
    senders = (platforms.lever.platform.sender, platforms.codescreen.platform.sender)
    gc.disable()
    logging.disable(logging.WARNING)  # what was repaired two weeks ago is no news
    try:
        for sender in senders:
            sender.sends_at_once = True
        # to ask for a stop would yield the processor each time
        with mock.patch.object(stop_signal, "is_requested", return_value=False):
            yield
    finally:
        for sender in senders:
            sender.sends_at_once = False
        logging.disable(logging.NOTSET)
        gc.enable()
        settings.rate_limit = limit


@contextmanager
def _mailed_to(mailbox: Mailbox) -> Iterator[None]:
    """Put e-mails into a mailbox without SMTP until the end of the block."""
    with mock.patch.object(EmailMessage, "send", lambda message, *_: _store(mailbox, message)):
        yield


def _store(mailbox: Mailbox, message: EmailMessage) -> int:
    mailbox.store(message.from_email, message.to, message.message().as_bytes())
    return 1
