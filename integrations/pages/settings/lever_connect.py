"""The end of Lever's consent: the grant is used at once, or after a question when it is for another account."""

import json
from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from integrations.models import LeverConnection, Organization
from integrations.models.encrypted_field import cipher, opened
from integrations.models.membership import SUPER_ADMINS
from integrations.pages.access import OrganizationMixin
from integrations.queue import notify
from integrations.workflow.operations.lever_grant import LeverGrant, account_before, use_grant

#: The session's key for a grant that waits for an answer, encrypted like every stored token.
_WAITING_SESSION_KEY = "lever_grant"
#: The grant's access token lives for an hour; a page that was left open isn't answered later than this.
_WAITS_SECONDS = 1800

SHARED_ACCOUNT = (
    "Another organization here is connected to the same Lever account, and both would invite its candidates. "
    "If this isn't the account you meant: disconnect, sign in to the right account in Lever, and connect again."
)


def accept_or_ask(
    request: HttpRequest, organization: Organization, grant: LeverGrant, person: User
) -> HttpResponse | None:
    """Use the grant; for another Lever account than before keep it aside, and return a redirect to the question."""
    request.session.pop(_WAITING_SESSION_KEY, None)  # an earlier one isn't asked about any more
    if account_before(organization, grant) is None:
        _use(request, organization, grant, person)
        return None
    content = json.dumps({"organization": organization.pk, "grant": asdict(grant)})
    sealed = cipher().encrypt(content.encode()).decode()
    request.session[_WAITING_SESSION_KEY] = signing.dumps(sealed, salt=_WAITING_SESSION_KEY)
    return redirect("lever-account")


def _use(request: HttpRequest, organization: Organization, grant: LeverGrant, person: User) -> None:
    connection = use_grant(organization, grant, person)
    notify.notify_workers()
    notify.request_catalog_refresh(organization)
    giver = f" {grant.giver} signed in to Lever." if grant.giver else ""
    messages.success(request, f"Lever is connected to {organization.name}.{giver}")
    if _is_shared(connection):
        messages.warning(request, SHARED_ACCOUNT)


def _is_shared(connection: LeverConnection) -> bool:
    """Whether another organization uses the same Lever account; False where the token doesn't name the account."""
    if not connection.lever_account_id:
        return False
    same_account = LeverConnection.objects.filter(
        lever_account_id=connection.lever_account_id, state=LeverConnection.State.CONNECTED
    )
    return same_account.exclude(pk=connection.pk).exists()


def _waiting_grant(request: HttpRequest, organization: Organization) -> LeverGrant | None:
    """Return the grant that waits for an answer about this organization; None when none does, or too long.

    One that waited too long leaves the session.
    """
    stored = request.session.get(_WAITING_SESSION_KEY, "")
    try:
        content = opened(signing.loads(stored, salt=_WAITING_SESSION_KEY, max_age=_WAITS_SECONDS))
    except signing.BadSignature:
        request.session.pop(_WAITING_SESSION_KEY, None)
        return None
    found = json.loads(content) if content else {}
    if found.get("organization") != organization.pk:
        return None
    return LeverGrant(**found["grant"])


class OtherLeverAccountView(OrganizationMixin, TemplateView):
    """Say that the consent is for another Lever account than before, and use it only if the person says so."""

    template_name = "integrations/other_lever_account.html"
    allowed_roles = SUPER_ADMINS

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the question; the settings while nothing waits for an answer."""
        grant = _waiting_grant(request, self.organization)
        if grant is None:
            return redirect("settings")
        before = account_before(self.organization, grant)
        return self.render_to_response(self.get_context_data(grant=grant, before=before))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Use the grant, or forget it."""
        grant = _waiting_grant(request, self.organization)
        request.session.pop(_WAITING_SESSION_KEY, None)
        if grant is None:
            messages.error(request, "That took too long. Press Connect again.")
        elif request.POST.get("act") == "use":
            _use(request, self.organization, grant, self.user)
        else:
            messages.info(request, "Nothing was changed: the Lever account is the one from before.")
        return redirect("settings")
