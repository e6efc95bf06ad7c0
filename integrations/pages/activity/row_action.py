"""What all buttons on the activity pages share."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.generic import View

from integrations.http.errors import PlatformError
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin, return_url
from integrations.pages.activity.action_forms import ReasonForm
from integrations.queue import notify
from integrations.workflow.operations.errors import ActionNotAllowed


class RowActionView(OrganizationMixin, View):
    """Do one thing to one row, show the outcome as a message, and return to the page the form was on."""

    http_method_names = ["post"]
    allowed_roles = ADMINS

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Perform the action; when the row's state or a platform doesn't allow it, show the reason."""
        try:
            messages.success(request, self.perform(pk))
            notify.notify_workers()
        except (ActionNotAllowed, PlatformError) as error:
            messages.error(request, str(error))
        return redirect(return_url(request, reverse("activity")))

    def perform(self, pk: int) -> str:
        """Do it and return the message. Raises ActionNotAllowed or PlatformError with the reason."""
        raise NotImplementedError

    def reason(self) -> str:
        """Return the reason that the person gave."""
        form = ReasonForm(self.request.POST)
        return str(form.cleaned_data["reason"]) if form.is_valid() else ""
