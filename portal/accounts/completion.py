"""The last step of every sign-in: whatever proved who a person is, their session begins here and nowhere else."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integrations.models import IdentityProvider
from integrations.models.open_memberships import PROVIDER_SESSION_KEY
from integrations.vocabulary import LabelledEnum

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
    login(request, user, backend=_PASSWORD_BACKEND)
    request.session[METHOD_SESSION_KEY] = method.value
    request.session.pop(PROVIDER_SESSION_KEY, None)  # left by an earlier session of the same person
    if provider is not None:
        request.session[PROVIDER_SESSION_KEY] = provider.pk
    return redirect(next_url)
