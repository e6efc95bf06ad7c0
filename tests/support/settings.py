"""The portal's settings as read in an environment of given variables alone, and what the checks say of them."""

import os
import runpy
from pathlib import Path
from typing import Any

from django.core.checks import CheckMessage

from integrations.checks import check_encryption_keys, check_lever_app
from portal import checks
from portal.environment import Wrong
from portal.settings import env

SETTINGS = Path(__file__).resolve().parents[2] / "portal" / "settings.py"
GOOD = {
    "PORTAL_ENV_FILE": os.devnull,
    "SECRET_KEY": "0123456789" * 5,
    "FIELD_ENCRYPTION_KEYS": (KEY := "x" * 43 + "="),
    "DATABASE_URL": "sqlite:////tmp/portal.sqlite3",
    "LEVER_CLIENT_ID": "id",
    "LEVER_CLIENT_SECRET": "secret",
}
VARIABLES = tuple(env.checks)
#: Django's settings that the checks of the table look at.
READ_BY_CHECKS = (
    "CONFIGURATION_ERRORS",
    "UNSAFE_VALUES",
    "IS_HTTPS",
    "IS_LOCAL",
    "TRUSTED_PROXIES",
    "ENV_FILE_MODE",
    "REDIS_URL",
    "IS_MAIL_UNSENT",
    "IS_SENDER_UNKNOWN",
    "FIELD_ENCRYPTION_KEYS",
    "LEVER_CLIENT_ID",
    "LEVER_CLIENT_SECRET",
)

HTTPS = {
    "PORTAL_URL": "https://portal.example",
    "TRUSTED_PROXIES": "1",
    "EMAIL_URL": "smtp://mail.example",
    "DEFAULT_FROM_EMAIL": "portal@portal.example",
}
CHECKS = (
    checks.check_environment,
    checks.check_proxy,
    checks.check_env_file,
    checks.check_redis,
    checks.check_mail,
    checks.check_sender,
    check_encryption_keys,
    check_lever_app,
)


def settings_read(monkeypatch, **variables: str) -> dict[str, Any]:
    """Return the settings as read in an environment of these variables alone."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in {**GOOD, **variables}.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(SETTINGS))


def answers(monkeypatch, settings, **variables: str) -> list[CheckMessage]:
    """Return what the checks say in an environment of these variables alone."""
    read = settings_read(monkeypatch, **variables)
    for name in READ_BY_CHECKS:
        setattr(settings, name, read[name])
    return [message for check in CHECKS for message in check(None)]


def configuration_errors(monkeypatch, **variables: str) -> list[Wrong]:
    """Return what reading the settings notes in an environment of these variables alone."""
    errors: list[Wrong] = settings_read(monkeypatch, **variables)["CONFIGURATION_ERRORS"]
    return errors
