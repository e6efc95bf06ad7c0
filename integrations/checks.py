"""Numbered system checks of the integration's configuration."""

from collections.abc import Sequence

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import DatabaseError, InterfaceError

from integrations.store.encryption import sample_of_secrets

SECRETS_TRIED = 20  # of a column's oldest and newest


@register(Tags.security)
def check_encryption_keys(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a missing key, or the first that isn't a Fernet key."""
    keys = settings.FIELD_ENCRYPTION_KEYS
    if not keys:
        hint = 'Make one with: python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
        return [Error("FIELD_ENCRYPTION_KEYS is not set.", hint=hint, id="integrations.E001")]
    for position, key in enumerate(keys, 1):
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    f"FIELD_ENCRYPTION_KEYS: key {position} is not a Fernet key.",
                    hint="A Fernet key is 32 bytes in URL-safe base64, 44 characters.",
                    id="integrations.E002",
                )
            ]
    return []


@register(Tags.security)
def check_stored_secrets(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report stored secrets that no key opens; silent where there is no database to look into.

    A warning: the portal has to start, so that they can be entered again.
    """
    if check_encryption_keys(None):
        return []
    try:
        secrets = sample_of_secrets(SECRETS_TRIED)
    except (DatabaseError, InterfaceError):
        return []  # not migrated yet, or unreachable, which other parts report
    unreadable = [secret for secret in secrets if not secret.is_readable]
    if not unreadable:
        return []
    return [
        Warning(
            f"Stored secrets can't be read: no key in FIELD_ENCRYPTION_KEYS opens {len(unreadable)} of the "
            f"{len(secrets)} that were tried, among them {unreadable[0]}.",
            hint="Put the key that they were written with back into FIELD_ENCRYPTION_KEYS, after the new one. If it is "
            "lost, enter these secrets again: `manage.py doctor` says where.",
            id="integrations.W002",
        )
    ]


@register(Tags.compatibility)
def check_lever_app(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report an incomplete or missing Lever app, without which Lever is connected by API key alone."""
    if bool(settings.LEVER_CLIENT_ID) != bool(settings.LEVER_CLIENT_SECRET):
        return [
            Error(
                "Only one of LEVER_CLIENT_ID and LEVER_CLIENT_SECRET is set.",
                hint="Set both, as Lever gave them when it registered the app.",
                id="integrations.E003",
            )
        ]
    if not settings.LEVER_CLIENT_ID:
        return [
            Warning(
                "LEVER_CLIENT_ID is not set: connecting Lever by OAuth is off; by API key it works.",
                hint="For OAuth set LEVER_CLIENT_ID and LEVER_CLIENT_SECRET of an app that Lever has registered.",
                id="integrations.W001",
            )
        ]
    return []


@register(Tags.compatibility)
def check_queue(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """Report a `retry` that would let the queue hand out a task again while it still runs."""
    cluster = settings.Q_CLUSTER
    if cluster["retry"] <= cluster["timeout"]:
        return [
            Error(
                "Q_CLUSTER: retry must be greater than timeout.", hint="Raise retry.", id="integrations.E004"
            )
        ]
    return []
