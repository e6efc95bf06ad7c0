"""The Django app of the project, and the admin's site, with which `integrations.admin` registers its pages."""

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.apps import AdminConfig
from django.core.management import get_commands
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver


class PortalConfig(AppConfig):
    """Registers checks, connects what follows signals, and removes Django's `test` where there are no tests."""

    name = "portal"

    def ready(self) -> None:
        from allauth.account import signals as account_signals
        from django.contrib.auth.models import User
        from django.db.backends.signals import connection_created
        from django.db.models.signals import post_save

        from portal import checks  # noqa: F401 - registers the portal's checks
        from portal.accounts import entries, middleware, single_sign_on
        from portal.database_settings import make_private

        account_signals.user_logged_in.connect(single_sign_on.bind_session)
        connection_created.connect(make_private)
        account_signals.user_logged_in.connect(entries.follow_sign_in)
        account_signals.user_logged_out.connect(entries.follow_sign_out)
        account_signals.authentication_step_completed.connect(middleware.renew_key)
        account_signals.password_changed.connect(entries.follow_changed_password)
        account_signals.password_reset.connect(entries.follow_chosen_password)
        post_save.connect(entries.follow_account, sender=User)
        if not settings.DEVELOPER_TOOLS:
            get_commands().pop("test", None)  # the table that Django caches


#: Whose pages the admin shows.
SHOWN = {"integrations", "portal", "django"}


class PortalAdminSite(AdminSite):
    """Django's site with an index by question and the portal's own pages."""

    site_header = site_title = "CodeScreen–Lever portal"
    index_title = "Records"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register a page of ours or of Django; ignore what other packages register of their own.

        django-q2's pages would execute the pickles that they show, django-allauth's would show and change secrets, and
        social-auth's tables hold nothing: Lever's grant is stored encrypted in LeverConnection.
        """
        if admin_class is not None and admin_class.__module__.partition(".")[0] in SHOWN:
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from integrations.admin.pages import addresses

        return [*addresses(), *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what people ask of the records, and below it every list."""
        from integrations.admin.pages import first_page

        return super().index(request, first_page(request) | (extra_context or {}))


class PortalAdminConfig(AdminConfig):
    """Django's admin with the portal's own index and pages."""

    default_site = "portal.apps.PortalAdminSite"
