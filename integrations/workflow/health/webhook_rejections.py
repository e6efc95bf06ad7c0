"""Count rejected webhook requests, and find the mistake behind them for the organization, never for the sender."""

import logging
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone

from integrations.lever import signature
from integrations.models import CodeScreenConnection, LeverWebhook, Membership, Organization, WebhookRejection
from integrations.vocabulary import RejectionCode

logger = logging.getLogger(__name__)


class LikelyMistake(StrEnum):
    """What most likely made a signature not match; stored as the hint of a rejection."""

    EXPIRED_TOKEN = "expired_token"
    RETIRED_TOKEN = "retired_token"
    MISPLACED_SECRET = "misplaced_secret"
    TOKEN_OF_ANOTHER_ORGANIZATION = "token_of_another_organization"
    ALTERED_BODY = "altered_body"
    MANGLED_SIGNATURE = "mangled_signature"
    UNKNOWN_TOKEN = "unknown_token"


MOST_TOKENS_TRIED = 20

#: How a likely mistake is described, as the end of a sentence.
MISTAKES: Mapping[str, str] = {
    LikelyMistake.EXPIRED_TOKEN: (
        "it is signed with the earlier token, which is no longer honoured. Lever still has the old webhook: copy the "
        "token it shows now, or remove that webhook in Lever."
    ),
    LikelyMistake.RETIRED_TOKEN: (
        "it is signed with a token that was retired here. Remove that webhook in Lever, or store its token again."
    ),
    LikelyMistake.TOKEN_OF_ANOTHER_ORGANIZATION: (
        "it is signed with a token of another organization that you are Super Admin of. In Lever, the webhook of that "
        "account has this organization's address: give it its own."
    ),
    LikelyMistake.ALTERED_BODY: (
        "it is signed with the right token, but its time or signature was rewritten on the way. Something between "
        "Lever and the portal, such as a proxy, changes the body: let it pass webhooks untouched."
    ),
    LikelyMistake.MISPLACED_SECRET: (
        "it is signed with what is stored here as a secret of CodeScreen. The token was pasted into the wrong field: "
        "copy it into “Signature token”."
    ),
    LikelyMistake.MANGLED_SIGNATURE: (
        "the signature isn't one that Lever makes. Something between Lever and the portal changes the request, or it "
        "didn't come from Lever."
    ),
    LikelyMistake.UNKNOWN_TOKEN: (
        "it looks like the token of another webhook, or a token that was copied only in part. Copy the token beside "
        "“Candidate Stage Change” in Lever again."
    ),
}

#: How a rejection is described when no likely mistake is known.
REJECTIONS: Mapping[str, str] = {
    RejectionCode.SIGNATURE_MISMATCH: "the secret stored here isn't the sender's. Copy it again.",
    RejectionCode.SIGNATURE_MISSING: (
        "it carries no signature. In Lever, the webhook has no signature token yet, or the request didn't come from "
        "there."
    ),
    RejectionCode.SIGNATURE_MALFORMED: "its signature can't be read. Something between changes the request.",
    RejectionCode.SIGNATURE_REUSED: (
        "one signature came with many different bodies. Somebody may have recorded a webhook: replace the signature "
        "token in Lever, and paste the new one."
    ),
    RejectionCode.TIMESTAMP_OUT_OF_RANGE: (
        "its time is more than a few minutes off. Check the clock of this server."
    ),
    RejectionCode.NO_SIGNATURE_TOKEN: (
        "no signature token is stored here yet. Paste the one that Lever shows."
    ),
    RejectionCode.NO_WEBHOOK_SECRET: (
        "no webhook secret is stored here yet. Paste the one that CodeScreen gives you."
    ),
}


def describe(code: str, hint: str) -> str:
    """Return why requests were rejected with this code and hint, as the end of a sentence."""
    mistake = MISTAKES.get(hint) if code == RejectionCode.SIGNATURE_MISMATCH else None
    return mistake or REJECTIONS.get(code) or "the reason isn't known."


def record_rejection(
    organization: Organization, platform: str, code: str, body: Mapping[str, object] | None = None
) -> None:
    """Count one rejection with the likely mistake. The request isn't stored, and a failing count is only logged."""
    try:
        if WebhookRejection.is_counted(organization, platform, code):
            return
        hint = ""
        if code == RejectionCode.SIGNATURE_MISMATCH and body is not None:
            hint = likely_mistake(organization, body)
        WebhookRejection.record(organization, platform, code, hint)
    except DatabaseError:
        logger.warning("a rejected webhook request could not be counted", exc_info=True)


def likely_mistake(organization: Organization, body: Mapping[str, object]) -> LikelyMistake:
    """Return which mistake explains the signature, as far as the organization's own Super Admins may know.

    Only the organization's own secrets are tried, and those of organizations that all of its Super Admins also run:
    nobody learns what another organization has.
    """
    webhooks = list(
        LeverWebhook.objects.filter(organization=organization).order_by("-pk")[:MOST_TOKENS_TRIED]
    )
    if signature.matching_token(_restored(body), _current_tokens(webhooks)):
        return LikelyMistake.ALTERED_BODY
    signed = body.get("signature")
    if not isinstance(signed, str) or not _is_hex_digest(signed):
        return LikelyMistake.MANGLED_SIGNATURE
    candidates = {
        LikelyMistake.EXPIRED_TOKEN: _expired_tokens(webhooks, timezone.now()),
        LikelyMistake.RETIRED_TOKEN: [
            webhook.signature_token for webhook in webhooks if webhook.retired_at is not None
        ],
        LikelyMistake.MISPLACED_SECRET: _codescreen_secrets(organization),
        LikelyMistake.TOKEN_OF_ANOTHER_ORGANIZATION: _tokens_of_shared_organizations(organization),
    }
    for mistake, tokens in candidates.items():
        if signature.matching_token(body, tokens):
            return mistake
    return LikelyMistake.UNKNOWN_TOKEN


def _restored(body: Mapping[str, object]) -> dict[str, object]:
    """Return the body as Lever may have sent it: the time a whole number, signature and token without edits."""
    restored = dict(body)
    triggered_at, signed, token = (body.get(name) for name in ("triggeredAt", "signature", "token"))
    if (isinstance(triggered_at, str) and triggered_at.strip().isdecimal() and len(triggered_at) < 20) or (
        isinstance(triggered_at, float) and triggered_at.is_integer()
    ):
        restored["triggeredAt"] = int(triggered_at)
    if isinstance(signed, str):
        restored["signature"] = signed.strip().lower()
    if isinstance(token, str):
        restored["token"] = token.strip()
    return restored


def _is_hex_digest(text: str) -> bool:
    return len(text) == 64 and all(character in "0123456789abcdef" for character in text)


def _current_tokens(webhooks: list[LeverWebhook]) -> list[str]:
    return [
        webhook.signature_token
        for webhook in webhooks
        if webhook.retired_at is None and webhook.signature_token
    ]


def _expired_tokens(webhooks: list[LeverWebhook], now: datetime) -> list[str]:
    return [
        webhook.previous_signature_token
        for webhook in webhooks
        if webhook.retired_at or (webhook.previous_until and webhook.previous_until <= now)
    ]


def _codescreen_secrets(organization: Organization) -> list[str]:
    codescreen = CodeScreenConnection.objects.filter(organization=organization).first()
    return [codescreen.api_key, codescreen.webhook_secret] if codescreen else []


def _tokens_of_shared_organizations(organization: Organization) -> list[str]:
    """Return the tokens of the other organizations whose Super Admins include all of this one's."""
    super_admins = Membership.objects.filter(role=Membership.Role.SUPER_ADMIN)
    own = set(super_admins.filter(organization=organization).values_list("user", flat=True))
    if not own:
        return []
    shared = (
        super_admins.filter(user__in=own)
        .exclude(organization=organization)
        .order_by("organization")
        .values_list("organization", flat=True)
        .annotate(number=Count("user"))
        .filter(number=len(own))
    )
    webhooks = LeverWebhook.objects.active().filter(organization__in=list(shared[:MOST_TOKENS_TRIED]))
    return _current_tokens(list(webhooks.order_by("-pk")[:MOST_TOKENS_TRIED]))


def latest(organization: Organization, platform: str) -> WebhookRejection | None:
    """Return the organization's last rejection of a request from this platform, None when there is none."""
    return WebhookRejection.objects.filter(organization=organization, platform=platform).first()
