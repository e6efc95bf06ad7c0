"""Store and check what connects an organization's CodeScreen account: key, webhook secret, what it supports.

A new key is tried first, so that a wrong one never replaces one that works.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.catalog import lists
from integrations.clients import provider
from integrations.codescreen.models import CodeScreenConnection, mark_after_list
from integrations.codescreen.payloads import decode_secret
from integrations.http.session import PlatformError
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import Organization
from integrations.queue.waiting import requeue_waiting
from integrations.results.schedule import follow_gone_again
from integrations.store import database

#: How CodeScreen answers a key that it doesn't accept.
_REFUSED = frozenset({401, 403})


def checked_key(api_key: str) -> str:
    """Return the key without spaces around it. Raises ValidationError, with the fix, for what can't be a key."""
    api_key = api_key.strip()
    if not api_key or len(api_key) > 500 or not (api_key.isascii() and api_key.isprintable()):
        raise ValidationError(
            "Copy the whole API key from CodeScreen: plain characters, without line breaks."
        )
    return api_key


def save_codescreen_key(organization: Organization, api_key: str, actor: Actor) -> CodeScreenConnection:
    """Store CodeScreen's API key untried, and take up what waited for one. Raises ValidationError with the fix."""
    api_key = checked_key(api_key)
    with transaction.atomic():
        connection, _ = CodeScreenConnection.objects.get_or_create(organization=organization)
        if connection.api_key == api_key and connection.is_working:
            return connection
        changes = {"api_key": (connection.api_key, api_key)}
        connection.api_key = api_key
        connection.state, connection.state_reason = CodeScreenConnection.State.UNTRIED, ""
        connection.key_stored_at = database.now()
        connection.verified_at = connection.assessments_refreshed_at = None
        connection.states_results = None  # another key may be another account's
        connection.save()
        requeue_waiting(organization)
        follow_gone_again(organization)
        audit_and_tell(connection, actor, AuditAction.SAVE_CONNECTION, changes)
    return connection


def save_codescreen_webhook_secret(organization: Organization, secret: str, actor: Actor) -> None:
    """Store the secret that proves CodeScreen's webhooks; empty removes it. Raises ValidationError with the fix."""
    secret = secret.strip()
    if secret:
        try:
            decode_secret(secret)
        except ValueError as error:
            raise ValidationError(str(error)) from error
    with transaction.atomic():
        connection, _ = CodeScreenConnection.objects.get_or_create(organization=organization)
        if connection.webhook_secret == secret:
            return
        changes = {"webhook_secret": (connection.webhook_secret, secret)}
        connection.webhook_secret = secret
        connection.save(update_fields=["webhook_secret"])
        audit_and_tell(connection, actor, AuditAction.SAVE_CONNECTION, changes)


@dataclass(frozen=True)
class KeyStored:
    """The key is stored; CodeScreen listed so many assessments with it."""

    assessments: int


@dataclass(frozen=True)
class KeyStoredUntried:
    """The key is stored, but CodeScreen could not be asked whether it accepts it."""

    reason: str


@dataclass(frozen=True)
class KeyRefused:
    """CodeScreen refused the key; nothing was changed. `keeps_key`: whether a key that works is stored."""

    reason: str
    keeps_key: bool


@dataclass(frozen=True)
class KeyUntried:
    """CodeScreen could not be asked, and the stored key works: nothing was changed."""

    reason: str


type KeyOutcome = KeyStored | KeyStoredUntried | KeyRefused | KeyUntried


def replace_codescreen_key(
    organization: Organization, api_key: str, actor: Actor, *, may_be_untried: bool = False
) -> KeyOutcome:
    """Try an API key at CodeScreen and store it unless it is refused.

    One that can't be tried is stored only where no stored key works, or where a person allows it by `may_be_untried`.
    Raises ValidationError, with the fix, for what can't be a key.
    """
    api_key = checked_key(api_key)
    try:
        listed = provider.codescreen_client_with(organization, api_key).assessments()
    except PlatformError as error:
        if error.status in _REFUSED:
            return KeyRefused(str(error), keeps_key=_has_working_key(organization))
        if not may_be_untried and _has_working_key(organization):
            return KeyUntried(str(error))
        connection = save_codescreen_key(organization, api_key, actor)
        mark_after_list(connection, error.status, str(error))
        return KeyStoredUntried(str(error))
    save_codescreen_key(organization, api_key, actor)
    lists.store_assessments(organization, listed)
    return KeyStored(len(listed.assessments))


def _has_working_key(organization: Organization) -> bool:
    stored = CodeScreenConnection.objects.filter(organization=organization).first()
    return stored is not None and bool(stored.api_key) and stored.is_working
