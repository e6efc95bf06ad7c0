"""The button that reads the platforms' lists again."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import View

from integrations.clients import provider
from integrations.http.errors import PlatformError
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.pages.mappings.mapping_list import list_url
from integrations.workflow.catalog import sync


class RefreshCatalogView(OrganizationMixin, View):
    """Read the stages, roles and assessments again."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest) -> HttpResponse:
        """Refresh both platforms' lists; each platform's error becomes a message of its own."""
        self._refresh(self._refresh_lever, "Stages and roles are as Lever lists them now.")
        self._refresh(self._refresh_codescreen, "Assessments are as CodeScreen lists them now.")
        return redirect(list_url(request))

    def _refresh(self, refresh: Callable[[], None], success: str) -> None:
        try:
            refresh()
        except PlatformError as error:
            messages.error(self.request, str(error))
        else:
            messages.success(self.request, success)

    def _refresh_lever(self) -> None:
        lever = provider.lever_client(self.organization)
        sync.refresh_stages(self.organization, lever)
        sync.refresh_roles(self.organization, lever)

    def _refresh_codescreen(self) -> None:
        sync.refresh_assessments(self.organization, provider.codescreen_client(self.organization))
