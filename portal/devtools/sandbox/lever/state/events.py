"""Webhooks, the events that they can be for, and the signed deliveries about them."""

import hashlib
import hmac
import json
import random
from dataclasses import dataclass, field
from threading import Lock

from portal.devtools.sandbox.lever.settings import LeverSettings
from portal.devtools.sandbox.values import JsonObject, new_id, new_token, now_ms
from portal.devtools.sandbox.webhook_sender import Attempt, Delivery, WebhookSender


def sign(signature_token: str, token: str, triggered_at: int) -> str:
    """Return the signature of a webhook body, in lower-case hexadecimal."""
    message = f"{token}{triggered_at}".encode()
    return hmac.new(signature_token.encode(), message, hashlib.sha256).hexdigest()


EVENT_LABELS = {
    "candidateStageChange": "Candidate Stage Change",
    "candidateArchiveChange": "Candidate Archive Change",
    "applicationCreated": "Application Created",
    "candidateHired": "Candidate Hired",
    "candidateDeleted": "Candidate Deleted",
    "contactCreated": "Contact Created",
    "contactUpdated": "Contact Updated",
    "interviewCreated": "Interview Created",
    "interviewUpdated": "Interview Updated",
    "interviewDeleted": "Interview Deleted",
}
EVENTS = tuple(EVENT_LABELS)
# Webhooks of these events can be limited to opportunities of some origins.
ORIGIN_EVENTS = frozenset(
    {"applicationCreated", "candidateArchiveChange", "candidateHired", "candidateStageChange"}
)
ORIGINS = ("applied", "sourced", "referred", "university", "internal", "agency")


@dataclass
class Webhook:
    """One address that is sent one event."""

    id: str
    event: str
    url: str
    origins: list[str] = field(default_factory=lambda: list(ORIGINS))
    signature_token: str = field(default_factory=new_token)
    by_api: bool = False
    created_at: int = field(default_factory=now_ms)
    updated_at: int = field(default_factory=now_ms)


class Events:
    """An account's webhooks, which events are switched on, and every delivery made."""

    def __init__(self, sender: WebhookSender, settings: LeverSettings) -> None:
        self.webhooks: dict[str, Webhook] = {}
        self.enabled: set[str] = set()
        self.deliveries: list[Delivery] = []
        self.lost: int = 0
        self._sender = sender
        self._settings = settings
        self._random = random.Random(0)
        self._lock = Lock()

    def emit(self, event: str, data: JsonObject, *, origin: str, subject: str) -> None:
        """Send an event about an opportunity to every webhook for it, if the event is switched on."""
        settings = self._settings
        for webhook in self._listeners(event, origin):
            if not settings.webhooks_enabled or self._random.random() < settings.webhook_loss:
                self.lost += 1
                continue
            body = signed_body(webhook, event, data, without_id=settings.webhook_without_id)
            for _ in range(1 + settings.webhook_duplicates):
                after = self._random.random() * settings.webhook_shuffle_ms / 1000
                self.dispatch(webhook, event, body, subject=subject, after=after)

    def dispatch(
        self, webhook: Webhook, event: str, body: bytes, *, subject: str, after: float = 0.0
    ) -> Delivery:
        """Send one body to one webhook `after` seconds from now; its retries carry the same body."""
        delivery = Delivery(event, subject, webhook.url, lambda: ({}, body), webhook=webhook.id)
        with self._lock:
            self.deliveries.append(delivery)
        self._sender.send(delivery, retry_delays=self._settings.webhook_retry_delays, after=after)
        return delivery

    def rerun(self, delivery: Delivery) -> Delivery:
        """Send an earlier delivery once more, exactly as it was."""
        again = Delivery(
            delivery.event, delivery.subject, delivery.url, delivery.prepare, webhook=delivery.webhook
        )
        with self._lock:
            self.deliveries.append(again)
        self._sender.send(again, retry_delays=())
        return again

    def verify(self, webhook: Webhook) -> Attempt:
        """Send the test request of Verify Connection and wait for the answer."""
        event = self._settings.verify_event or webhook.event
        body = signed_body(webhook, event, {}, without_id=True)
        return self._sender.attempt(Delivery(event, "", webhook.url, lambda: ({}, body), webhook=webhook.id))

    def find(self, delivery_id: str) -> Delivery | None:
        """Return a delivery of this account, the latest first."""
        return next((item for item in reversed(self.deliveries) if item.id == delivery_id), None)

    def _listeners(self, event: str, origin: str) -> list[Webhook]:
        if event not in self.enabled:
            return []
        return [
            webhook
            for webhook in self.webhooks.values()
            if webhook.event == event and (event not in ORIGIN_EVENTS or origin in webhook.origins)
        ]


def signed_body(
    webhook: Webhook, event: str, data: JsonObject, *, without_id: bool = False, stale_ms: int = 0
) -> bytes:
    """Return a webhook body: event, data, and the signature over a fresh token and the time."""
    triggered_at = now_ms() - stale_ms
    token = new_token()
    body: JsonObject = {} if without_id else {"id": new_id()}
    body |= {"event": event, "triggeredAt": triggered_at, "token": token, "data": data}
    body["signature"] = sign(webhook.signature_token, token, triggered_at)
    return json.dumps(body, separators=(",", ":")).encode()
