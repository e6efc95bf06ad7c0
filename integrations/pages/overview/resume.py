"""The button that ends a pause."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.models import Organization
from integrations.models.membership import ADMINS
from integrations.pages.access import OrganizationMixin, return_url
from integrations.queue import notify
from integrations.workflow.operations.policies import set_policies


class ResumeView(OrganizationMixin):
    """End the organization's pause: what waited for that is decided now."""

    allowed_roles = ADMINS
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """End it, and say so; nothing changes if it was ended already."""
        if set_policies(Organization.objects.get(pk=self.organization.pk), {"paused": False}, self.user):
            notify.notify_workers()
            messages.success(request, "The pause has ended. What waited is decided now.")
        else:
            messages.info(request, "The pause had ended already.")
        return redirect(return_url(request, "/"))
