"""Create an organization; change its name and its webhook key; end a former key."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.audit.models.audited_rows import audit, target_of
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.audit.verification import BEGINS_WITH
from integrations.organizations.models.organization import POLICIES, Organization, make_webhook_key
from integrations.organizations.models.webhook_keys import KEY_OVERLAP, FormerWebhookKey
from integrations.store import database

# The key in an organization's webhook addresses: replace it, and end a former one.
#
# A former key is honoured for a while, so that no webhook is refused before its sender knows the new address.


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
            "replaced_at": database.now(),
            "until": database.now() + overlap,
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


# Create an organization; change its name and its webhook key.


#: What can be changed of an organization beside its policies.
IDENTITY = ("name", "webhook_key")


def create_organization(organization: Organization, actor: Actor) -> None:
    """Store a new organization. Raises ValidationError by field."""
    before = Organization(name="", slug="", webhook_key="")
    changes = {
        field: (getattr(before, field), getattr(organization, field))
        for field in ("slug", *IDENTITY, *POLICIES)
        if getattr(before, field) != getattr(organization, field)
    }
    organization.full_clean()
    refuse_key_of_another(organization, organization.webhook_key)
    with transaction.atomic():
        organization.save()
        audit(organization, actor, AuditAction.CREATE_ORGANIZATION, changes)
        # the portal's own log knows it too: else it could be removed with its log, and nothing would be missing
        begin = ChainHead.objects.get(pk=organization.pk)
        audit(
            replace(target_of(organization), organization_id=None),
            actor,
            AuditAction.CREATE_ORGANIZATION,
            {BEGINS_WITH: (None, str(begin))},
        )


def change_organization(organization: Organization, values: Mapping[str, str], actor: Actor) -> Changes:
    """Store a name and a webhook key; return what changed. Raises ValidationError by field.

    A webhook key that is replaced is honoured for KEY_OVERLAP.
    """
    changes = {
        field: (getattr(organization, field), values[field])
        for field in IDENTITY
        if field in values and getattr(organization, field) != values[field]
    }
    if not changes:
        return {}
    changed = organization.changed({field: values[field] for field in changes})
    refuse_key_of_another(organization, changed.webhook_key)
    for field in changes:
        setattr(organization, field, getattr(changed, field))
    with transaction.atomic():
        if "webhook_key" in changes:
            keep_former_key(organization, str(changes["webhook_key"][0]), KEY_OVERLAP)
        if "name" in changes:
            organization.save(update_fields=["name"])
        if "webhook_key" in changes:
            store_key(organization)
        audit(organization, actor, AuditAction.CHANGE_ORGANIZATION, changes)
    return changes
