"""What the settings page's buttons share that call a platform."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.http.errors import PlatformError
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin, return_url
from integrations.queue import notify


class PlatformActionView(OrganizationMixin, View):
    """Call a platform, show the outcome as a message, and return to the page the form was on."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS
    #: The part of the settings page to return to.
    anchor = ""

    def post(self, request: HttpRequest) -> HttpResponse:
        """Perform the action; a platform's error becomes a message."""
        try:
            messages.success(request, self.perform())
            notify.notify_workers()
        except PlatformError as error:
            messages.error(request, str(error))
        return redirect(return_url(request, reverse("settings") + self.anchor))

    def perform(self) -> str:
        """Do it and return the message. Raises PlatformError with the reason."""
        raise NotImplementedError
