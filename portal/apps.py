"""The Django app of the project: accounts, processes, system checks and the commands that run the portal."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Connects the database time-outs when Django starts."""

    name = "portal"

    def ready(self) -> None:
        from portal.process import db_timeouts  # noqa: F401
