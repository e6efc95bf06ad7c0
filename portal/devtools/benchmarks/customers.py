"""Connected organizations for a benchmark, as after a long time of running, and pretend platforms as processes."""

import http.client
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

import requests
from django.db import connections
from django.utils import timezone

from integrations.codescreen.models import CodeScreenConnection
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import sign
from integrations.organizations.models.organization import Organization
from integrations.queue.duties import plan_duties
from integrations.queue.models.duty_run import DutyRun
from portal.devtools.benchmarks.benchmark import Setup
from portal.devtools.benchmarks.pretend_platforms import COUNT_PATH, NOTES_PATH, TRIGGER_STAGE, Call
from portal.devtools.demo.environment import DemoEnvironment
from portal.devtools.processes import RunFailed, run_in_threads, wait_for_url
from portal.process.startup import queue_cluster
from portal.process.supervisor import Supervisor

SIGNATURE_TOKEN = "bench" * 8
BATCH = 1000


def connected_organizations(count: int) -> list[Organization]:
    """Create so many organizations with both connections and a webhook; every candidate is invited at once."""
    now = timezone.now()
    organizations = Organization.objects.bulk_create(
        [
            Organization(
                name=f"Customer {number}",
                slug=f"customer-{number}",
                bulk_limit=0,
                default_assessment="Assessment 0",
            )
            for number in range(count)
        ],
        batch_size=BATCH,
    )
    LeverConnection.objects.bulk_create(
        [
            LeverConnection(
                organization=organization,
                access_token=f"access-{organization.pk}",
                refresh_token=f"refresh-{organization.pk}",
                access_expires_at=now + timedelta(days=1),
                refreshed_at=now,
                connected_at=now,
                first_connected_at=now,
                lever_account_id=f"account-{organization.pk}",
                lever_user_id="author",
            )
            for organization in organizations
        ],
        batch_size=BATCH,
    )
    CodeScreenConnection.objects.bulk_create(
        [
            CodeScreenConnection(organization=organization, api_key=f"key-{organization.pk}")
            for organization in organizations
        ],
        batch_size=BATCH,
    )
    LeverWebhook.objects.bulk_create(
        [
            LeverWebhook(organization=organization, signature_token=SIGNATURE_TOKEN)
            for organization in organizations
        ],
        batch_size=BATCH,
    )
    return organizations


def postpone_duties() -> None:
    """Let no duty become due for a day, so that only what is measured is worked."""
    plan_duties()
    DutyRun.objects.update(due_at=timezone.now() + timedelta(days=1))


HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Webhook:
    """One webhook: the path that it is posted to, its body, and the opportunity it is about."""

    path: str
    body: bytes
    opportunity_id: str


def stage_change(organization: Organization) -> Webhook:
    """Return a new, signed webhook about a candidate that the portal doesn't know yet."""
    opportunity_id, token, triggered_at = str(uuid.uuid4()), uuid.uuid4().hex, int(time.time() * 1000)
    payload = {
        "id": str(uuid.uuid4()),
        "event": "candidateStageChange",
        "triggeredAt": triggered_at,
        "token": token,
        "signature": sign(token, triggered_at, SIGNATURE_TOKEN),
        "data": {
            "opportunityId": opportunity_id,
            "contactId": f"contact-{opportunity_id}",
            "toStageId": TRIGGER_STAGE,
        },
    }
    path = f"/webhooks/lever/{organization.webhook_key}/"
    return Webhook(path, json.dumps(payload).encode(), opportunity_id)


def send(url: str, webhooks: Sequence[Webhook], connections: int) -> None:
    """Post all webhooks over so many kept-alive connections. Raises RunFailed when one isn't accepted."""
    refused: list[int] = []

    def post(share: Sequence[Webhook]) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        for webhook in share:
            connection.request("POST", webhook.path, webhook.body, HEADERS)
            response = connection.getresponse()
            response.read()
            if response.status != http.client.ACCEPTED:
                refused.append(response.status)
        connection.close()

    run_in_threads([partial(post, webhooks[first::connections]) for first in range(connections)])
    if refused:
        raise RunFailed(f"{len(refused)} webhooks were refused, the first with {refused[0]}")


@dataclass(frozen=True)
class PretendPlatforms:
    """The addresses of a pretend Lever and a pretend CodeScreen, and what they were asked."""

    lever: str
    codescreen: str

    def lever_calls(self) -> list[Call]:
        """Return when Lever was asked what."""
        return _calls(self.lever)

    def codescreen_calls(self) -> list[Call]:
        """Return when CodeScreen was asked what."""
        return _calls(self.codescreen)

    def lever_count(self) -> int:
        """Return how many calls Lever has had: cheap enough to ask often."""
        return int(requests.get(self.lever + COUNT_PATH, timeout=10).json())


def _calls(url: str) -> list[Call]:
    return [(at, method, path) for at, method, path in requests.get(url + NOTES_PATH, timeout=60).json()]


@contextmanager
def node_at_work(setup: Setup, answer_seconds: float) -> Iterator[tuple[PretendPlatforms, Supervisor]]:
    """Run the web server and the workers beside pretend platforms; no duty becomes due meanwhile. Raises RunFailed."""
    postpone_duties()
    connections.close_all()
    with (
        pretend_platforms(setup.environment, answer_seconds) as platforms,
        Supervisor([setup.environment.web_server(), queue_cluster()]) as supervisor,
    ):
        wait_for_url(f"{setup.environment.portal_url}/healthz/live")
        yield platforms, supervisor


@contextmanager
def pretend_platforms(environment: DemoEnvironment, seconds: float) -> Iterator[PretendPlatforms]:
    """Start both platforms on the environment's ports; each answers after so many seconds."""
    argv = [sys.executable, "-m", "portal.devtools.benchmarks.pretend_platforms"]
    ports = (environment.lever_port, environment.codescreen_port)
    processes = [subprocess.Popen([*argv, str(port), str(seconds)]) for port in ports]
    try:
        lever, codescreen = (f"http://127.0.0.1:{port}" for port in ports)
        for url in (lever, codescreen):
            wait_for_url(url + COUNT_PATH)
        yield PretendPlatforms(lever, codescreen)
    finally:
        for process in processes:
            process.kill()
            process.wait()
