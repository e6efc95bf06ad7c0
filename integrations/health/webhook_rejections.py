"""Count rejected webhook requests, and find the mistake behind them for the organization, never for the sender."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime

from django.db import DatabaseError
from django.db.models import Max

from integrations.core.vocabulary import LabelledEnum, Platform, RejectionCode
from integrations.health.models import WebhookRejection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import matching_token
from integrations.organizations.models.organization import Organization

logger = logging.getLogger(__name__)


class LikelyMistake(LabelledEnum):
    """What most likely made a signature not match, stored as the hint of a rejection; its label says what to do."""

    FORMER_TOKEN = (
        "former_token",
        (
            "It was signed with an earlier token, which is no longer valid here. Copy the token that Lever shows now "
            "into Settings, or remove the old webhook in Lever."
        ),
    )
    MISPLACED_SECRET = (
        "misplaced_secret",
        (
            "It was signed with what is saved here as CodeScreen's secret. Paste the token into “Lever Webhook "
            "Signature” instead."
        ),
    )
    MANGLED_SIGNATURE = (
        "mangled_signature",
        (
            "The signature doesn't have Lever's form. Check whether the request came from Lever, and what is between "
            "Lever and the portal, such as a proxy: webhooks must pass unchanged."
        ),
    )
    UNKNOWN_TOKEN = (
        "unknown_token",
        (
            "The token saved here isn't the one that Lever uses, or only a part of it. Copy the token beside "
            "“Candidate Stage Change” in Lever again."
        ),
    )


MOST_TOKENS_TRIED = 20
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


def describe(code: str, hint: str) -> str:
    """Return why requests were rejected with this code and hint, and what to do, as the end of a sentence."""
    return f"{short_reason(code)}. {fix(code, hint)}"


def short_reason(code: str) -> str:
    """Return why requests were rejected with this code, in a few words."""
    return RejectionCode(code).label if code in RejectionCode else "unknown reason"


def fix(code: str, hint: str) -> str:
    """Return what to do about requests that were rejected with this code and hint."""
    if code == RejectionCode.SIGNATURE_MISMATCH and hint in LikelyMistake:
        return LikelyMistake(hint).label
    if code in RejectionCode:
        return RejectionCode(code).record.fix
    return "Compare the webhook with what is saved under Settings."


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
    """Return which mistake explains the signature; only the organization's own secrets are tried."""
    signed = body.get("signature")
    if not isinstance(signed, str) or not _HEX_DIGEST.fullmatch(signed):
        return LikelyMistake.MANGLED_SIGNATURE
    # a token that still counts would have verified it
    webhooks = list(
        LeverWebhook.objects.filter(organization=organization).order_by("-pk")[:MOST_TOKENS_TRIED]
    )
    previous = [webhook.previous_signature_token for webhook in webhooks]
    retired = [webhook.signature_token for webhook in webhooks if webhook.retired_at is not None]
    if matching_token(body, [*previous, *retired]):
        return LikelyMistake.FORMER_TOKEN
    codescreen = organization.codescreen
    if codescreen and matching_token(body, [codescreen.api_key, codescreen.webhook_secret]):
        return LikelyMistake.MISPLACED_SECRET
    return LikelyMistake.UNKNOWN_TOKEN


def open_rejection(organization: Organization, platform: Platform) -> WebhookRejection | None:
    """Return the last rejection of a request from this platform; None where a later one was accepted."""
    row = WebhookRejection.objects.filter(organization=organization, platform=platform).first()
    accepted_at = _last_accepted_at(organization, platform)
    return None if row is None or (accepted_at and accepted_at > row.last_at) else row


def _last_accepted_at(organization: Organization, platform: Platform) -> datetime | None:
    if platform is Platform.CODESCREEN:
        return organization.codescreen.last_received_at if organization.codescreen else None
    webhooks = LeverWebhook.objects.active().filter(organization=organization)
    times = webhooks.aggregate(Max("last_received_at"), Max("last_verified_at")).values()
    return max(filter(None, times), default=None)
