"""The site's shell: settings, addresses, health, bootstrap and the commands that run it all."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Registers the checks of the environment."""

    name = "portal"

    def ready(self) -> None:
        from portal.process import db_timeouts  # noqa: F401
