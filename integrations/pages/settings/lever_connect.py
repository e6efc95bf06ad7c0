"""Connecting Lever: the end of its consent, at once or after a question for another account; and disconnecting."""

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.core import signing
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.accounts.acts.fresh_proof import FreshProofMixin
from integrations.clients import provider
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import NotConnected, PlatformError
from integrations.lever.acts.connection import account_before, connect_by_consent, disconnect_lever
from integrations.lever.acts.webhooks import make_webhooks
from integrations.lever.models.connection import LeverAccess, LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.regions import Region
from integrations.members.models.membership import SUPER_ADMINS
from integrations.organizations.models.organization import Organization
from integrations.pages.access import OrganizationMixin
from integrations.pages.views import ActView, ConfirmedActView
from integrations.queue import notify
from integrations.store.encryption import encrypt, opened

#: A consent's access token lives for an hour; a page that was left open isn't answered later than this.
_WAITS_SECONDS = 1800


class Waiting:
    """What a person gave for an organization and has to say something about, in the session, encrypted like a token."""

    def __init__(self, key: str) -> None:
        self._key = key

    def keep(self, request: HttpRequest, organization: Organization, access: LeverAccess) -> None:
        """Keep it in place of what waited before."""
        sealed = encrypt(json.dumps(asdict(access)), context=self._context(organization))
        request.session[self._key] = signing.dumps(sealed, salt=self._key)

    def read(self, request: HttpRequest, organization: Organization) -> LeverAccess | None:
        """Return what waits; None when nothing does, or too long, when it leaves the session."""
        stored = request.session.get(self._key, "")
        try:
            sealed = signing.loads(stored, salt=self._key, max_age=_WAITS_SECONDS)
        except signing.BadSignature:
            self.forget(request)
            return None
        content = opened(sealed, context=self._context(organization))
        return LeverAccess(**json.loads(content)) if content else None

    def forget(self, request: HttpRequest) -> None:
        request.session.pop(self._key, None)

    def _context(self, organization: Organization) -> str:
        return f"{self._key}:{organization.pk}"


#: A consent for another account than before, and a key without the user in whose name is written.
CONSENT, KEY = Waiting("lever_access"), Waiting("lever_key")

SHARED_ACCOUNT = (
    "Another organization here is connected to the same Lever account, and both would invite its candidates. "
    "If this isn't the account you meant: disconnect, sign in to the right account in Lever, and connect again."
)


def connect_policy() -> dict[str, Any]:
    """Return the site's policy with Lever's authorization server added to `form-action`, in both regions.

    `form-action` covers the redirects after a POST: without this the browser blocks the button silently.
    """
    servers = {urlsplit(region.auth_url)._replace(path="", query="").geturl() for region in Region}
    return {
        **settings.SECURE_CSP,
        "form-action": [*settings.SECURE_CSP["form-action"], *sorted(servers)],
    }


def accept_or_ask(
    request: HttpRequest, organization: Organization, access: LeverAccess, person: User
) -> HttpResponse | None:
    """Use it; for another Lever account than before keep it aside, and return a redirect to the question."""
    CONSENT.forget(request)  # an earlier one isn't asked about any more
    if account_before(organization, access) is None:
        _use(request, organization, access, person)
        return None
    CONSENT.keep(request, organization, access)
    return redirect("lever-account")


def _use(request: HttpRequest, organization: Organization, access: LeverAccess, person: User) -> None:
    connection = connect_by_consent(organization, access, person)
    user = f"{access.user} signed in to Lever." if access.user else ""
    announce(request, connection, user, person)


def announce(request: HttpRequest, connection: LeverConnection, sentence: str, person: User) -> None:
    """Say who connected Lever. The webhook is made, what waited is decided, and Lever's lists are read."""
    organization = connection.organization
    notify.notify_workers()
    notify.request_catalog_refresh(organization)
    made = _make_webhooks(request, organization, person)
    messages.success(request, f"Lever is connected to {organization.name}. {sentence} {made}".strip())
    # not known where Lever doesn't name the account
    if connection.lever_account_id:
        same_account = LeverConnection.objects.filter(
            lever_account_id=connection.lever_account_id, state=LeverConnection.State.CONNECTED
        )
        if same_account.exclude(pk=connection.pk).exists():
            messages.warning(request, SHARED_ACCOUNT)


def _make_webhooks(request: HttpRequest, organization: Organization, person: User) -> str:
    """Make the portal's webhooks with the new connection, and return the sentence that says so.

    Not beside one that a person made. Where Lever refuses it, a message says what to do.
    """
    if LeverWebhook.objects.manual().filter(organization=organization).exists():
        return ""
    try:
        make_webhooks(organization, provider.lever_client(organization), person)
    except (NotConnected, PlatformError) as error:
        messages.warning(
            request, f"The portal could not make the webhook in Lever: {error}. Make it by hand."
        )
        return ""
    return "The webhook is made too."


class OtherLeverAccountView(OrganizationMixin, FreshProofMixin, ConfirmedActView):
    """Say that the consent is for another Lever account than before, and use it only if the person says so."""

    template_name = "integrations/other_lever_account.html"
    allowed_roles = SUPER_ADMINS
    following_page = "settings"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the question; the settings while nothing waits for an answer."""
        access = CONSENT.read(request, self.organization)
        if access is None:
            return redirect("settings")
        before = account_before(self.organization, access)
        return self.render_to_response(self.get_context_data(access=access, before=before))

    def operate(self, form: Form) -> HttpResponse:
        access = CONSENT.read(self.request, self.organization)
        CONSENT.forget(self.request)
        if access is None:
            raise ActionNotAllowed("That took too long. Connect Lever again.")
        if self.request.POST.get("act") == "use":
            _use(self.request, self.organization, access, self.user)
        else:
            messages.info(self.request, "Nothing was changed: the Lever account is the one from before.")
        return redirect("settings")


class DisconnectLeverView(OrganizationMixin, FreshProofMixin, ActView):
    """Disconnect Lever."""

    allowed_roles = SUPER_ADMINS
    page_of_form = following_page = "settings"

    def operate(self, form: Form) -> str:
        disconnect_lever(self.organization, self.user)
        return "Lever is disconnected. What arrives meanwhile is kept and decided afterwards."
