"""Writes the history: each act of the journeys at its moment, and after it what the portal's workers make of it.

The portal's own code makes it, in this process and with a past clock, against the pretend platforms.
"""

import logging
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import requests
from django.contrib.auth.models import User
from django.db import connection, connections
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import override_settings
from requests.adapters import HTTPAdapter

from integrations.case.waits import tell_waits
from integrations.clients.provider import lever_client
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.vocabulary import ActionNotAllowed, WebhookEvent
from integrations.invitations.models.invitation import Invitation
from integrations.lever.acts.webhooks import make_webhooks
from integrations.members.acts.members import save_member
from integrations.members.models.membership import Membership
from integrations.notifications.acts import choose_emails
from integrations.notifications.models.email_kind import EmailKind
from integrations.organizations.models.policies import TOLD_AFTER
from integrations.queue import acts as queue_acts
from integrations.queue import worker
from portal.devtools.clock import PretendClock
from portal.devtools.demo import provisioning
from portal.devtools.demo.environment import DemoEnvironment, Platforms
from portal.devtools.demo.history.acts import LEAD, OWNER, RECRUITER, Team, update_incidents
from portal.devtools.demo.history.journeys import BACKEND, DESIGNER, FRONTEND, OF_CONNECTED, OF_PUBLISHED
from portal.devtools.demo.provisioning import CONNECTED, PUBLISHED
from portal.devtools.processes import RunFailed
from portal.devtools.sandbox.codescreen import seed as codescreen_seed
from portal.devtools.sandbox.lever import seed as lever_seed
from portal.devtools.sandbox.messages import HttpError, answer_of, body_of, platform_request
from portal.devtools.sandbox.webhook_sender import WebhookSender

LENGTH = timedelta(days=14)
#: What happens before it began just now, so that everything has been worked when the portal starts.
LATEST = timedelta(minutes=8)
#: Who still waits so long after an act gets a note in Lever.
NOTES_LEFT_AFTER = TOLD_AFTER + timedelta(seconds=30)
#: The acts say when to ask.
WITHOUT_POLLS = {"POLL_NOT_STARTED_SECONDS": 30 * 86_400, "POLL_IN_PROGRESS_SECONDS": 30 * 86_400}
AT_ONCE = 8
#: How long a platform takes to answer (least, most, and mostly), and the workers to pick something up.
ANSWER_SECONDS = (0.06, 0.55, 0.12)
PICKED_UP_SECONDS = (0.1, 0.9)
FOLLOWED = (Status.INVITED, Status.IN_PROGRESS, Status.SUBMITTED)


def write_history(environment: DemoEnvironment, platforms: Platforms, now: datetime) -> list[datetime]:
    """Set the organizations up two weeks before now, and let everything happen; return when an act couldn't be done."""
    chance = random.Random(CONNECTED)  # noqa: S311 a demo needs no secret
    _add_account_as_published(platforms)
    teams = {slug: Team(platforms, slug) for slug in (PUBLISHED, CONNECTED)}
    skipped = []
    connections.close_all()  # one follows the past clock from its begin
    logging.disable(logging.WARNING)  # what was repaired two weeks ago is no news
    with (
        override_settings(**WITHOUT_POLLS),
        mock.patch.object(WebhookSender, "sends_at_once", new=True),
        PretendClock(now - LENGTH) as clock,
        _without_network(platforms, environment.portal_url, clock, chance),
    ):
        connection.cursor().execute(
            "PRAGMA synchronous = OFF"
        )  # who kills the demo has no use for its history

        def work() -> None:
            """Work everything that is due, as a worker would."""
            clock.advance(chance.uniform(*PICKED_UP_SECONDS))
            organizations = worker.Organizations()
            while rows := list(worker.claim_rows(AT_ONCE, 0)):
                for row in rows:
                    worker.work_on(row, organizations)

        _set_up(environment, platforms, teams)
        work()
        events = [
            (at, act, teams[slug], journey.person)
            for slug, journeys in ((CONNECTED, OF_CONNECTED), (PUBLISHED, OF_PUBLISHED))
            for journey in journeys
            for at, act in journey.events(now)
        ]
        for at, act, team, person in sorted(events, key=lambda event: event[0]):
            if at > now - LATEST:
                break  # planned for later than now
            clock.move_to(min(at, clock.now() + NOTES_LEFT_AFTER))
            for waiting in teams.values():
                tell_waits(waiting.organization)
            work()
            clock.move_to(at)
            try:
                act(team, person)
            except (ActionNotAllowed, HttpError, LookupError, Invitation.DoesNotExist):
                skipped.append(at)
            work()
        clock.move_to(now - LATEST)
        for team in teams.values():
            queue_acts.sweep_organization(team.organization)
        work()
        for team in teams.values():
            update_incidents(team)
        work()
        teams[CONNECTED].invited.settings.webhooks_enabled = True
        # those underway are followed from now on
        Invitation.objects.followed().filter(status__in=FOLLOWED).update(next_poll_at=Now())
    connections.close_all()
    logging.disable(logging.NOTSET)
    return skipped


def _add_account_as_published(platforms: Platforms) -> None:
    """Add the organization's accounts to both platforms, where no extension is on."""
    lever = platforms.lever.platform
    account = lever.add_account(lever_seed.new_account(PUBLISHED, lever.sender))
    for role, assessment in ((BACKEND, "Backend"), (FRONTEND, "Frontend Developer")):
        lever_seed.add_posting(account, role, f"CodeScreen {assessment}")
    platforms.codescreen.platform.add_account(codescreen_seed.new_account(PUBLISHED, assessments=2))


def _set_up(environment: DemoEnvironment, platforms: Platforms, teams: Mapping[str, Team]) -> None:
    """Make the organizations, connect two of them as their Super Admin would, and add one's team."""
    secret = provisioning.seed(environment.folder)
    owner = User.objects.get(username=OWNER)
    for slug, team in teams.items():
        lever_seed.add_posting(team.lever, DESIGNER, team="Design")
        provisioning.consent(environment, slug, OWNER)
        make_webhooks(team.organization, lever_client(team.organization), owner)
        team.lever.events.enabled.update(event.value for event in WebhookEvent)
        for webhook in team.lever.events.webhooks.values():
            if not team.lever.events.verify(webhook).succeeded:
                raise RunFailed("Lever's test request was refused")
    team = teams[CONNECTED]
    url = team.organization.codescreen_webhook_url
    team.invited.settings.update(
        {"metadata": True, "webhook_url": url, "webhook_secret": secret, "webhooks_enabled": False}
    )
    for username, role in ((LEAD, "admin"), (RECRUITER, "team_member")):
        save_member(team.organization, username, role, owner, email=f"{username}@{CONNECTED}.example")
    provisioning.set_passwords(CONNECTED)
    recruiter = Membership.objects.get(user__username=RECRUITER)
    choose_emails(recruiter, {EmailKind.RESULTS: False}, recruiter.user)


@contextmanager
def _without_network(
    platforms: Platforms, portal_url: str, clock: PretendClock, chance: random.Random
) -> Iterator[None]:
    """Lead each request of this process to a pretend platform or to the portal: thousands are made in seconds."""
    servers = {urlsplit(one.url).netloc: one for one in (platforms.lever, platforms.codescreen)}
    client = Client(HTTP_HOST=urlsplit(portal_url).netloc)

    def send(adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        if server := servers.get(urlsplit(request.url or "").netloc):
            clock.advance(chance.triangular(*ANSWER_SECONDS))
            with (asked := platform_request(request)):
                said: Any = server.exchange(asked).response
            if said is None:
                raise requests.exceptions.ConnectionError("the connection ended without an answer")
            content = said.get_data()
        else:
            headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
            kind, method = headers.pop("Content-Type", ""), request.method or ""
            said = client.generic(method, request.path_url, body_of(request), kind, headers=headers)
            content = said.content
        return answer_of(adapter, request, said.status_code, dict(said.headers), content)

    with mock.patch.object(HTTPAdapter, "send", send):
        yield
