"""One customer's Lever account: its settings, its webhooks, and everything in it."""

import hashlib
import hmac
import json
import random
import time
from dataclasses import dataclass, field
from threading import Lock

from portal.devtools.sandbox.accounts import Account, RuntimeSettings
from portal.devtools.sandbox.lever.records import (
    ArchiveReason,
    Contact,
    FeedbackTemplate,
    Opportunity,
    Posting,
    Stage,
    User,
)
from portal.devtools.sandbox.values import JsonObject, new_id, new_token, now_ms, stable_id
from portal.devtools.sandbox.webhook_sender import Attempt, Delivery, WebhookSender


@dataclass
class LeverSettings(RuntimeSettings):
    """Limits, lifetimes, and the points that Lever's documentation leaves open."""

    region: str = "global"  # or "eu": the other region's host knows neither its keys nor its tokens
    rate_limit: float = 10.0  # requests a second; 0 turns the limit off
    strict_perform_as: bool = False  # every write needs it, and the user has to be active
    tags_locked: bool = False  # only people make new ones; the API adds those that the account has
    ignores_unknown_fields: bool = False  # values of feedback for field ids that the template doesn't have
    #: To which calls a form's rating is typed `score`; the documentation has all, recordings PUT.
    answers_of_score: str = "PUT"
    #: CodeScreen's own integration is on too, and invites who enters a CodeScreen stage.
    neighbour: bool = False
    neighbour_ms: int = 0  # how long after the move
    read_lag: float = 0.0  # seconds: reading an opportunity shows the stage that it had so long ago
    webhooks_enabled: bool = True  # off: nothing is sent, as if every webhook were lost
    webhook_retry_delays: list[float] = field(default_factory=lambda: [1.0, 5.0, 30.0, 120.0, 600.0])
    webhook_loss: float = 0.0  # the share of webhooks that are never sent
    webhook_duplicates: int = 0  # further copies of each webhook
    webhook_shuffle_ms: int = 0  # each webhook waits a random time up to this: out of order


def sign(signature_token: str, token: str, triggered_at: int) -> str:
    """Return the signature of a webhook body, in lower-case hexadecimal."""
    message = f"{token}{triggered_at}".encode()
    return hmac.new(signature_token.encode(), message, hashlib.sha256).hexdigest()


EVENT_LABELS = {
    "candidateStageChange": "Candidate Stage Change",
    "candidateArchiveChange": "Candidate Archive Change",
    "candidateHired": "Candidate Hired",
    "candidateDeleted": "Candidate Deleted",
}
VERIFY_EVENT = "candidateHired"  # that a test request names, whatever the webhook's own is


@dataclass
class Webhook:
    """One address that is sent one event."""

    id: str
    event: str
    url: str
    signature_token: str = field(default_factory=new_token)
    by_api: bool = False


class Events:
    """An account's webhooks, which events are switched on, and every delivery made."""

    def __init__(self, sender: WebhookSender, settings: LeverSettings) -> None:
        self.webhooks: dict[str, Webhook] = {}
        self.enabled: set[str] = set()
        self.deliveries: list[Delivery] = []
        self._sender = sender
        self._settings = settings
        self._random = random.Random(0)
        self._lock = Lock()

    def emit(self, event: str, data: JsonObject, *, subject: str) -> None:
        """Send an event about an opportunity to every webhook for it, if the event is switched on."""
        settings = self._settings
        listeners = [one for one in self.webhooks.values() if one.event == event and event in self.enabled]
        for webhook in listeners:
            if not settings.webhooks_enabled or self._random.random() < settings.webhook_loss:
                continue
            body = signed_body(webhook, event, data)
            for _ in range(1 + settings.webhook_duplicates):
                after = self._random.random() * settings.webhook_shuffle_ms / 1000
                self.dispatch(webhook, body, subject=subject, after=after)

    def dispatch(self, webhook: Webhook, body: bytes, *, subject: str, after: float) -> None:
        """Send one body to one webhook `after` seconds from now; its retries carry the same body."""
        delivery = Delivery(subject, webhook.url, lambda: ({}, body))
        with self._lock:
            self.deliveries.append(delivery)
        self._sender.send(delivery, retry_delays=self._settings.webhook_retry_delays, after=after)

    def verify(self, webhook: Webhook) -> Attempt:
        """Send the test request of Verify Connection and wait for the answer."""
        body = signed_body(webhook, VERIFY_EVENT, {}, without_id=True)
        return self._sender.attempt(Delivery("", webhook.url, lambda: ({}, body)))


def signed_body(webhook: Webhook, event: str, data: JsonObject, *, without_id: bool = False) -> bytes:
    """Return a webhook body: event, data, and the signature over a fresh token and the time."""
    triggered_at = now_ms()
    token = new_token()
    body: JsonObject = {} if without_id else {"id": new_id()}
    body |= {"event": event, "triggeredAt": triggered_at, "token": token, "data": data}
    body["signature"] = sign(webhook.signature_token, token, triggered_at)
    return json.dumps(body, separators=(",", ":")).encode()


BURST = 20.0


class TokenBucket:
    """Refills at the account's rate up to the burst; guarded by the account's lock."""

    def __init__(self, settings: LeverSettings) -> None:
        self._settings = settings
        self._tokens = BURST
        self._refilled_at = time.monotonic()

    def take(self) -> bool:
        """Take one token and return whether there was one; always true while the limit is off."""
        rate = self._settings.rate_limit
        if rate <= 0:
            return True
        now = time.monotonic()
        refill = max(0.0, now - self._refilled_at) * rate  # a run may have put the clock back
        self._tokens = min(BURST, self._tokens + refill)
        self._refilled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class LeverAccount(Account[LeverSettings]):
    """The state of one account."""

    def __init__(self, slug: str, name: str, sender: WebhookSender, settings: LeverSettings) -> None:
        super().__init__(slug, name, settings)
        self.id = stable_id(slug, "lever-account")
        self.bucket = TokenBucket(settings)
        self.events = Events(sender, settings)
        self.users: dict[str, User] = {}
        self.stages: dict[str, Stage] = {}
        self.archive_reasons: dict[str, ArchiveReason] = {}
        self.postings: dict[str, Posting] = {}
        self.templates: dict[str, FeedbackTemplate] = {}
        self.contacts: dict[str, Contact] = {}
        self.opportunities: dict[str, Opportunity] = {}
        self.deleted: dict[str, Opportunity] = {}

    def add_opportunity(self, opportunity: Opportunity) -> None:
        """Add an opportunity; tags of its posting are copied onto it."""
        self.opportunities[opportunity.id] = opportunity
        if opportunity.posting_id:
            posting = self.postings[opportunity.posting_id]
            opportunity.tags += [tag for tag in posting.inherited_tags() if tag not in opportunity.tags]

    def drop_opportunity(self, opportunity: Opportunity) -> None:
        """Move an opportunity among the deleted."""
        self.deleted[opportunity.id] = self.opportunities.pop(opportunity.id)

    def rank(self, stage_id: str) -> int:
        """Return a stage's zero-based place in the pipeline."""
        return [*self.stages, stage_id].index(stage_id)  # one that is gone comes last

    def find_stage(self, name: str) -> Stage | None:
        """Return the stage with that id, or else with that text in any case."""
        if name in self.stages:
            return self.stages[name]
        folded = name.strip().casefold()
        return next((stage for stage in self.stages.values() if stage.text.casefold() == folded), None)

    def find_posting(self, name: str) -> Posting | None:
        """Return the posting with that id, or else with that title."""
        if name in self.postings:
            return self.postings[name]
        return next((posting for posting in self.postings.values() if posting.text == name), None)

    def super_admin(self) -> User | None:
        """Return the first active Super Admin, who counts as signed in on the account's pages."""
        active = (user for user in self.users.values() if user.deactivated_at is None)
        return next((user for user in active if user.role == "super admin"), None)

    def actor(self) -> str | None:
        """Return the id of the user who is signed in on the pages."""
        user = self.super_admin()
        return user.id if user else None

    def contact_of(self, opportunity: Opportunity) -> Contact:
        """Return the contact of an opportunity."""
        return self.contacts[opportunity.contact_id]

    def in_stage(self, stage_id: str) -> list[Opportunity]:
        """Return the opportunities in a stage."""
        return [item for item in self.opportunities.values() if item.stage == stage_id]

    def of_contact(self, contact: Contact) -> list[Opportunity]:
        """Return the opportunities of a contact."""
        return [item for item in self.opportunities.values() if item.contact_id == contact.id]
