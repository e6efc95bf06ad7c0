"""CodeScreen's webhooks: their events, and signatures after Standard Webhooks."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from datetime import UTC, datetime

from portal.devtools.sandbox.codescreen.state import CodeScreenAccount, Instance
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms
from portal.devtools.sandbox.webhook_sender import Delivery, WebhookSender

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a fresh secret of 32 bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(value: str) -> bool:
    """Return whether a value is a secret of 24 to 64 bytes."""
    try:
        key = base64.b64decode(value.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return False
    return value.startswith(PREFIX) and 24 <= len(key) <= 64


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return one `v1,…` signature."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def send(sender: WebhookSender, account: CodeScreenAccount, instance: Instance, event: str) -> None:
    """Send an event to the webhook that the account's settings name, if there is one; hold the account's lock."""
    settings = account.settings
    if not (settings.webhook_url and settings.webhook_secret and settings.webhooks_enabled):
        return
    message_id, body = f"msg_{new_id().replace('-', '')}", _body(instance, event)
    for _ in range(1 + settings.webhook_duplicates):
        delivery = Delivery(
            instance.id,
            settings.webhook_url,
            lambda: (_signed_headers(account, message_id, body), body),
            on_gone=lambda: _switch_off(account),
        )
        account.deliveries.append(delivery)
        sender.send(delivery, retry_delays=settings.webhook_retry_delays)


def _body(instance: Instance, event: str) -> bytes:
    """Return a webhook body: ids and the status, nothing about the person."""
    data: JsonObject = {"assessmentInstanceId": instance.id, "assessmentId": instance.assessment.id}
    data |= {"status": instance.status, "sequence": instance.sequence}
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    document = {"type": event, "timestamp": timestamp, "data": data}
    return json.dumps(document, separators=(",", ":")).encode()


def _signed_headers(account: CodeScreenAccount, message_id: str, body: bytes) -> dict[str, str]:
    """Return the three headers of one attempt: the id stays, the time is the attempt's."""
    timestamp = now_ms() // 1000
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(account.settings.webhook_secret, message_id, timestamp, body),
    }


def _switch_off(account: CodeScreenAccount) -> None:
    """Send no more of an account's webhooks, as Standard Webhooks asks for where the receiver answers 410."""
    account.settings.webhooks_enabled = False
