"""What django-allauth asks of this site about people's accounts."""

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.usersessions.adapter import DefaultUserSessionsAdapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse

from integrations.accounts.acts.fresh_proof import is_proven
from integrations.accounts.models.attempts import TooMany
from integrations.core.slots import Busy
from integrations.notifications.account_notices import tell_person
from integrations.notifications.models.email_kind import Link
from integrations.pages.access import own_page
from integrations.pages.views import count_act
from integrations.queue import notify
from integrations.store import database
from portal.accounts import entries, limits, single_sign_on
from portal.accounts.limits import client_address

WRONG = "This name or address and this password don't belong together."
#: The session's key for what ends with the password that a sign-in began with.
_BEGUN_WITH = "sign_in_begun_with"


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up: an account is made for who accepts an invitation, or by the operator."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG,
        "email_password_mismatch": WRONG,
        "incorrect_password": "That isn't your password.",
        "enter_current_password": "That isn't your present password.",
    }

    def pre_login(self, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> HttpResponse | None:
        """Return the page that refuses a person whose organization has them sign in by its provider alone."""
        is_by_provider = "sociallogin" in (kwargs["signal_kwargs"] or {})
        refusal = None if is_by_provider else single_sign_on.other_way(request, cast(User, user))
        request.session[_BEGUN_WITH] = user.get_session_auth_hash()
        return refusal or super().pre_login(request, user, **kwargs)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address as the trusted proxies say it; this machine's for a local socket."""
        return str(client_address(request) or "127.0.0.1")

    def is_safe_url(self, url: str) -> bool:
        """Whether it is a page of this site."""
        return bool(own_page(context.request, url, ""))

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Store the password alone: what somebody else changes of the account at that moment stays changed."""
        user.set_password(password)
        user.save(update_fields=["password"])

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Begin the session. One that a question for a passkey began would last minutes.

        Raises ImmediateHttpResponse where the password was changed while a second factor was awaited, and Busy.
        """
        if request.session.pop(_BEGUN_WITH, "") != user.get_session_auth_hash():
            raise ImmediateHttpResponse(redirect("account_login"))
        count_act(cast(User, user))  # it stays in the log, as does signing out
        super().login(request, user)
        request.session.set_expiry(None)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt. Raises ImmediateHttpResponse with the 429 when too many passwords were tried."""
        login = _login(credentials)
        outcome = limits.begin_attempt(request, login)
        if isinstance(outcome, TooMany):
            if limits.is_first_refusal(request, login):
                entries.record_refusal(request, login)
            raise ImmediateHttpResponse(limits.too_many(request, outcome))
        self._attempt = outcome

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Return whose password it is. A right one counts for no limit."""
        try:
            user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        except Busy:  # it wasn't looked at
            self._attempt.give_back()
            raise
        if user is not None:
            self._attempt.give_back()
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        entries.record_failure(request, _login(credentials), self._attempt.number)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not is_proven(context.request)

    def get_reauthentication_methods(self, user: AbstractBaseUser | AnonymousUser) -> list[dict[str, Any]]:
        """Return how the person proves who they are: by their second factor, if they have one, else the password."""
        methods = super().get_reauthentication_methods(user)
        return [one for one in methods if one["id"] != "reauthenticate"] or methods

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Enqueue the e-mail about a change of the account, in the change's own transaction: the outbox sends it."""
        told = {"user": user, "at": database.now(), "portal": settings.PORTAL_URL, **(context or {})}
        subject = render_to_string(f"{template_prefix}_subject.txt", told)
        message = render_to_string(f"{template_prefix}_message.txt", told)
        paragraphs = [" ".join(text.split()) for text in message.split("\n\n")]
        lines = [
            Link("", text) if text.startswith(settings.PORTAL_URL) else text for text in paragraphs if text
        ]
        if tell_person(cast(User, user), " ".join(subject.split()), lines):
            notify.notify_workers()


def _login(credentials: dict[str, Any]) -> str:
    return str(credentials.get("username") or credentials.get("email") or "")


class SessionsAdapter(DefaultUserSessionsAdapter):
    """Ends sessions of who has just proven who they are, recorded."""

    def end_sessions(self, sessions: list[UserSession]) -> None:
        """End the person's other sessions. Raises ReauthenticationRequired without a fresh proof."""
        if not is_proven(context.request):
            raise ReauthenticationRequired
        super().end_sessions(sessions)
        if sessions:
            entries.record_ended(sessions[0].user, [str(session.ip) for session in sessions])
