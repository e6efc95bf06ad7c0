"""Requests refused at the door: which mistake each looks like, told to the organization and never to the sender."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone

from integrations.lever import signature
from integrations.models import CodeScreenConnection, LeverWebhook, Membership, Organization, WebhookRejection

logger = logging.getLogger(__name__)

EXPIRED, RETIRED, MISPLACED, ELSEWHERE, ALTERED, MANGLED, UNKNOWN = (
    "expired_token",
    "retired_token",
    "misplaced_secret",
    "token_of_another_organization",
    "altered_body",
    "mangled_signature",
    "unknown_token",
)
MOST_TRIED = 20

WORDS: dict[tuple[str, str], str] = {
    (
        "signature_mismatch",
        EXPIRED,
    ): "it is signed with the earlier token, which is no longer honoured. Lever still "
    "has the old webhook: copy the token it shows now, or remove that webhook in Lever.",
    (
        "signature_mismatch",
        RETIRED,
    ): "it is signed with a token that was retired here. Remove that webhook in Lever, or store its token again.",
    (
        "signature_mismatch",
        ELSEWHERE,
    ): "it is signed with a token of another organization that you are Super Admin of. In Lever, the webhook of "
    "that account has this organization's address: give it its own.",
    (
        "signature_mismatch",
        ALTERED,
    ): "it is signed with the right token, but its time or signature was rewritten on the way. Something between "
    "Lever and the portal, such as a proxy, changes the body: let it pass webhooks untouched.",
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


def describe(code: str, hint: str) -> str:
    """Return what a refusal looks like, as the end of a sentence."""
    return WORDS.get((code, hint)) or WORDS.get((code, "")) or "the reason isn't known."


def record_rejection(
    organization: Organization, platform: str, code: str, body: Mapping[str, Any] | None = None
) -> None:
    """Count one refusal with what it looks like; the request itself isn't kept, and a failing count harms nothing."""
    try:
        if WebhookRejection.is_counted(organization, platform, code):
            return
        hint = likely_mistake(organization, body) if code == "signature_mismatch" and body is not None else ""
        WebhookRejection.record(organization, platform, code, hint)
    except DatabaseError:
        logger.warning("a refusal could not be counted", exc_info=True)


def likely_mistake(organization: Organization, body: Mapping[str, Any]) -> str:
    """Return which mistake explains the signature, as far as the organization's own Super Admins may know.

    Tried are the organization's own secrets, and those of organizations that all its Super Admins run as well:
    what another organization has is never said to anybody else.
    """
    webhooks = list(LeverWebhook.objects.filter(organization=organization).order_by("-pk")[:MOST_TRIED])
    original = _unaltered(body)
    if signature.matching_token(original, _active(webhooks)):
        return ALTERED
    signed = body.get("signature")
    if not isinstance(signed, str) or not _is_hex(signed):
        return MANGLED
    now = timezone.now()
    replaced = [
        row for row in webhooks if row.retired_at or (row.previous_until and row.previous_until <= now)
    ]
    codescreen = CodeScreenConnection.objects.filter(organization=organization).first()
    mistakes = (
        (EXPIRED, [row.previous_signature_token for row in replaced]),
        (RETIRED, [row.signature_token for row in webhooks if row.retired_at]),
        (MISPLACED, [codescreen.api_key, codescreen.webhook_secret] if codescreen else []),
        (ELSEWHERE, _tokens_elsewhere(organization)),
    )
    return next((hint for hint, tokens in mistakes if signature.matching_token(body, tokens)), UNKNOWN)


def _active(webhooks: list[LeverWebhook]) -> list[str]:
    return [row.signature_token for row in webhooks if row.retired_at is None and row.signature_token]


def _unaltered(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body as Lever would have sent it, where something rewrote its number as text or its case."""
    original = dict(body)
    triggered_at, signed, token = (body.get(name) for name in ("triggeredAt", "signature", "token"))
    if (isinstance(triggered_at, str) and triggered_at.strip().isdecimal() and len(triggered_at) < 20) or (
        isinstance(triggered_at, float) and triggered_at.is_integer()
    ):
        original["triggeredAt"] = int(triggered_at)
    if isinstance(signed, str):
        original["signature"] = signed.strip().lower()
    if isinstance(token, str):
        original["token"] = token.strip()
    return original


def _tokens_elsewhere(organization: Organization) -> list[str]:
    """Return the tokens of the organizations whose Super Admins include all of this one's."""
    holders = Membership.objects.filter(role=Membership.Role.SUPER_ADMIN)
    own = set(holders.filter(organization=organization).values_list("user", flat=True))
    if not own:
        return []
    shared = (
        holders.filter(user__in=own)
        .exclude(organization=organization)
        .order_by("organization")
        .values_list("organization", flat=True)
        .annotate(number=Count("user"))
        .filter(number=len(own))
    )
    rows = LeverWebhook.objects.active().filter(organization__in=list(shared[:MOST_TRIED]))
    return _active(list(rows.order_by("-pk")[:MOST_TRIED]))


def _is_hex(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


def latest(organization: Organization, platform: str) -> WebhookRejection | None:
    """Return the organization's last refusal from a platform."""
    return WebhookRejection.objects.filter(organization=organization, platform=platform).first()
