"""The admin's site. It stands outside `integrations.admin`, which registers its pages with it once it is made."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models import Model
from django.db.models.base import ModelBase
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver

SHOWN_APPS = {"integrations", "auth"}


class PortalAdminSite(AdminSite):
    """Django's site with an index by question and the portal's own pages."""

    site_header = site_title = "CodeScreen–Lever portal"
    index_title = "Records"
    enable_nav_sidebar = False  # thirty models beside each list would leave it little room
    index_template = "admin/integrations/index.html"

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Register a model of SHOWN_APPS; ignore what other packages register of their own.

        django-q2's pages would execute the pickles that they show, and social-auth's tables hold nothing: Lever's grant
        is stored encrypted in LeverConnection.
        """
        models = [model_or_iterable] if isinstance(model_or_iterable, ModelBase) else model_or_iterable
        shown = [model for model in models if model._meta.app_label in SHOWN_APPS]
        super().register(shown, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the portal's addresses and Django's."""
        from integrations.admin.pages import addresses  # noqa: PLC0415 - only there once this site is made

        return [*addresses(), *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show what people ask of the records, and below it every list."""
        from integrations.admin.pages import question_groups  # noqa: PLC0415 - as above

        return super().index(request, {"groups": question_groups(request), **(extra_context or {})})
