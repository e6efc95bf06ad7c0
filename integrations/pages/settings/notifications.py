"""Who is told of what: a person's own settings, each member's e-mails, unsubscribing, and the addresses for alerts.

An address for alerts is a chat room or a program that they are posted to; each has a test.
"""

from functools import cached_property
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.forms import BaseForm, Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from integrations.accounts.models.sessions import AttemptLimit, Limit, keyed_limits
from integrations.core.vocabulary import ActionNotAllowed
from integrations.health.findings import counted
from integrations.lists import keys_of
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications import notices
from integrations.notifications.acts import (
    CHOSEN,
    GONE,
    AddressSettings,
    add_address,
    change_address,
    new_secret,
    remove_address,
    save_preferences,
    send_test,
)
from integrations.notifications.models.email_kind import EmailKind
from integrations.notifications.models.preferences import MOST_ADDRESSES, AlertAddress
from integrations.pages import times
from integrations.pages.access import OrganizationMixin
from integrations.pages.settings.connections import secret_field
from integrations.pages.views import ActView, ConfirmedActView, OperationView

PAGE = 50
#: How often one member may choose their own e-mails.
OWN_CHANGES = (Limit(10, 600.0),)


def _chosen(request: HttpRequest, prefix: str) -> dict[EmailKind, bool]:
    """Return which kinds are ticked in the form, where the boxes' names begin with `prefix`."""
    return {kind: f"{prefix}{kind}" in request.POST for kind in EmailKind}


class NotificationsView(OrganizationMixin, ConfirmedActView):
    """Which e-mails the signed-in person gets from this organization, and their time zone."""

    template_name = "integrations/notifications.html"
    following_page = "notifications"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the kinds of e-mail with the person's choices, and the time zones."""
        is_wanted = notices.preferences_of([self.membership])[self.membership.pk]
        return super().get_context_data(
            kinds=[(kind, is_wanted[kind]) for kind in EmailKind],
            address=self.user.email,
            continents=times.zones_by_continent(),
            chosen_zone=times.chosen_zone(self.request),
            **kwargs,
        )

    def operate(self, form: Form) -> str | None:
        """Store the choices, and the time zone if it was posted too.

        Each change stays in the audit log for good, so that nobody may make them without end.
        """
        posted = self.request.POST
        if refusal := AttemptLimit.refusal(keyed_limits(f"choose_emails:{self.membership.pk}", OWN_CHANGES)):
            raise ActionNotAllowed(
                f"You changed this often just now. Wait {refusal.in_words}, then try again."
            )
        zone_changed = "time_zone" in posted and times.choose_zone(self.user, posted["time_zone"])
        changed = save_preferences(self.membership, _chosen(self.request, "kind-"), self.user)
        return "Your settings are saved." if changed or zone_changed else None


class TimeZoneView(OrganizationMixin, ActView):
    """Choose the time zone for every organization's pages."""

    following_page = "notifications"
    anchor = "#times"

    def operate(self, form: Form) -> str | None:
        """Store the time zone."""
        changed = times.choose_zone(self.user, self.request.POST.get("time_zone", ""))
        return "Your time zone is stored." if changed else None


class TeamNotificationsView(OrganizationMixin, ConfirmedActView):
    """Which e-mails each member gets."""

    template_name = "integrations/notifications_team.html"
    following_page = "notifications-team"
    allowed_roles = SUPER_ADMINS

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add one page of members with their choices."""
        members = self.organization.memberships.select_related("user").order_by("user__username", "pk")
        page = Paginator(members, PAGE).get_page(self.request.GET.get("page"))
        is_wanted = notices.preferences_of(page)
        rows = [
            (member, [(kind.value, kind.label, is_wanted[member.pk][kind]) for kind in EmailKind])
            for member in page
        ]
        return super().get_context_data(page=page, rows=rows, kinds=EmailKind.choices(), **kwargs)

    def operate(self, form: Form) -> str | None:
        """Store the choices of the members that were shown; their ids are posted, so an unticked box counts."""
        shown = keys_of(self.request.POST.getlist("member")[: PAGE * 2])
        members = list(
            self.organization.memberships.filter(pk__in=shown).select_related("user", "organization")
        )
        changed = [
            member
            for member in members
            if save_preferences(member, _chosen(self.request, f"kind-{member.pk}-"), self.user)
        ]
        return f"Stored for {counted(len(changed), 'member')}." if changed else None


@method_decorator([login_not_required, csrf_exempt], name="dispatch")
class UnsubscribeView(View):
    """Unsubscribe from one kind of e-mail by the link in it: GET asks, POST does it (RFC 8058).

    The token is the proof, so neither a session nor a CSRF token is needed: a mail program has none.
    """

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask; GET changes nothing, since mail scanners open every link."""
        return self._answer(request, token, is_done=False)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Unsubscribe; safe to run twice."""
        return self._answer(request, token, is_done=True)

    def _answer(self, request: HttpRequest, token: str, *, is_done: bool) -> HttpResponse:
        unsubscription = notices.read_token(token)
        if unsubscription is None:
            return render(request, "integrations/unsubscribe.html", {"is_unknown": True}, status=404)
        member, kind = unsubscription
        if is_done:
            save_preferences(member, {kind: False}, member.user)
        context = {"about": kind.label, "sender": member.organization.name, "is_done": is_done}
        return render(request, "integrations/unsubscribe.html", context)


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


class AlertAddressForm(_AddressForm):
    """A new address for alerts."""

    kind = forms.ChoiceField(
        label="Kind",
        choices=AlertAddress.Kind.choices,
        help_text="A Slack message is also read by Mattermost and other Slack-compatible rooms. "
        "A signed webhook is JSON for a program of yours.",
    )
    url = secret_field(
        "Address",
        "It begins with https://. It is kept secret: only its host is shown afterwards.",
        required=True,
    )


class ChangeAddressForm(_AddressForm):
    """A stored address: an empty URL stays as it is."""

    is_on = forms.BooleanField(label="On: alerts are sent to it", required=False)
    url = secret_field("Address", "Leave it empty to keep the present one, which isn't shown.")
    new_secret = forms.BooleanField(
        label="Make a new signing secret",
        required=False,
        help_text="It is shown once, after saving. The present one ends at once.",
    )


@method_decorator(never_cache, name="dispatch")
class AlertsView(OrganizationMixin, OperationView):
    """Show the addresses, without their secrets; add one on POST."""

    template_name = "integrations/alerts.html"
    allowed_roles = SUPER_ADMINS
    form_class = AlertAddressForm
    following_page = "alerts"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the addresses; their secrets aren't read."""
        addresses = list(self.organization.alert_addresses.defer("url", "secret"))
        return super().get_context_data(
            addresses=addresses, most=MOST_ADDRESSES, is_full=len(addresses) >= MOST_ADDRESSES, **kwargs
        )

    def operate(self, form: Form) -> str | HttpResponse:
        """Add the address. A signed one is answered with its secret, which is shown this one time."""
        entered = dict(form.cleaned_data)
        kind = entered.pop("kind")
        address = add_address(self.organization, kind, AddressSettings(**entered), self.user)
        if address.secret:
            return self.render_to_response(self.get_context_data(form=AlertAddressForm(), added=address))
        return f"“{address}” is added. Now send a test."


class _AddressMixin(OrganizationMixin):
    """A view of one address."""

    allowed_roles = SUPER_ADMINS
    following_page = "alerts"

    @cached_property
    def address(self) -> AlertAddress:
        """The address that the path names; 404 for another organization's."""
        return get_object_or_404(self.organization.alert_addresses, pk=self.kwargs["pk"])


@method_decorator(never_cache, name="dispatch")
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
        """Add the address."""
        return super().get_context_data(address=self.address, **kwargs)

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
        """Post it and say whether it was accepted."""
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
