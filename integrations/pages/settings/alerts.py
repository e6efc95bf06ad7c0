"""The page about alerts: the addresses that they are posted to, each with a test, and a form for another one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView, View

from integrations.models import AlertAddress
from integrations.models.alert_address import MOST_ADDRESSES
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.queue import notify
from integrations.workflow.operations.alert_addresses import (
    NewAddress,
    add_address,
    remove_address,
    send_test,
)

PAGE = "alerts"
GONE = "The address was removed before."


class AlertAddressForm(forms.Form):
    """A new address for alerts."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="For you, such as “#hiring”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=AlertAddress.Kind.choices,
        help_text="A Slack message is also read by Mattermost and other Slack-compatible rooms. "
        "A signed webhook is JSON for a program of yours.",
    )
    url = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="It begins with https://. It is kept secret: only its host is shown afterwards.",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    wants_results = forms.BooleanField(label="Results", required=False, initial=True)
    wants_held = forms.BooleanField(label="Invitations that need approval", required=False, initial=True)
    wants_incidents = forms.BooleanField(
        label="Problems, when they begin and when they are over", required=False, initial=True
    )


@method_decorator(never_cache, name="dispatch")
class AlertsView(OrganizationMixin, TemplateView):
    """Show the addresses, without their secrets; add one on POST."""

    template_name = "integrations/alerts.html"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the addresses; their secrets aren't read."""
        addresses = list(self.organization.alert_addresses.defer("url", "secret"))
        context = super().get_context_data(**kwargs)
        context.setdefault("form", AlertAddressForm())
        return {
            **context,
            "addresses": addresses,
            "most": MOST_ADDRESSES,
            "is_full": len(addresses) >= MOST_ADDRESSES,
        }

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add the address. A signed one is answered with its secret, which is shown this one time."""
        form = AlertAddressForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        try:
            address = add_address(self.organization, NewAddress(**form.cleaned_data), self.user)
        except ValidationError as error:
            form.add_error(None, error)
            return self.render_to_response(self.get_context_data(form=form))
        if address.secret:
            return self.render_to_response(self.get_context_data(added=address))
        messages.success(request, f"“{address}” is added. Now send a test.")
        return redirect(PAGE)


class _AddressAction(OrganizationMixin, View):
    """A button beside an address."""

    http_method_names = ["post"]
    allowed_roles = SUPER_ADMINS

    def address(self) -> AlertAddress:
        """Return the address that the path names; 404 for another organization's."""
        return get_object_or_404(self.organization.alert_addresses, pk=self.kwargs["pk"])


class SendTestView(_AddressAction):
    """Post a test to an address."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Post it and say whether it was accepted."""
        address = self.address()
        if failure := send_test(address, self.user):
            messages.error(request, f"“{address}” didn't accept the test: {failure}.")
        else:
            messages.success(request, f"“{address}” accepted the test. Look whether it is there.")
            notify.notify_workers()
        return redirect(PAGE)


class RemoveAlertAddressView(_AddressAction):
    """Remove an address."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove it: nothing more is posted to it."""
        address = self.address()
        if remove_address(address, self.user):
            messages.success(request, f"“{address}” is removed. Nothing more is sent to it.")
        else:
            messages.info(request, GONE)
        return redirect(PAGE)
