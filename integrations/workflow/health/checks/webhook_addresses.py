"""Whether webhooks still come to an address that will end."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from integrations.models import FormerWebhookKey, Organization
from integrations.workflow.health.checks.addresses import WEBHOOK_SETTINGS
from integrations.workflow.health.findings import Finding, FindingCode, Level
from integrations.workflow.health.wording import day, lasting

ENDS_SOON = timedelta(days=2)
#: Lever tries a failed webhook again for a while, at the address that it began with.
STILL_USED_WITHIN = timedelta(days=1)


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
