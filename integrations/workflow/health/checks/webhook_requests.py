"""Whether requests to the webhook addresses are rejected, or still come to an address that will end."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from integrations.finding_code import FindingCode, Level
from integrations.models import FormerWebhookKey, LeverWebhook, Organization, WebhookRejection
from integrations.vocabulary import Platform
from integrations.workflow.health import webhook_rejections
from integrations.workflow.health.findings import CODESCREEN_SETTINGS, WEBHOOK_SETTINGS, Finding
from integrations.workflow.health.wording import day, lasting

SHOWN_FOR = timedelta(days=1)
_PAGES = {Platform.LEVER: WEBHOOK_SETTINGS, Platform.CODESCREEN: CODESCREEN_SETTINGS}
ENDS_SOON = timedelta(days=2)
#: Lever tries a failed webhook again for a while, at the address that it began with.
STILL_USED_WITHIN = timedelta(days=1)


def check_rejections(organization: Organization) -> Iterator[Finding]:
    """Yield, for each platform, why the last request was rejected; worth knowing once others are accepted."""
    recent = WebhookRejection.objects.filter(
        organization=organization, last_at__gt=timezone.now() - SHOWN_FOR
    )
    last = {rejection.platform: rejection for rejection in recent.order_by("last_at")}
    for name, rejection in last.items():
        platform = Platform(name)
        accepted_at = _last_accepted_at(organization, platform)
        is_over = accepted_at is not None and accepted_at > rejection.last_at
        ago = lasting((timezone.now() - rejection.last_at).total_seconds())
        why = webhook_rejections.short_reason(rejection.code)
        if is_over:
            message = (
                f"We rejected a message from {platform.label} {ago} ago: {why}. Later ones were accepted."
            )
            fix = f"Check whether a second webhook in {platform.label} uses this address."
        else:
            message = f"We rejected {platform.label}'s last message {ago} ago: {why}."
            fix = f"{webhook_rejections.cure(rejection.code, rejection.hint)} Then send a test from {platform.label}."
        if rejection.count > 1:
            message += f" This happened {rejection.count} times."
        yield Finding(
            organization.slug,
            FindingCode.WEBHOOK_REJECTED,
            Level.INFO if is_over else Level.WARNING,
            message,
            fix,
            _PAGES[platform],
        )


def _last_accepted_at(organization: Organization, platform: Platform) -> datetime | None:
    """Return when a request from the platform was last verified."""
    if platform is Platform.CODESCREEN:
        return organization.codescreen.last_received_at if organization.codescreen else None
    webhooks = LeverWebhook.objects.active().filter(organization=organization)
    times = [
        at
        for row in webhooks.values_list("last_received_at", "last_verified_at")
        for at in row
        if at is not None
    ]
    return max(times, default=None)


def check_former_addresses(organization: Organization) -> Iterator[Finding]:
    """Yield the former webhook addresses that are still used."""
    now = timezone.now()
    keys = FormerWebhookKey.objects.honoured().filter(
        organization=organization, last_used_at__gt=now - STILL_USED_WITHIN
    )
    for former in keys.exclude(key=organization.webhook_key):
        used = lasting((now - (former.last_used_at or now)).total_seconds())
        yield Finding(
            organization.slug,
            FindingCode.FORMER_ADDRESS_USED,
            Level.ERROR if former.until - now < ENDS_SOON else Level.WARNING,
            f"Webhooks still arrive at the old address that ends in {former}, the last one {used} ago. The address "
            f"works until {day(former.until)}. After that, what arrives there is rejected.",
            "Copy the new webhook address from Settings into the webhook in Lever or CodeScreen. If the portal made "
            "the webhook, use the button there.",
            WEBHOOK_SETTINGS,
        )
