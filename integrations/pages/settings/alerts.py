"""The page about alerts: the addresses that they are posted to, each with a test, and a form for another one."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
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
    GONE,
    ChangedAddress,
    NewAddress,
    add_address,
    change_address,
    new_secret,
    remove_address,
    send_test,
)
from integrations.workflow.operations.errors import ActionNotAllowed

PAGE = "alerts"
#: What of a stored address its form shows.
_SHOWN = ("name", "is_on", "wants_results", "wants_held", "wants_incidents")


class _AddressForm(forms.Form):
    """What a new address for alerts and a stored one have in common."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="For you, such as “#hiring”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    wants_results = forms.BooleanField(label="Results", required=False, initial=True)
    wants_held = forms.BooleanField(label="Invitations that need approval", required=False, initial=True)
    wants_incidents = forms.BooleanField(
        label="Problems, when they begin and when they are over", required=False, initial=True
    )


def _url_field(help_text: str, *, required: bool = True) -> forms.CharField:
    """Return the field of a URL, which is never shown again."""
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    widget = forms.PasswordInput(render_value=False, attrs=attributes)
    return forms.CharField(
        label="Address", max_length=2000, help_text=help_text, widget=widget, required=required
    )


class AlertAddressForm(_AddressForm):
    """A new address for alerts."""

    kind = forms.ChoiceField(
        label="Kind",
        choices=AlertAddress.Kind.choices,
        help_text="A Slack message is also read by Mattermost and other Slack-compatible rooms. "
        "A signed webhook is JSON for a program of yours.",
    )
    url = _url_field("It begins with https://. It is kept secret: only its host is shown afterwards.")


class ChangeAddressForm(_AddressForm):
    """A stored address: an empty URL stays as it is."""

    is_on = forms.BooleanField(label="On: alerts are sent to it", required=False)
    url = _url_field("Leave it empty to keep the present one, which isn't shown.", required=False)
    new_secret = forms.BooleanField(
        label="Make a new signing secret",
        required=False,
        help_text="It is shown once, after saving. The present one ends at once.",
    )

    def __init__(self, data: QueryDict | None = None, *, address: AlertAddress) -> None:
        super().__init__(data, initial={name: getattr(address, name) for name in _SHOWN})
        if address.kind != AlertAddress.Kind.SIGNED:
            del self.fields["new_secret"]

    def wanted(self) -> ChangedAddress:
        """Return what the address is to be."""
        entered = dict(self.cleaned_data)
        secret = new_secret() if entered.pop("new_secret", False) else ""
        return ChangedAddress(**entered, secret=secret)


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


class _AddressView(OrganizationMixin, View):
    """A view of one address."""

    allowed_roles = SUPER_ADMINS

    def address(self) -> AlertAddress:
        """Return the address that the path names; 404 for another organization's."""
        return get_object_or_404(self.organization.alert_addresses, pk=self.kwargs["pk"])


@method_decorator(never_cache, name="dispatch")
class ChangeAlertAddressView(_AddressView, TemplateView):
    """Show what an address gets, and change it on POST: its name, topics, URL and secret, or whether it is on."""

    template_name = "integrations/alert_edit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the address and its form."""
        address = kwargs.pop("address", None) or self.address()
        context = super().get_context_data(address=address, **kwargs)
        context.setdefault("form", ChangeAddressForm(address=address))
        return context

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save it. A new secret is shown in the answer, this one time."""
        address = self.address()
        form = ChangeAddressForm(request.POST, address=address)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(address=address, form=form))
        wanted = form.wanted()
        try:
            is_changed = change_address(address, wanted, self.user)
        except ValidationError as error:
            form.add_error(None, error)
            return self.render_to_response(self.get_context_data(address=address, form=form))
        except ActionNotAllowed as error:
            messages.info(request, str(error))
            return redirect(PAGE)
        if wanted.secret:
            return self.render_to_response(self.get_context_data(new_secret=wanted.secret))
        if not is_changed:
            messages.info(request, "Nothing was changed.")
        elif wanted.url:
            messages.success(request, f"“{wanted.name}” is saved. Now send a test to the new address.")
        else:
            messages.success(request, f"“{wanted.name}” is saved.")
        return redirect(PAGE)


class SendTestView(_AddressView):
    """Post a test to an address."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Post it and say whether it was accepted."""
        address = self.address()
        if failure := send_test(address, self.user):
            messages.error(request, f"“{address}” didn't accept the test: {failure}.")
        else:
            messages.success(request, f"“{address}” accepted the test. Look whether it is there.")
            notify.notify_workers()
        return redirect(PAGE)


class RemoveAlertAddressView(_AddressView):
    """Remove an address."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove it: nothing more is posted to it."""
        address = self.address()
        if remove_address(address, self.user):
            messages.success(request, f"“{address}” is removed. Nothing more is sent to it.")
        else:
            messages.info(request, GONE)
        return redirect(PAGE)
