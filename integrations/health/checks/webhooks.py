"""Whether webhooks can be verified, and arrive."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from integrations.core.finding_code import CODESCREEN_SETTINGS, FindingCode, Level
from integrations.core.vocabulary import Platform, WebhookEvent
from integrations.health.findings import (
    Finding,
    day,
    finding,
    lasting,
)
from integrations.health.webhook_rejections import open_rejection
from integrations.lever.models.webhook import LeverWebhook
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


SHOWN_FOR = timedelta(days=1)


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
