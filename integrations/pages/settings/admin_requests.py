"""Ask the Super Admins for what one's own role may not do."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.pages.access import OrganizationMixin
from integrations.queue import notify
from integrations.workflow.email import admin_requests


class AskAdminsView(OrganizationMixin, View):
    """Send the Super Admins one e-mail with what is asked for."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask, and say to whom it goes."""
        wish, words = request.POST.get("wish", ""), request.POST.get("words", "").replace("\x00", "")
        try:
            if self.membership.may_connect:
                raise ValueError("You are a Super Admin yourself.")
            admins = admin_requests.send_request(self.membership, wish, words)
        except ValueError as error:
            messages.error(request, str(error))
        else:
            notify.notify_workers()
            names = " and ".join(admin.user.get_full_name() or str(admin.user) for admin in admins)
            messages.success(request, f"Your request is on its way to {names}.")
        return redirect(reverse("settings") + "#ask")
