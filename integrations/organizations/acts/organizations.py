"""Create an organization; change its name, keys and policies; take up what waited for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.audit.models.audited_rows import audit, target_of
from integrations.audit.models.chain_head import ChainHead
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.audit.verification import BEGINS_WITH
from integrations.catalog import lists
from integrations.core.vocabulary import ActionNotAllowed
from integrations.inbox.models.delivery import Delivery
from integrations.lever.client import LeverClient
from integrations.organizations.models.organization import POLICIES, SECURITY, Organization, make_webhook_key
from integrations.organizations.models.webhook_keys import KEY_OVERLAP, FormerWebhookKey
from integrations.outbox.models import Effect
from integrations.queue.models.duty_run import DutyRun
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
        former = Organization.objects.lock(organization.pk).webhook_key
        honoured = FormerWebhookKey.objects.honoured().filter(organization=organization)
        if honoured.count() >= MAX_HONOURED:
            raise ValidationError(
                f"There are {MAX_HONOURED} former addresses already. End one of them first."
            )
        _store_key(organization, former, make_webhook_key(), overlap)
        changes = {
            "webhook_key": (former, organization.webhook_key),
            "former_address_honoured_days": (None, overlap.days),
        }
        audit(organization, actor, AuditAction.REPLACE_WEBHOOK_ADDRESS, changes)


def _store_key(organization: Organization, former: str, key: str, overlap: timedelta) -> None:
    """Store a new key, and honour the former one for `overlap`: the last change before the caller's audit entry.

    The caller holds the organization's lock. PostgreSQL checks foreign keys at COMMIT. Who writes to the log holds the
    chain's head then, and waits for who changes the organization's key. Who changed it first and then waited for the
    head would make that a deadlock.
    """
    FormerWebhookKey.objects.update_or_create(
        key=former,
        defaults={
            "organization": organization,
            "replaced_at": database.now(),
            "until": database.now() + overlap,
            "last_used_at": None,
        },
    )
    ChainHead.objects.lock(organization.pk)
    organization.webhook_key = key
    organization.save(update_fields=["webhook_key"])


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
    with transaction.atomic():
        former = Organization.objects.lock(organization.pk).webhook_key
        if (
            "webhook_key" in changes and former == changed.webhook_key
        ):  # another request has stored it meanwhile
            organization.webhook_key = former
            del changes["webhook_key"]
        if not changes:
            return {}
        if "name" in changes:
            organization.name = changed.name
            organization.save(update_fields=["name"])
        if "webhook_key" in changes:
            changes["webhook_key"] = (former, changed.webhook_key)
            _store_key(organization, former, changed.webhook_key, KEY_OVERLAP)
        audit(organization, actor, AuditAction.CHANGE_ORGANIZATION, changes)
    return changes


# Take up what waited for an organization: for the end of its pause, or for a connection.


def requeue_waiting(organization: Organization) -> int:
    """Make the deliveries, effects and duties that waited due now; return how many deliveries there were."""
    count = Delivery.objects.requeue(organization)
    Effect.objects.requeue(organization)
    DutyRun.objects.requeue(organization.pk)
    return count


# The policies of an organization.


def is_less_secure(organization: Organization, values: Mapping[str, object]) -> bool:
    """Whether these policies would end a requirement about security: the person must have proven who they are."""
    return any(getattr(organization, name) and not values.get(name, True) for name in SECURITY)


def set_policies(
    organization: Organization, values: Mapping[str, object], actor: Actor, feedback_author_name: str = ""
) -> Changes:
    """Store policies; return what changed. The end of a pause requeues what waited for it.

    `feedback_author_name` is what Lever calls a new author of feedback, if it was asked.

    Raises ValidationError with the fix, by field.
    """
    unknown = set(values) - set(POLICIES)
    if unknown:
        raise ValidationError(f"No such policy: {', '.join(sorted(unknown))}.")
    changes = {
        name: (getattr(organization, name), value)
        for name, value in values.items()
        if getattr(organization, name) != value
    }
    if not changes:
        return {}
    changed = organization.changed({name: values[name] for name in changes})
    lists.refuse_inviting_target(changed, changes)
    stored = {name: getattr(changed, name) for name in changes}
    if "feedback_author" in changes:  # what Lever said of the earlier one goes
        stored |= {"feedback_author_name": feedback_author_name, "feedback_author_gone": False}
    for name, value in stored.items():
        setattr(organization, name, value)
    with transaction.atomic():
        organization.save(update_fields=list(stored))
        if "paused" in changes and not organization.paused:
            requeue_waiting(organization)
        audit(organization, actor, AuditAction.CHANGE_POLICIES, changes)
    return changes


def choose_feedback_author(organization: Organization, lever: LeverClient, user_id: str, actor: Actor) -> str:
    """Store the author with the name that Lever gives; empty means the person who connected. Return the name.

    Raises ActionNotAllowed for somebody who isn't an active user in Lever, and PlatformError.
    """
    name = ""
    if user_id:
        author = next((user for user in lever.active_users() if user.id == user_id), None)
        if author is None:
            raise ActionNotAllowed("Lever doesn't list that user as active: choose another.")
        name = author.name[:300]
    if not set_policies(organization, {"feedback_author": user_id}, actor, feedback_author_name=name):
        # the same author, who may have another name by now or be active again
        Organization.objects.filter(pk=organization.pk).update(
            feedback_author_name=name, feedback_author_gone=False
        )
    return name
