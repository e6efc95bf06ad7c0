"""Connecting Lever by an API key: the key and its region first, then in whose name is written."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from integrations.accounts.acts.fresh_proof import FreshProofMixin
from integrations.clients import provider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.lever.acts.connection import checked_key, connect_by_key
from integrations.lever.models.connection import LeverAccess
from integrations.lever.oauth import scopes_of
from integrations.lever.permissions import boxes, refused_scopes
from integrations.lever.regions import Region
from integrations.members.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin, own_page, return_url
from integrations.pages.settings.connection_state import scopes_for_key
from integrations.pages.settings.connections import LeverKeyForm, SettingsFormView
from integrations.pages.settings.lever_connect import KEY, announce
from integrations.pages.views import ConfirmedActView


class LeverKeyView(SettingsFormView):
    """Try a key; one that Lever accepts waits for the user in whose name is written. Nothing is stored yet."""

    form_class = LeverKeyForm
    form_name = "lever_key_form"
    error_field = "lever_api_key"
    anchor = "#lever"

    def operate(self, form: forms.Form) -> HttpResponse:
        region = form.cleaned_data.get("lever_region", Region.WORLDWIDE.value)
        access = LeverAccess(api_key=checked_key(form.cleaned_data["lever_api_key"]), region=region)
        try:
            provider.lever_client_with(self.organization, access).active_users()
        except PlatformError as error:
            raise ValidationError(_why_unusable(error)) from error
        KEY.keep(self.request, self.organization, access)
        follows = urlencode({"next": return_url(self.request, reverse("settings"))})
        return redirect(f"{reverse('lever-key-author')}?{follows}")


def _why_unusable(error: PlatformError) -> str:
    """Return why a key can't be used, with the fix."""
    if error.status == 401:
        elsewhere = " or choose the other region" if Region.is_chosen() else ""
        return (
            f"Lever refuses this key. Copy the whole key again{elsewhere}; a deleted one never works again."
        )
    if error.status == 403:
        return (
            "This key may not list Lever's users, and the author is one of them. Make a key in Lever that has the "
            f"box “{boxes('users:read:admin')}” too."
        )
    return f"Lever could not be asked whether it accepts this key ({error}). Try again in a minute."


class LeverKeyAuthorView(OrganizationMixin, FreshProofMixin, ConfirmedActView):
    """Show what the key lacks and ask in whose name is written; connect on POST."""

    template_name = "integrations/lever_key.html"
    allowed_roles = SUPER_ADMINS
    following_page = "lever-key-author"

    def get_success_url(self) -> str:
        """Return this page, which asks again after an error."""
        return self.request.get_full_path()

    @property
    def page_afterwards(self) -> str:
        """The page that the key was entered on."""
        return own_page(self.request, self.request.GET.get("next", ""), reverse("settings"))

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the question; the settings while no key waits, or when Lever doesn't answer."""
        access = KEY.read(request, self.organization)
        if access is None:
            return redirect("settings")
        lever = provider.lever_client_with(self.organization, access)
        try:
            users = lever.active_users()
            refused = refused_scopes(lever, scopes_of(attaches_files=self.organization.attach_report))
        except PlatformError as error:
            messages.error(request, _why_unusable(error))
            return redirect("settings")
        before = self.organization.lever
        known = {user.id for user in users}
        return self.render_to_response(
            self.get_context_data(
                users=users,
                own_address=self.user.email.casefold(),
                before=before,
                is_other=bool(before and before.lever_user_id and before.lever_user_id not in known),
                scopes=scopes_for_key(self.organization, refused),
                refused=refused,
            )
        )

    def operate(self, form: forms.Form) -> HttpResponse:
        access = KEY.read(self.request, self.organization)
        if access is None:
            raise ActionNotAllowed("That took too long. Enter the API key again.")
        if self.request.POST.get("act") == "cancel":
            KEY.forget(self.request)
            messages.info(self.request, "Nothing was changed: the key is forgotten.")
            return redirect(self.page_afterwards)
        user_id = self.request.POST.get("author", "")
        if not user_id:
            raise ActionNotAllowed(
                "Choose in whose name the portal writes: an API key has no user of its own."
            )
        connection = connect_by_key(self.organization, access, user_id, self.user)
        KEY.forget(self.request)
        written = f"Feedback and notes are written in the name of {connection.user}."
        announce(self.request, connection, written, self.user)
        return redirect(self.page_afterwards)
