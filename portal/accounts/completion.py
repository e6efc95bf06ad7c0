"""The last step of every sign-in: whatever proved who a person is, their session begins here and nowhere else."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.models import AuditAction, IdentityProvider
from integrations.models.open_memberships import PROVIDER_SESSION_KEY
from integrations.vocabulary import LabelledEnum
from integrations.workflow.operations.account_entries import record_for_person
from portal.accounts.known_device import remember_device
from portal.accounts.session_rows import end_row
from portal.accounts.sign_in_entries import with_address

#: The session's key for how the person signed in, a SignInMethod.
METHOD_SESSION_KEY = "sign_in_method"

_PASSWORD_BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInMethod(LabelledEnum):
    """What proved who a person is."""

    PASSWORD = "password", "password"
    PASSWORD_LINK = "password_link", "link to choose a password"
    SINGLE_SIGN_ON = "single_sign_on", "single sign-on"


def complete_sign_in(
    request: HttpRequest,
    user: User,
    method: SignInMethod,
    next_url: str,
    provider: IdentityProvider | None = None,
) -> HttpResponse:
    """Begin the person's session and return the redirect to `next_url`, an address of this site.

    The caller has proven who the person is, by `method`; for single sign-on, `provider` vouched for them, and the
    session opens its organization alone.
    """
    with transaction.atomic():
        end_row(request)  # of whoever is signed in here: their session's data doesn't outlive this
        login(request, user, backend=_PASSWORD_BACKEND)
        request.session[METHOD_SESSION_KEY] = method.value
        request.session.pop(PROVIDER_SESSION_KEY, None)  # left by an earlier session of the same person
        if provider is not None:
            request.session[PROVIDER_SESSION_KEY] = provider.pk
        record_for_person(user, AuditAction.SIGN_IN, with_address(request, {"method": ("", method.label)}))
    response = redirect(next_url)
    remember_device(request, response, user.get_username())
    return response
