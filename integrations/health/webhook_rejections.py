"""Count rejected webhook requests, and find the mistake behind them for the organization, never for the sender."""

import logging
import re
from collections.abc import Mapping
from datetime import datetime

from django.db import DatabaseError
from django.db.models import Max

from integrations.core.vocabulary import LikelyMistake, Platform, RejectionCode
from integrations.health.models import WebhookRejection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import matching_token
from integrations.organizations.models.organization import Organization

logger = logging.getLogger(__name__)


MOST_TOKENS_TRIED = 20
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


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
