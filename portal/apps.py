"""The Django app of the project: accounts, processes, system checks and the commands that run the portal."""

from django.apps import AppConfig
from django.conf import settings
from django.core.management import get_commands


class PortalConfig(AppConfig):
    """Registers the checks, connects the database time-outs, removes Django's `test` where there are no tests."""

    name = "portal"

    def ready(self) -> None:
        from portal import checks  # noqa: F401
        from portal.process import db_timeouts  # noqa: F401

        if not settings.DEVELOPER_TOOLS:
            get_commands().pop("test", None)  # the table that Django caches
