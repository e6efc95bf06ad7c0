"""Whose webhook it is, by the key in the address, and whether it came from their Lever or CodeScreen account.

The key's organization is remembered for a moment, since many come to the same address. What a process remembers is only
ever believed when it lets a request in: an unknown key and a signature that doesn't match are looked up anew. So a new
key or token counts at once; one that was removed, for REMEMBER_SECONDS more in other processes than that.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound
from rest_framework.request import Request

from integrations.accounts.models.attempts import AttemptLimit, Limit, TooMany, keyed_limits
from integrations.codescreen.models import CodeScreenConnection
from integrations.codescreen.payloads import BadSignature, verify
from integrations.core.vocabulary import RejectionCode
from integrations.http.json_values import JsonObject
from integrations.lever.models.webhook import LeverWebhook, tokens_of, webhook_access_changed
from integrations.lever.payloads import dedupe_key, matching_token
from integrations.organizations.models.organization import Organization
from integrations.store import database

REMEMBER_SECONDS = 2.0
MOST_REMEMBERED = 5000


@dataclass(frozen=True)
class Addressee:
    """The organization that a key belongs to, and all that verifies.

    `read_at` is the process's monotonic time before it was read.
    """

    organization: Organization
    lever_webhooks: tuple[LeverWebhook, ...] = ()
    codescreen: CodeScreenConnection | None = None
    read_at: float = field(default_factory=time.monotonic, compare=False)


class _Memory:
    """Addressees by key, for REMEMBER_SECONDS."""

    def __init__(self) -> None:
        self._by_key: dict[str, tuple[Addressee, int]] = {}
        self.forgotten = 0  # how often; what was read before the last time isn't remembered

    def get(self, key: str) -> Addressee | None:
        """Return what was read about a key not long ago."""
        found, forgotten = self._by_key.get(key, (None, 0))
        if found is None or forgotten != self.forgotten:
            return None
        return found if time.monotonic() - found.read_at < REMEMBER_SECONDS else None

    def put(self, key: str, addressee: Addressee, forgotten: int) -> None:
        """Remember what was read about a key since `forgotten`; it is never returned if that has changed meanwhile."""
        if len(self._by_key) >= MOST_REMEMBERED:
            self._by_key.clear()
        self._by_key[key] = (addressee, forgotten)

    def forget(self) -> None:
        """Ask about every key anew."""
        self.forgotten += 1
        self._by_key.clear()


memory = _Memory()


def find_addressee(key: str) -> Addressee:
    """Return the organization with this webhook key, or whose previous one it is while that is honoured.

    Raises NotFound.
    """
    return memory.get(key) or find_anew(key)


def find_anew(key: str) -> Addressee:
    """Return the same by what the database has now. Raises NotFound."""
    read_at, forgotten = time.monotonic(), memory.forgotten
    organization = Organization.objects.with_webhook_key(key)
    if organization is None:
        raise NotFound("No webhooks are taken in at this address.")
    addressee = Addressee(
        organization,
        tuple(LeverWebhook.objects.active().filter(organization=organization).order_by("-pk")),
        CodeScreenConnection.objects.filter(organization=organization).first(),
        read_at,
    )
    memory.put(key, addressee, forgotten)
    return addressee


def _forget(**_: object) -> None:
    """Forget now, and once it is committed: until then another thread would read what was there before."""
    memory.forget()
    transaction.on_commit(memory.forget)


webhook_access_changed.connect(_forget, dispatch_uid="forget_addressees")
for _model in (Organization, LeverWebhook, CodeScreenConnection):
    post_save.connect(_forget, sender=_model, dispatch_uid="forget_addressees_at_save")
    post_delete.connect(_forget, sender=_model, dispatch_uid="forget_addressees_at_delete")

# How many bodies one signature of Lever's has come with, and when: the signature doesn't cover the body.


#: Lever repeats a delivery for hours, and lets people rerun those of two weeks.
OLDEST, FURTHEST_AHEAD = timedelta(days=15), timedelta(hours=1)
MILLISECOND = timedelta(milliseconds=1)
#: Lever signs every webhook anew, so that a genuine signature comes with one body, however often it is sent.
BODIES_PER_SIGNATURE = 20
LIMIT = Limit(burst=BODIES_PER_SIGNATURE, seconds=timedelta(days=1).total_seconds())
#: A body that comes again, at whatever process, isn't another one.
ONCE = Limit(burst=1, seconds=LIMIT.seconds)
#: A signature of this age that a process hasn't seen may have been used at another.
NEW_SECONDS = 300.0
SIGNATURES_REMEMBERED = 5000


def is_out_of_range(age: int) -> bool:
    """Whether a webhook was signed so many milliseconds ago that it is too old, or ahead of the time."""
    return not -FURTHEST_AHEAD // MILLISECOND <= age <= OLDEST // MILLISECOND


class SignatureReuse:
    """Counts the bodies per signature, in the database as soon as there may be a second one.

    With one recorded webhook a stranger can sign bodies of their own. Each costs a row and a call to Lever, whose
    answer alone is believed; this bounds how many, at all processes together. A new signature with its first body,
    which nearly every webhook has, costs no statement.
    """

    def __init__(self) -> None:
        self._bodies: OrderedDict[bytes, set[bytes]] = OrderedDict()
        self._lock = threading.Lock()

    def is_exhausted(self, organization_id: int, signature: str, body_key: str, age: float) -> bool:
        """Count this body for its signature, which is `age` seconds old.

        Return whether BODIES_PER_SIGNATURE others came with it before, at all processes; one more is let in each day.
        """
        signed = f"{organization_id}:{signature}"
        body = _digest(body_key)
        with self._lock:
            key = _digest(signed)
            bodies = self._bodies[key] = self._bodies.pop(key, set())
            if len(self._bodies) > SIGNATURES_REMEMBERED:
                self._bodies.popitem(last=False)  # the signature seen longest ago
            if body in bodies:
                return False
            if not bodies and age < NEW_SECONDS:
                bodies.add(body)
                return False
        once = keyed_limits(f"lever-body:{signed}:{body_key}", (ONCE,))
        outcome = AttemptLimit.take(once | keyed_limits(f"lever-signature:{signed}", (LIMIT,)))
        if isinstance(outcome, TooMany) and not AttemptLimit.objects.filter(pk__in=list(once)).exists():
            return True
        with self._lock:
            bodies.add(body)
        return False

    def clear(self) -> None:
        self._bodies.clear()


#: The signatures that this process has seen.
seen = SignatureReuse()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:16]


# Verify that a webhook came from the Lever or CodeScreen account of the organization in the address.


SIGNED_FIELDS = ("token", "triggeredAt", "signature")
#: The other rejections hold whatever the secrets are.
ANSWERED_BY_OTHER_SECRETS = frozenset(
    {RejectionCode.SIGNATURE_MISMATCH, RejectionCode.NO_SIGNATURE_TOKEN, RejectionCode.NO_WEBHOOK_SECRET}
)


class Unverified(AuthenticationFailed):
    """Why a request isn't verified: a sentence and a code; neither reveals the expected signature.

    The payload serves to find the likely mistake, and isn't stored.
    """

    def __init__(self, detail: str, reason: RejectionCode, payload: JsonObject | None = None) -> None:
        super().__init__(detail, reason.value)
        self.reason = reason
        self.payload = payload
        #: Whether a key or token that is newer than what is remembered could verify the request.
        self.may_be_outdated = reason in ANSWERED_BY_OTHER_SECRETS


class Unreadable(APIException):
    """A secret that would tell can't be read: the request may be genuine, and with 401 its sender would give up."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The signature can't be checked now; try again later."
    default_code = "unavailable"
    wait = 60  # seconds
    may_be_outdated = True


@dataclass(frozen=True)
class LeverProof:
    """The webhook whose signature token verifies the body, and whether it is the token before the current one."""

    webhook: LeverWebhook
    is_previous_token: bool


@dataclass(frozen=True)
class CodeScreenProof:
    """The connection whose secret verifies the body, and its message id (Standard Webhooks: `webhook-id`)."""

    connection: CodeScreenConnection
    message_id: str


class SignatureAuthentication[Proof](BaseAuthentication):
    """The platform's signature; `request.auth` is the proof."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Proof]:
        """Return the proof, by what is remembered of the addressee or else by what the database has now.

        Raises NotFound, ParseError, Unverified or Unreadable.
        """
        view = request.parser_context["view"]
        try:
            return AnonymousUser(), self.verify(request, view.addressee)
        except (Unverified, Unreadable) as error:
            if not error.may_be_outdated:
                raise
        view.addressee = find_anew(view.kwargs["key"])
        return AnonymousUser(), self.verify(request, view.addressee)

    def authenticate_header(self, request: Request) -> str:
        """Return what a refusal asks for."""
        return "Signature"

    def verify(self, request: Request, addressee: Addressee) -> Proof:
        """Return the proof that one of the addressee's secrets gives. Raises ParseError, Unverified or Unreadable."""
        raise NotImplementedError


class LeverSignature(SignatureAuthentication[LeverProof]):
    """HMAC-SHA256 of token and time, in the body: https://hire.lever.co/developer/documentation#webhooks."""

    def verify(self, request: Request, addressee: Addressee) -> LeverProof:
        """Check the signature against every active token, its age, and how often it came with another body."""
        payload: JsonObject = request.parser_context["view"].payload
        if any(name not in payload for name in SIGNED_FIELDS):
            raise Unverified("The signature is missing.", RejectionCode.SIGNATURE_MISSING)
        tokens = tokens_of(addressee.lever_webhooks)
        matching = matching_token(payload, [token for token, _ in tokens])
        if matching is None:
            if any(webhook.unreadable_tokens for webhook in addressee.lever_webhooks):
                raise Unreadable
            if not tokens:
                raise Unverified("No signature token is stored yet.", RejectionCode.NO_SIGNATURE_TOKEN)
            raise Unverified("The signature does not match.", RejectionCode.SIGNATURE_MISMATCH, payload)
        age = int(database.now().timestamp() * 1000) - int(str(payload["triggeredAt"]))
        if is_out_of_range(age):
            raise Unverified("The signature is too old, or ahead.", RejectionCode.TIMESTAMP_OUT_OF_RANGE)
        signature = str(payload["signature"])
        if seen.is_exhausted(addressee.organization.pk, signature, dedupe_key(payload), age / 1000):
            raise Unverified("The signature came with other bodies.", RejectionCode.SIGNATURE_REUSED)
        webhook = next(webhook for token, webhook in tokens if token == matching)
        return LeverProof(webhook, matching != webhook.signature_token)


class CodeScreenSignature(SignatureAuthentication[CodeScreenProof]):
    """The Standard Webhooks headers over the raw body: https://www.standardwebhooks.com."""

    def verify(self, request: Request, addressee: Addressee) -> CodeScreenProof:
        connection = addressee.codescreen
        if connection is not None and connection.is_webhook_secret_unreadable:
            raise Unreadable
        if connection is None or not connection.webhook_secret:
            raise Unverified("No webhook secret is stored yet.", RejectionCode.NO_WEBHOOK_SECRET)
        try:
            now = database.now().timestamp()
            message_id = verify(request.headers, request.body, connection.webhook_secret, now)
        except BadSignature as error:
            raise Unverified("The signature does not match.", error.code) from error
        return CodeScreenProof(connection, message_id)
