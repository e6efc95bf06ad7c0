"""Whether the organization's stored secrets can be read."""

from collections.abc import Iterator

from django.db import models

from integrations.core.finding_code import FindingCode, Level
from integrations.health.findings import SETTINGS, Finding, listed
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization
from integrations.store.columns import EncryptedTextField, UnreadableSecret, encrypted_fields


def check_secrets(organization: Organization) -> Iterator[Finding]:
    """Yield which secrets no key in FIELD_ENCRYPTION_KEYS opens."""
    unreadable = [
        f"{column.verbose_name} of {row._meta.verbose_name} “{row}”"
        for row in _rows(organization)
        for column in _unreadable_columns(row)
    ]
    if not unreadable:
        return
    yield Finding(
        organization.slug,
        FindingCode.UNREADABLE_SECRET,
        Level.ERROR,
        f"Stored secrets can't be read, because no key in FIELD_ENCRYPTION_KEYS opens them: {listed(unreadable)}. "
        "What needs them waits. Webhooks that they would verify are answered 503, so their senders try again later.",
        "Ask the portal's operator to put the earlier encryption key back into FIELD_ENCRYPTION_KEYS, after the new "
        "one. If it is lost, a Super Admin enters the secrets again under Settings. For Lever's tokens, connect Lever "
        "again.",
        SETTINGS,
    )


def _rows(organization: Organization) -> Iterator[models.Model]:
    """Yield the organization's rows of every model that has an encrypted column."""
    for model in dict.fromkeys(column.model for column in encrypted_fields()):
        if any(field.related_model is Organization for field in model._meta.concrete_fields):
            yield from model._base_manager.filter(organization=organization).select_related("organization")


def _unreadable_columns(row: models.Model) -> list[EncryptedTextField]:
    """Return the columns that can't be read, without those of tokens that verify nothing any more."""
    columns = [column for column in row._meta.concrete_fields if isinstance(column, EncryptedTextField)]
    if isinstance(row, LeverWebhook):
        active = row.unreadable_tokens if row.retired_at is None else []
        return [column for column in columns if column.name in active]
    return [column for column in columns if isinstance(column.value_from_object(row), UnreadableSecret)]
