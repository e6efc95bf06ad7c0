"""Verify that a webhook came from the Lever or CodeScreen account of the organization in the address."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from integrations.codescreen import signature as codescreen_signature
from integrations.http.json_types import JsonObject
from integrations.lever import signature as lever_signature
from integrations.lever.payloads import dedupe_key
from integrations.models import CodeScreenConnection, LeverWebhook
from integrations.models.lever_webhook import tokens_of
from integrations.vocabulary import RejectionCode
from integrations.webhooks import signature_reuse
from integrations.webhooks.addressee import Addressee

SIGNED_FIELDS = ("token", "triggeredAt", "signature")


@dataclass(frozen=True)
class Unverified:
    """Why a request isn't verified: a sentence and a code, neither of which reveals the expected signature."""

    detail: str
    code: RejectionCode


@dataclass(frozen=True)
class Unreadable:
    """The request may be genuine, but a secret that would tell can't be read: no encryption key opens it."""


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


def verify_lever(addressee: Addressee, payload: JsonObject) -> LeverProof | Unverified | Unreadable:
    """Check the signature in the body against every active token of the addressee, its age, and how often it came.

    Source: https://hire.lever.co/developer/documentation#webhooks (HMAC-SHA256 of token + triggeredAt).
    """
    if any(name not in payload for name in SIGNED_FIELDS):
        return Unverified("The signature is missing.", RejectionCode.SIGNATURE_MISSING)
    tokens = tokens_of(addressee.lever_webhooks)
    matching = lever_signature.matching_token(payload, [token for token, _ in tokens])
    if matching is None:
        if any(webhook.unreadable_tokens for webhook in addressee.lever_webhooks):
            return Unreadable()
        if not tokens:
            return Unverified("No signature token is stored yet.", RejectionCode.NO_SIGNATURE_TOKEN)
        return Unverified("The signature does not match.", RejectionCode.SIGNATURE_MISMATCH)
    triggered_at, now = int(str(payload["triggeredAt"])), time.time()
    if signature_reuse.is_out_of_range(triggered_at, now):
        return Unverified("The signature is too old, or ahead.", RejectionCode.TIMESTAMP_OUT_OF_RANGE)
    if signature_reuse.seen.is_exhausted(
        addressee.organization.pk,
        str(payload["signature"]),
        dedupe_key(payload),
        now - triggered_at / 1000,
    ):
        return Unverified("The signature came with other bodies.", RejectionCode.SIGNATURE_REUSED)
    webhook = next(webhook for token, webhook in tokens if token == matching)
    return LeverProof(webhook, matching != webhook.signature_token)


def verify_codescreen(
    addressee: Addressee, headers: Mapping[str, str], body: bytes
) -> CodeScreenProof | Unverified | Unreadable:
    """Check the Standard Webhooks headers over the raw body (https://www.standardwebhooks.com)."""
    connection = addressee.codescreen
    if connection is not None and connection.is_webhook_secret_unreadable:
        return Unreadable()
    if connection is None or not connection.webhook_secret:
        return Unverified("No webhook secret is stored yet.", RejectionCode.NO_WEBHOOK_SECRET)
    try:
        message_id = codescreen_signature.verify(headers, body, connection.webhook_secret, time.time())
    except codescreen_signature.BadSignature as error:
        return Unverified("The signature does not match.", error.code)
    return CodeScreenProof(connection, message_id)
