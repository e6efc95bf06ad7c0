"""Ready-made webhooks of Lever about moves into the trigger stage, and a client that sends them."""

import http.client
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from integrations.lever.signature import sign
from integrations.models import Organization
from portal.devtools.benchmarks.customers import SIGNATURE_TOKEN
from portal.devtools.benchmarks.pretend_platforms import TRIGGER_STAGE
from portal.devtools.threads import run_in_threads
from portal.devtools.waiting import RunFailed

HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Webhook:
    """One webhook: the path that it is posted to, its body, and whom it is about."""

    path: str
    body: bytes
    opportunity_id: str


def stage_change(organization: Organization) -> Webhook:
    """Return a new, signed webhook about a candidate whom nothing is known of yet."""
    token, triggered_at = uuid.uuid4().hex, int(time.time() * 1000)
    opportunity_id = str(uuid.uuid4())
    payload = {
        "id": str(uuid.uuid4()),
        "event": "candidateStageChange",
        "triggeredAt": triggered_at,
        "token": token,
        "data": {
            "opportunityId": opportunity_id,
            "contactId": f"contact-{opportunity_id}",
            "toStageId": TRIGGER_STAGE,
        },
        "signature": sign(token, triggered_at, SIGNATURE_TOKEN),
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
