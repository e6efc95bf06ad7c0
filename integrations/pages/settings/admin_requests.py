"""Ask the Super Admins for what one's own role may not do."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.pages.access import OrganizationMixin
from integrations.queue import notify
from integrations.workflow.email.admin_requests import Refusal, send_request


class AskAdminsView(OrganizationMixin, View):
    """Send the Super Admins one e-mail with the member's request."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send the request and name its recipients, or say why it isn't sent."""
        if self.membership.may_connect:
            messages.error(request, "You are a Super Admin yourself.")
            return self._back()
        message = request.POST.get("message", "")
        outcome = send_request(self.membership, request.POST.get("request", ""), message)
        if isinstance(outcome, Refusal):
            messages.error(request, outcome.value)
        else:
            notify.notify_workers()
            users = [super_admin.user for super_admin in outcome.recipients]
            names = " and ".join(user.get_full_name() or str(user) for user in users)
            messages.success(request, f"Your request is on its way to {names}.")
        return self._back()

    def _back(self) -> HttpResponse:
        return redirect(reverse("settings") + "#ask")
