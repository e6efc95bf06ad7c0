"""A node at work beside pretend platforms, with one connected organization in which every candidate is invited."""

import http.client
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import requests
from django.db import connections
from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.invitations.models.invitation import Invitation
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.queue.duties import plan_duties
from integrations.queue.models.duty_run import DutyRun
from portal.devtools.benchmarks.benchmark import Setup
from portal.devtools.benchmarks.load import SIGNATURE_TOKEN, signed
from portal.devtools.benchmarks.pretend_platforms import NOTES_PATH, TRIGGER_STAGE, Call
from portal.devtools.processes import HOST, RunFailed, run_in_threads, wait_for_url, wait_until
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

HEADERS = {"Content-Type": "application/json"}
WEB_CONNECTIONS = 8
LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Node:
    """The running web server and workers, and the addresses of the platforms that they call."""

    url: str
    lever: str
    codescreen: str
    webhook_path: str
    groups: Sequence[int]  # of the processes

    def move(self, candidates: Sequence[str], connections_open: int = WEB_CONNECTIONS) -> None:
        """Tell that new candidates, by their ids, entered the trigger stage. Raises RunFailed when one is refused."""
        refused: list[int] = []

        def post(share: Sequence[str]) -> None:
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=60)
            for candidate in share:
                connection.request("POST", self.webhook_path, stage_change(candidate), HEADERS)
                response = connection.getresponse()
                response.read()
                if response.status != http.client.ACCEPTED:
                    refused.append(response.status)
            connection.close()

        shares = [candidates[first::connections_open] for first in range(connections_open)]
        run_in_threads([partial(post, share) for share in shares])
        if refused:
            raise RunFailed(f"{len(refused)} webhooks were refused, the first with {refused[0]}")

    def wait_until_invited(self, candidates: Sequence[str]) -> float:
        """Wait until all are invited and have their tags; return when Lever was asked for the last tag."""
        waiting = {f"/v1/opportunities/{candidate}/addTags" for candidate in candidates}

        def last_tag() -> float | None:
            times = {path: at for at, _, path, _ in calls_to(self.lever) if path in waiting}
            return max(times.values()) if len(times) == len(waiting) else None

        tagged = wait_until(last_tag, LONGEST_SECONDS, "a candidate has no tag", every=1.0)
        rows = Invitation.objects.filter(opportunity_id__in=candidates, status=Invitation.Status.INVITED)
        wait_until(lambda: rows.count() == len(candidates), LONGEST_SECONDS, "not everybody was invited")
        connections.close_all()
        return tagged


def new_candidates(count: int) -> list[str]:
    """Return the ids of so many candidates that the portal doesn't know yet."""
    return [str(uuid.uuid4()) for _ in range(count)]


def stage_change(candidate: str) -> bytes:
    """Return the body of a new, signed webhook: the candidate entered the trigger stage."""
    data = {"opportunityId": candidate, "contactId": f"contact-{candidate}", "toStageId": TRIGGER_STAGE}
    return signed("candidateStageChange", data)


def calls_to(platform: str) -> list[Call]:
    """Return when a pretend platform, by its address, was asked what."""
    return [tuple(call) for call in requests.get(platform + NOTES_PATH, timeout=60).json()]


def connected_organization() -> Organization:
    """Create an organization with both connections and a webhook; no duty becomes due for a day."""
    now = timezone.now()
    organization = Organization.objects.create(
        name="Customer", slug="customer", bulk_limit=0, default_assessment="Assessment 0"
    )
    LeverConnection.objects.create(
        organization=organization,
        access_token=f"access-{organization.pk}",
        refresh_token=f"refresh-{organization.pk}",
        access_expires_at=now + timedelta(days=1),
        refreshed_at=now,
        connected_at=now,
        first_connected_at=now,
        lever_account_id="account",
        lever_user_id="author",
    )
    CodeScreenConnection.objects.create(organization=organization, api_key="key")
    LeverWebhook.objects.create(organization=organization, signature_token=SIGNATURE_TOKEN)
    plan_duties()
    DutyRun.objects.update(due_at=now + timedelta(days=1))
    return organization


@contextmanager
def node_at_work(setup: Setup) -> Iterator[Node]:
    """Run the web server and the workers beside platforms that answer after `--answer-ms`. Raises RunFailed."""
    environment = setup.environment
    path = f"/webhooks/lever/{connected_organization().webhook_key}/"
    connections.close_all()
    argv = [sys.executable, "-m", "portal.devtools.benchmarks.pretend_platforms"]
    platforms = []
    with ExitStack() as stack:
        for port in (environment.lever_port, environment.codescreen_port):
            process = subprocess.Popen([*argv, str(port), str(setup.options.answer_ms / 1000)])
            stack.callback(process.wait)
            stack.callback(process.kill)
            platforms.append(f"http://{HOST}:{port}")
            wait_for_url(platforms[-1] + NOTES_PATH)
        supervisor = stack.enter_context(Supervisor([environment.web_server(), queue_cluster()]))
        wait_for_url(f"{environment.portal_url}/healthz/live")
        groups = [run.pid for run in supervisor.runs.values()]
        lever, codescreen = platforms
        yield Node(environment.portal_url, lever, codescreen, path, groups)
