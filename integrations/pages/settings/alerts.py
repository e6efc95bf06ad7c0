"""Chat rooms and programs that alerts are posted to; each has a test."""

from functools import cached_property
from typing import Any

from django import forms
from django.forms import BaseForm, BoundField, Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications.acts import (
    CHOSEN,
    GONE,
    AddressSettings,
    add_address,
    change_address,
    new_secret,
    remove_address,
    send_test,
)
from integrations.notifications.models.preferences import MOST_ADDRESSES, AlertAddress
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connections import secret_field
from integrations.pages.views import ActView, OperationView, shows_secret


class AddressForm(forms.Form):
    """A chat room or a program that alerts are posted to."""

    name = forms.CharField(
        label="Name",
        max_length=60,
        help_text="For you, such as “#hiring”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = secret_field(
        "Address",
        "It begins with https://. It is kept secret: only its host is shown afterwards.",
        required=True,
    )
    wants_results = forms.BooleanField(label="Results", required=False, initial=True)
    wants_held = forms.BooleanField(label="Invitations that need approval", required=False, initial=True)
    wants_incidents = forms.BooleanField(
        label="Problems, when they begin and when they are over", required=False, initial=True
    )

    @property
    def topics(self) -> list[BoundField]:
        return [field for field in self if field.name.startswith("wants_")]


class ChangeAddressForm(AddressForm):
    """A stored address: an empty URL stays as it is."""

    is_on = forms.BooleanField(label="On: alerts are sent to it", required=False)
    url = secret_field("Address", "Leave it empty to keep the present one, which isn't shown.")
    new_secret = forms.BooleanField(
        label="Make a new signing secret",
        required=False,
        help_text="It is shown once, after saving. The present one ends at once.",
    )


@shows_secret
class AddressesView(OrganizationMixin, OperationView):
    """Show the addresses of one kind, without their secrets; add one on POST."""

    kind: AlertAddress.Kind
    form_class: type[Form]
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the addresses; their secrets aren't read."""
        addresses = list(self.organization.alert_addresses.defer("url", "secret"))
        return super().get_context_data(
            addresses=[address for address in addresses if address.kind == self.kind],
            most=MOST_ADDRESSES,
            is_full=len(addresses) >= MOST_ADDRESSES,
            **kwargs,
        )

    def operate(self, form: Form) -> str | HttpResponse:
        """Add the address. A signed one is answered with its secret, which is shown this one time."""
        address = add_address(self.organization, self.kind, AddressSettings(**form.cleaned_data), self.user)
        if address.secret:
            return self.render_to_response(self.get_context_data(form=self.form_class(), added=address))
        return f"“{address}” is added. Now send a test."


class SignedWebhooksView(AddressesView):
    """The programs that alerts are sent to."""

    kind = AlertAddress.Kind.SIGNED
    template_name = "integrations/signed_webhooks.html"
    form_class = AddressForm
    following_page = "signed-webhooks"


class _AddressMixin(OrganizationMixin):
    """A view of one address."""

    allowed_roles = SUPER_ADMINS

    @cached_property
    def address(self) -> AlertAddress:
        """The address that the path names; 404 for another organization's."""
        return get_object_or_404(self.organization.alert_addresses, pk=self.kwargs["pk"])

    def get_success_url(self) -> str:
        is_signed = self.address.kind == AlertAddress.Kind.SIGNED
        return reverse("signed-webhooks") if is_signed else f"{reverse('notification-settings')}#rooms"


@shows_secret
class ChangeAlertAddressView(_AddressMixin, OperationView):
    """Show what an address gets, and change it on POST: its name, topics, URL and secret, or whether it is on."""

    template_name = "integrations/alert_edit.html"
    form_class = ChangeAddressForm

    def get_initial(self) -> dict[str, Any]:
        """Return what was chosen of the stored address; its URL and its secret aren't shown."""
        return {name: getattr(self.address, name) for name in CHOSEN}

    def get_form(self, form_class: type[BaseForm] | None = None) -> BaseForm:
        """Return the form; only a signed webhook has a signing secret."""
        form: BaseForm = super().get_form(form_class)
        if self.address.kind != AlertAddress.Kind.SIGNED:
            del form.fields["new_secret"]
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(address=self.address, back=self.get_success_url(), **kwargs)

    def operate(self, form: Form) -> str | HttpResponse | None:
        """Save it. A new secret is shown in the answer, this one time."""
        entered = dict(form.cleaned_data)
        secret = new_secret() if entered.pop("new_secret", False) else ""
        wanted = AddressSettings(**entered, secret=secret)
        is_changed = change_address(self.address, wanted, self.user)
        if secret:
            return self.render_to_response(self.get_context_data(new_secret=secret))
        if not is_changed:
            return None
        if wanted.url:
            return f"“{wanted.name}” is saved. Now send a test to the new address."
        return f"“{wanted.name}” is saved."


class SendTestView(_AddressMixin, ActView):
    """Post a test to an address."""

    def operate(self, form: Form) -> str:
        if failure := send_test(self.address, self.user):
            raise ActionNotAllowed(f"“{self.address}” didn't accept the test: {failure}.")
        return f"“{self.address}” accepted the test. Look whether it is there."


class RemoveAlertAddressView(_AddressMixin, ActView):
    """Remove an address."""

    def operate(self, form: Form) -> str:
        """Remove it: nothing more is posted to it."""
        if not remove_address(self.address, self.user):
            raise ActionNotAllowed(GONE)
        return f"“{self.address}” is removed. Nothing more is sent to it."
