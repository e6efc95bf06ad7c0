"""Requests refused at the door: which mistake each looks like, told to the organization and never to the sender."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from integrations.lever import signature
from integrations.models import CodeScreenConnection, LeverWebhook, Organization, RefusedRequest

logger = logging.getLogger(__name__)

EXPIRED, MISPLACED, MANGLED, UNKNOWN = (
    "expired_token",
    "misplaced_secret",
    "mangled_signature",
    "unknown_token",
)

WORDS: dict[tuple[str, str], str] = {
    (
        "signature_mismatch",
        EXPIRED,
    ): "it is signed with the earlier token, which is no longer honoured. Lever still "
    "has the old webhook: copy the token it shows now, or remove that webhook in Lever.",
    (
        "signature_mismatch",
        MISPLACED,
    ): "it is signed with what is stored here as a secret of CodeScreen. The token was "
    "pasted into the wrong field: copy it into “Signature token”.",
    (
        "signature_mismatch",
        MANGLED,
    ): "the signature isn't one that Lever makes. Something between Lever and the portal "
    "changes the request, or it didn't come from Lever.",
    (
        "signature_mismatch",
        UNKNOWN,
    ): "it looks like the token of another webhook, or a token that was copied only in "
    "part. Copy the token beside “Candidate Stage Change” in Lever again.",
    ("signature_mismatch", ""): "the secret stored here isn't the sender's. Copy it again.",
    (
        "signature_missing",
        "",
    ): "it carries no signature. In Lever, the webhook has no signature token yet, or the "
    "request didn't come from there.",
    ("signature_malformed", ""): "its signature can't be read. Something between changes the request.",
    (
        "timestamp_out_of_range",
        "",
    ): "its time is more than a few minutes off. Check the clock of this server.",
    ("no_signature_token", ""): "no signature token is stored here yet. Paste the one that Lever shows.",
    (
        "no_webhook_secret",
        "",
    ): "no webhook secret is stored here yet. Paste the one that CodeScreen gives you.",
}


def words(code: str, hint: str) -> str:
    """Return what a refusal looks like, as the end of a sentence."""
    return WORDS.get((code, hint)) or WORDS.get((code, "")) or "it could not be proven."


def note_refusal(
    organization: Organization, platform: str, code: str, body: Mapping[str, Any] | None = None
) -> None:
    """Count one refusal with what it looks like; the request itself isn't kept, and a failing count harms nothing."""
    try:
        hint = lever_hint(organization, body) if code == "signature_mismatch" and body is not None else ""
        RefusedRequest.note(organization, platform, code, hint)
    except DatabaseError:
        logger.warning("a refusal could not be counted", exc_info=True)


def lever_hint(organization: Organization, body: Mapping[str, Any]) -> str:
    """Return which of this organization's own secrets signed the body; nobody else's are ever tried."""
    signed = body.get("signature")
    if not isinstance(signed, str) or not _is_hex(signed):
        return MANGLED
    now = timezone.now()
    expired = [
        webhook.previous_signature_token
        for webhook in LeverWebhook.objects.filter(organization=organization)
        if webhook.previous_until and webhook.previous_until <= now
    ]
    if signature.matching_token(body, expired):
        return EXPIRED
    codescreen = CodeScreenConnection.objects.filter(organization=organization).first()
    if codescreen and signature.matching_token(body, [codescreen.api_key, codescreen.webhook_secret]):
        return MISPLACED
    return UNKNOWN


def _is_hex(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


def latest(organization: Organization, platform: str) -> RefusedRequest | None:
    """Return the organization's last refusal from a platform."""
    return RefusedRequest.objects.filter(organization=organization, platform=platform).first()
