"""The last step of every sign-in: whatever proved who a person is, their session begins here and nowhere else."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect

from integrations.models import AuditAction, IdentityProvider
from integrations.models.open_memberships import PROVIDER_SESSION_KEY
from integrations.recent_sign_in import note_proof
from integrations.session_strength import mark_strong, mark_weak
from integrations.vocabulary import LabelledEnum, SecondFactor
from integrations.workflow.operations.account_entries import record_for_person
from integrations.workflow.operations.second_factor import has_second_factor
from portal.accounts.known_device import remember_device
from portal.accounts.second_factor import pending_sign_in
from portal.accounts.session_rows import end_row, forget_network
from portal.accounts.sign_in_entries import with_address

#: The session's key for how the person signed in, a SignInMethod.
METHOD_SESSION_KEY = "sign_in_method"

_PASSWORD_BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInMethod(LabelledEnum):
    """What proved who a person is."""

    PASSWORD = "password", "password"
    PASSWORD_LINK = "password_link", "link to choose a password"
    PASSKEY = "passkey", "passkey"
    SINGLE_SIGN_ON = "single_sign_on", "single sign-on"


def complete_sign_in(
    request: HttpRequest,
    user: User,
    method: SignInMethod,
    next_url: str,
    provider: IdentityProvider | None = None,
    *,
    second_factor: SecondFactor | None = None,
) -> HttpResponse:
    """Begin the person's session and return the redirect to `next_url`, an address of this site.

    The caller has proven who the person is, by `method`, and where it says so by a second factor too. For single
    sign-on, `provider` vouched for them; whether that counts as a second factor is its organization's to say. A person
    who has set one up and hasn't given it gets no session yet but the redirect to the page that asks for it.
    """
    if provider is not None and provider.counts_as_second_factor:
        second_factor = SecondFactor.SINGLE_SIGN_ON
    provider_id = provider.pk if provider else None
    if second_factor is None and has_second_factor(user):
        pending_sign_in.begin(request, user, method.value, next_url, provider_id)
        return redirect("second-factor")
    return begin_session(request, user, method, next_url, second_factor, provider_id)


def begin_session(
    request: HttpRequest,
    user: User,
    method: SignInMethod,
    next_url: str,
    second_factor: SecondFactor | None,
    provider_id: int | None = None,
) -> HttpResponse:
    """Begin the session of a person who has given all that was asked; return the redirect to `next_url`.

    A session that a provider began opens its organization alone. It says nothing about the password either: the browser
    and the network that it began in don't become ones from which passwords may be tried within limits of their own.
    """
    response = HttpResponseRedirect(next_url)  # first: nothing is recorded of a sign-in that has no answer
    changes: dict[str, tuple[object, object]] = {"method": ("", method.label)}
    if second_factor is not None:
        changes["second factor"] = ("", second_factor.label)
    with transaction.atomic():
        pending_sign_in.end(request)
        end_row(request)  # of another person too: their session's data doesn't outlive this
        login(request, user, backend=_PASSWORD_BACKEND)
        _mark(request, method, second_factor, provider_id)
        if provider_id is not None:
            forget_network(request)
        record_for_person(user, AuditAction.SIGN_IN, with_address(request, changes))
    if provider_id is None:
        remember_device(request, response, user.get_username())
    return response


def _mark(
    request: HttpRequest, method: SignInMethod, second_factor: SecondFactor | None, provider_id: int | None
) -> None:
    """Store in the session how it began: what it opens depends on that. It lasts as long as every session."""
    request.session.set_expiry(None)  # one that a question for a passkey began lasts minutes
    request.session[METHOD_SESSION_KEY] = method.value
    request.session.pop(PROVIDER_SESSION_KEY, None)  # left by an earlier session of the same person
    if provider_id is not None:
        request.session[PROVIDER_SESSION_KEY] = provider_id
    if second_factor is None:
        mark_weak(request)
    else:
        mark_strong(request, second_factor)
    if provider_id is None or second_factor not in {None, SecondFactor.SINGLE_SIGN_ON}:
        # a provider may vouch for somebody who gave it no proof for days, such as the thief of a browser's session
        note_proof(request)
