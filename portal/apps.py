"""The Django app of the project: accounts, processes, system checks and the commands that run the portal."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import AdminConfig
from django.core.management import get_commands


class PortalConfig(AppConfig):
    """Registers checks, connects what follows signals, and removes Django's `test` where there are no tests."""

    name = "portal"

    def ready(self) -> None:
        from django.contrib.auth import signals
        from django.contrib.auth.models import User
        from django.db.models.signals import post_save

        from portal import checks  # noqa: F401
        from portal.accounts import sessions
        from portal.process import database_waits  # noqa: F401

        signals.user_logged_in.connect(sessions.begin_row)
        signals.user_logged_out.connect(sessions.end_row_at_sign_out)
        post_save.connect(sessions.end_rows_of_inactive, sender=User)
        if not settings.DEVELOPER_TOOLS:
            get_commands().pop("test", None)  # the table that Django caches


class PortalAdminConfig(AdminConfig):
    """Django's admin with the portal's own index and pages."""

    default_site = "portal.admin_site.PortalAdminSite"
