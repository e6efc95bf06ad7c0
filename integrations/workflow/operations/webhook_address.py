"""The key in an organization's webhook addresses: replace it, and end a former one.

A former key is honoured for a while, so that no webhook is refused before its sender knows the new address.
"""

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    ChainHead,
    FormerWebhookKey,
    Organization,
    audit,
    db_clock,
)
from integrations.models.organization import make_webhook_key

#: As many addresses as an organization may have at the same time, beside the present one.
MAX_HONOURED = 10


def replace_webhook_key(organization: Organization, overlap: timedelta, actor: Actor) -> None:
    """Give the organization's webhook addresses a new key; the one before is honoured for `overlap`.

    Raises ValidationError with the fix when too many former keys are honoured.
    """
    with transaction.atomic():
        current = Organization.objects.lock(organization.pk)
        honoured = FormerWebhookKey.objects.honoured().filter(organization=organization)
        if honoured.count() >= MAX_HONOURED:
            raise ValidationError(
                f"There are {MAX_HONOURED} former addresses already. End one of them first."
            )
        former, organization.webhook_key = current.webhook_key, make_webhook_key()
        keep_former_key(organization, former, overlap)
        changes = {
            "webhook_key": (former, organization.webhook_key),
            "former_address_honoured_days": (None, overlap.days),
        }
        store_key(organization)
        audit(organization, actor, AuditAction.REPLACE_WEBHOOK_ADDRESS, changes)


def store_key(organization: Organization) -> None:
    """Store the organization's new key, as the last change before the audit entry of the caller's transaction.

    PostgreSQL checks foreign keys at COMMIT. Who writes to the log holds the chain's head then, and waits for who
    changes the organization's key. Who changed it first and then waited for the head would make that a deadlock.
    """
    ChainHead.objects.lock(organization.pk)
    organization.save(update_fields=["webhook_key"])


def keep_former_key(organization: Organization, key: str, overlap: timedelta) -> None:
    """Honour a key that is being replaced for `overlap`. The caller's transaction stores the new one."""
    FormerWebhookKey.objects.update_or_create(
        key=key,
        defaults={
            "organization": organization,
            "replaced_at": db_clock.now(),
            "until": db_clock.now() + overlap,
            "last_used_at": None,
        },
    )


def refuse_key_of_another(organization: Organization, key: str) -> None:
    """Raise ValidationError by field when another organization had this key: its senders may still use it."""
    if FormerWebhookKey.objects.filter(key=key).exclude(organization=organization.pk).exists():
        raise ValidationError({"webhook_key": "Organization with this Webhook key already exists."})


def honoured_former_keys(organization: Organization) -> list[FormerWebhookKey]:
    """Return the former keys whose addresses still work, the latest first."""
    keys = FormerWebhookKey.objects.honoured().filter(organization=organization)
    return list(keys.exclude(key=organization.webhook_key))


def end_former_key(former: FormerWebhookKey, actor: Actor) -> None:
    """Refuse webhooks to a former address from now on. Safe to run twice."""
    with transaction.atomic():
        if former.end():
            name = f"Former webhook address {former}"
            audit(former.organization, actor, AuditAction.END_WEBHOOK_ADDRESS, name=name)
