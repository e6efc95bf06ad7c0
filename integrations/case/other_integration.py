"""What shows that CodeScreen's own Lever integration may be on too: it would invite the same people a second time.

While it may be, `Organization.pause` says so and nothing is sent, until a Super Admin has said that it is off. What is
seen after that counts again.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.models.entry import AuditAction
from integrations.audit.record import audit
from integrations.organizations.models.organization import Organization

CODESCREEN_DOMAIN = "codescreen.com"
#: Who says in the log that it may be on again.
PORTAL = "the portal"


def leads_to_codescreen(url: str) -> bool:
    """Whether a webhook's address is one of CodeScreen's."""
    address = urlsplit(url)
    host = (address.hostname or "").rstrip(".")
    is_its_domain = host == CODESCREEN_DOMAIN or host.endswith(f".{CODESCREEN_DOMAIN}")
    return is_its_domain or address.netloc == urlsplit(settings.CODESCREEN_API_URL).netloc


def record_webhooks(organization: Organization, urls: Iterable[str]) -> None:
    """Record whether Lever lists a webhook for stage changes that leads to CodeScreen; `urls` are those it lists."""
    is_listed = any(map(leads_to_codescreen, urls))
    if is_listed and organization.other_webhook_since is None:
        _record(organization, "other_webhook_since", "a webhook in Lever leads to CodeScreen")
    elif not is_listed and organization.other_webhook_since is not None:
        Organization.objects.filter(pk=organization.pk).update(other_webhook_since=None)


def record_tag(organization: Organization) -> None:
    """Record that somebody who just moved has a progress tag that no invitation here explains."""
    _record(organization, "other_tag_at", "a progress tag in Lever that the portal didn't set")


def _record(organization: Organization, column: str, why: str) -> None:
    with transaction.atomic():
        was_off = Organization.objects.lock(organization.pk).other_integration_off
        rows = Organization.objects.filter(pk=organization.pk)
        rows.update(**{column: Now(), "other_integration_off": False})
        if was_off:
            changes: dict[str, tuple[object, object]] = {"other_integration_off": (True, False)}
            audit(organization, PORTAL, AuditAction.CHANGE_POLICIES, changes, why)
