"""What a session that an organization's provider began may not do, whatever its person may."""

import re

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integrations.members.models.membership import PROVIDER_SESSION_KEY, Membership
from integrations.single_sign_on.acts.identities import Refusal
from integrations.single_sign_on.models import IdentityProvider
from portal.middleware import Middleware

#: Pages that change how the person signs in, to all their organizations.
GUARDED = ("/account/password/", "/account/second-factor/", "/admin/password_change/")
#: Where a person accepts another organization's invitation without its link.
ANSWER = re.compile(r"/account/memberships/\d+/answer/")


class SingleSignOnSessionMiddleware(Middleware):
    """Keeps what opens a person's other organizations out of the reach of one organization's provider.

    The people who run the provider could otherwise add a passkey to the account and use it elsewhere. And no provider
    may sign in a person as an operator of the portal.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """End an operator's session; refuse the guarded pages; pass on everything else."""
        provider_id = request.session.get(PROVIDER_SESSION_KEY)
        if provider_id is None or not isinstance(request.user, User):
            return self.get_response(request)
        if request.user.is_superuser:
            logout(request)
            messages.error(request, Refusal.OPERATOR.label)
            return redirect("login")
        is_guarded = request.path.startswith(GUARDED) and not _needs_factor_here(request.user, provider_id)
        if is_guarded or ANSWER.fullmatch(request.path):
            return render(request, "accounts/single_sign_on_guarded.html", status=403)
        return self.get_response(request)


def _needs_factor_here(user: User, provider_id: int) -> bool:
    """Whether the person belongs to this organization alone and its provider doesn't count as second factor."""
    provider = IdentityProvider.objects.filter(pk=provider_id, counts_as_second_factor=False).first()
    if provider is None:
        return False
    return not Membership.objects.elsewhere(user, provider.organization_id).exists()
