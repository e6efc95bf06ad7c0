"""Create an organization; change its name and its webhook key."""

from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    ChainHead,
    Changes,
    Organization,
    audit,
    target_of,
)
from integrations.models.former_webhook_key import KEY_OVERLAP
from integrations.models.organization import POLICIES
from integrations.workflow.health.chain.announced import BEGINS_WITH
from integrations.workflow.operations.webhook_address import (
    keep_former_key,
    refuse_key_of_another,
    store_key,
)

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
    for field in changes:
        setattr(organization, field, values[field])
    organization.full_clean()
    refuse_key_of_another(organization, organization.webhook_key)
    with transaction.atomic():
        if "webhook_key" in changes:
            keep_former_key(organization, str(changes["webhook_key"][0]), KEY_OVERLAP)
        if "name" in changes:
            organization.save(update_fields=["name"])
        if "webhook_key" in changes:
            store_key(organization)
        audit(organization, actor, AuditAction.CHANGE_ORGANIZATION, changes)
    return changes
