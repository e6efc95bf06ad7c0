"""The releases of the upgrade's example: this one, the one that expands a table, and the one that contracts it."""

import os
import subprocess
import sys

from django.conf import settings

from portal.devtools.processes import RunFailed

BASE, EXPAND, CONTRACT = "", "expand", "contract"
#: The last migration of each release.
LAST_MIGRATIONS = {BASE: "0001", EXPAND: "0004"}


def variables(release: str) -> dict[str, str]:
    """Return the variables that make a program that of a release."""
    module = "portal.devtools.upgrade_rehearsal.settings" if release else "portal.devtools.settings"
    return {"DJANGO_SETTINGS_MODULE": module, "PORTAL_REHEARSED_RELEASE": release}


def migrate_back(release: str, target: str, seconds: float) -> None:
    """Take the tables back from a release to those of the one before it. Raises RunFailed."""
    last = LAST_MIGRATIONS[target]
    argv = [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "integrations", last]
    env = {**os.environ, **variables(release)}
    if subprocess.run(argv, env=env, stdout=2, timeout=seconds, check=False).returncode:
        raise RunFailed(f"migrating back to {last} failed; see --log")
