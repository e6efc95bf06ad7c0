"""Whether webhooks can be verified, and arrive; which are rejected, and why, for the organization alone."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Max
from django.db.models.functions import Now

from integrations.core.finding_code import CODESCREEN_SETTINGS, FindingCode, Level
from integrations.core.vocabulary import LikelyMistake, Platform, RejectionCode, WebhookEvent
from integrations.health.findings import (
    Finding,
    day,
    finding,
    lasting,
)
from integrations.health.models import COUNT_EVERY, WebhookRejection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.payloads import matching_token
from integrations.organizations.models.organization import Organization
from integrations.store import database


def check_webhooks(organization: Organization) -> Iterator[Finding]:
    """Yield what keeps Lever's stage changes from arriving."""
    webhooks = LeverWebhook.objects.active().filter(organization=organization)
    if not webhooks.active_tokens():
        if any(webhook.unreadable_tokens for webhook in webhooks):
            return  # health/checks/set_up.py says so
        yield finding(
            FindingCode.NO_WEBHOOK,
            "No signature token is stored, so every webhook from Lever is rejected.",
            "Paste the signature token from Lever's webhook under Settings, or let the portal make the webhook.",
            level=Level.ERROR,
        )
        return
    active = list(webhooks)
    yield from _check_removed(active)
    if not any(webhook.last_received_at for webhook in active if webhook.event == WebhookEvent.STAGE_CHANGE):
        yield _nothing_received(active)


def _nothing_received(webhooks: Sequence[LeverWebhook]) -> Finding:
    if any(webhook.last_verified_at for webhook in webhooks):
        return finding(
            FindingCode.NO_WEBHOOK,
            "Lever's test request arrived, but no stage change yet.",
            "Move a test candidate into a CodeScreen stage.",
            level=Level.INFO,
        )
    message = "No webhook has arrived from Lever yet."
    fix = "In Lever, open Settings › Integrations and API › Webhooks, check the address and press Verify Connection."
    if any(webhook.origin == LeverWebhook.Origin.API for webhook in webhooks):
        message += " A webhook that the portal made sends nothing until its event is switched on in Lever."
        fix = (
            "In Lever, open Settings › Integrations and API › Webhooks and switch on Candidate Stage Change."
        )
    return finding(FindingCode.NO_WEBHOOK, message, fix)


def _check_removed(webhooks: Sequence[LeverWebhook]) -> Iterator[Finding]:
    """Yield the webhooks that are no longer in Lever; only worth knowing while another one still delivers."""
    for webhook in webhooks:
        since = webhook.missing_since
        if since is None:
            continue
        another_delivers = any(
            other.last_received_at and other.last_received_at > since for other in webhooks
        )
        origin = "that the portal made" if webhook.origin == LeverWebhook.Origin.API else "made by hand"
        yield finding(
            FindingCode.WEBHOOK_REMOVED,
            f"The webhook {origin} was removed in Lever. It has been missing since {day(since)}.",
            "Under Settings, let the portal make it again. Or add it in Lever by hand and save its token.",
            level=Level.INFO if another_delivers else Level.ERROR,
        )


# Rejected requests: nothing of a request itself is stored.


SHOWN_FOR = timedelta(days=1)
MOST_TOKENS_TRIED = 20
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")

logger = logging.getLogger(__name__)


def check_rejections(organization: Organization) -> Iterator[Finding]:
    """Yield, for each platform, why the last request was rejected, unless that was long ago or others are accepted."""
    for platform in (Platform.LEVER, Platform.CODESCREEN):
        rejection = open_rejection(organization, platform)
        if rejection is None or rejection.last_at < database.now() - SHOWN_FOR:
            continue
        ago = lasting((database.now() - rejection.last_at).total_seconds())
        message = f"We rejected {platform.label}'s last message {ago} ago: {rejection.reason}."
        if rejection.count > 1:
            message += f" This happened {rejection.count} times."
        yield finding(
            FindingCode.WEBHOOK_REJECTED,
            message,
            f"{rejection.fix} Then send a test from {platform.label}.",
            page=CODESCREEN_SETTINGS if platform is Platform.CODESCREEN else None,
        )


def record_rejection(
    organization: Organization, platform: str, code: str, body: Mapping[str, object] | None = None
) -> None:
    """Count one rejection with the likely mistake. The request isn't stored, and a failing count is only logged."""
    try:
        same = WebhookRejection.objects.filter(organization=organization, platform=platform, code=code)
        if same.filter(last_at__gte=Now() - COUNT_EVERY).exists():
            return  # nor is the cause looked for
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
