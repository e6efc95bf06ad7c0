"""Writes the history: each act of the journeys at its moment, and after it what the portal's workers make of it."""

import gc
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest import mock

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test.utils import override_settings

from integrations.clients.provider import lever_client
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed, WebhookEvent
from integrations.http import stop_signal
from integrations.invitations.models.invitation import Invitation
from integrations.lever.acts import make_webhooks
from integrations.members.acts.members import save_member
from integrations.members.models.membership import Membership
from integrations.notifications.acts import choose_emails
from integrations.notifications.models.email_kind import EmailKind
from integrations.organizations.models.organization import Organization
from integrations.queue import worker
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment, Platforms
from portal.devtools.demo.history import published
from portal.devtools.demo.history.acts import LEAD, RECRUITER, Acts
from portal.devtools.demo.history.journeys import LATEST, LENGTH, Event, Journeys
from portal.devtools.demo.history.transport import PastClock, local_network
from portal.devtools.processes import RunFailed
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


def write_history(environment: DemoEnvironment, platforms: Platforms, now: datetime) -> list[Event]:
    """Set the organizations up two weeks before now, and let everything happen; return the events that couldn't."""
    servers = [platforms.lever, platforms.codescreen]
    published.add_accounts(platforms)
    chance = random.Random(SLUG)  # noqa: S311 a demo needs no secret
    with (
        override_settings(**QUICK),
        _unhurried(platforms),
        PastClock(now - LENGTH) as clock,
        local_network(servers, environment.portal_url, clock, chance),
    ):
        acts, skipped = Acts(platforms, SLUG), []
        of_published = Acts(platforms, provisioning.PUBLISHED)
        _set_up(environment, platforms, acts, of_published)
        events = (*Journeys(acts, now).events(), *published.events(of_published, now))
        past = (event for event in events if event.at <= now - LATEST)
        for event in sorted(past, key=lambda one: one.at):
            clock.go_to(event.at)
            try:
                event.act()
            except (ActionNotAllowed, HttpError, LookupError, Invitation.DoesNotExist):
                skipped.append(event)
            clock.take(chance.uniform(*PICKED_UP_SECONDS))
            _work()
        clock.go_to(now - LATEST)
        for one in (acts, of_published):
            one.sweep()
        _work()
        for one in (acts, of_published):
            one.update_incidents()
        _work()
        acts.report_steps()
        # those underway are followed from now on
        Invitation.objects.followed().filter(status__in=FOLLOWED).update(next_poll_at=Now())
    return skipped


def _set_up(environment: DemoEnvironment, platforms: Platforms, acts: Acts, of_published: Acts) -> None:
    """Make the organizations, connect two of them as their Super Admin would, and add one's team."""
    secret = provisioning.seed(environment.folder)
    owner = User.objects.get(username=provisioning.USERNAME)
    for organization in (of_published.organization, acts.organization):
        provisioning.consent(environment, organization.slug, provisioning.USERNAME)
        _make_webhooks(platforms, organization.slug, owner)
    organization = acts.organization
    platforms.codescreen.platform.accounts[SLUG].settings.update(
        {"metadata": True, "webhook_url": organization.codescreen_webhook_url, "webhook_secret": secret}
    )
    for username, role in ((LEAD, "admin"), (RECRUITER, "team_member")):
        save_member(organization, username, role, owner, email=f"{username}@{SLUG}.example")
    provisioning.set_passwords(SLUG)
    recruiter = Membership.objects.get(user__username=RECRUITER)
    choose_emails(recruiter, {EmailKind.RESULTS: False}, recruiter.user)
    _work()


def _make_webhooks(platforms: Platforms, slug: str, owner: User) -> None:
    """Make an organization's webhooks in Lever, and have Lever try them."""
    organization = Organization.objects.with_connections().get(slug=slug)
    make_webhooks(organization, lever_client(organization), owner)
    events = platforms.lever.accounts[slug].events
    events.enabled.update(event.value for event in WebhookEvent)
    for webhook in events.webhooks.values():
        if not events.verify(webhook).succeeded:
            raise RunFailed("Lever's test request was refused")


def _work() -> None:
    """Work everything that is due, as a worker would."""
    organizations = worker.Organizations()
    while rows := list(worker.claim_rows(AT_ONCE, 0)):
        for row in rows:
            worker.work_on(row, organizations)


@contextmanager
def _unhurried(platforms: Platforms) -> Iterator[None]:
    """Have the platforms send webhooks at once and limit no calls until the end of the block."""
    limited = [platforms.lever.accounts[slug].settings for slug in (SLUG, provisioning.PUBLISHED)]
    limits = [settings.rate_limit for settings in limited]
    for settings in limited:
        settings.rate_limit = 0.0
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
        for settings, limit in zip(limited, limits, strict=True):
            settings.rate_limit = limit
