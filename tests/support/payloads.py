"""Loads payload fixtures and signs them as the platforms do: signatures are computed, never pasted."""

import json
import time
import uuid
from pathlib import Path
from typing import Any

from django.test import Client

from integrations.codescreen.payloads import sign as sign_codescreen
from integrations.lever.payloads import sign as sign_lever

FIXTURES = Path(__file__).parent.parent / "fixtures"


def load(name: str, **changes: Any) -> Any:
    """Return the fixture `name`, such as `lever/candidate_stage_change`, with its top-level keys changed.

    A webhook of Lever's is triggered now: an old one is refused.
    """
    document = json.loads((FIXTURES / f"{name}.json").read_text())
    if "triggeredAt" in document:
        document["triggeredAt"] = int(time.time() * 1000)
    return document | changes if changes else document


def sign(payload: dict[str, Any], signature_token: str) -> dict[str, Any]:
    """Return a Lever payload with its signature."""
    signature = sign_lever(payload["token"], payload["triggeredAt"], signature_token)
    return payload | {"signature": signature}


def post_stage_change(client: Client, address: str, token: str, **changes: Any) -> Any:
    """Post a new stage change as Lever does, changed and signed with this token: None takes a key out.

    A signature that is given stands in place of the right one.
    """
    payload = load("lever/candidate_stage_change", id=str(uuid.uuid4())) | changes
    payload = sign(payload, token) | changes
    body = {name: value for name, value in payload.items() if value is not None}
    return client.post(address, body, content_type="application/json")


def codescreen_headers(body: bytes, secret: str, message_id: str = "msg_1") -> dict[str, str]:
    """Return the Standard Webhooks headers of a body."""
    timestamp = str(int(time.time()))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign_codescreen(message_id, timestamp, body, secret),
    }
