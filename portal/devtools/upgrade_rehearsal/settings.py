"""The portal's settings as the next release would have them, or the one after: PORTAL_REHEARSED_RELEASE."""

import os

from portal.devtools.settings import *  # noqa: F403
from portal.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "portal.devtools.upgrade_rehearsal"]
MIGRATION_MODULES = {
    "integrations": f"portal.devtools.upgrade_rehearsal.{os.environ['PORTAL_REHEARSED_RELEASE']}.migrations",
    "upgrade_rehearsal": None,
}
