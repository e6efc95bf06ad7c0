"""What holds for each request of a signed-in person: how long a session lasts, and which proofs its pages want."""

from datetime import timedelta
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.admin.base import waits_for_second_factor
from integrations.pages.access import second_factor_address
from integrations.pages.views import HEADER as LIVE_PART
from portal.accounts.limits import client_address
from portal.middleware import Middleware

#: How often at most the time of a session's last use is written.
SEEN_EVERY = timedelta(minutes=1)


class SessionLimitsMiddleware(Middleware):
    """Signs a request out whose session no longer holds, and says why; records the use of one that does.

    A page that updates itself isn't a person who uses it.
    """

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request. One without a session's cookie costs nothing."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            row = UserSession.objects.filter(session_key=request.session.session_key).first()
            if reason := _why_over(row):
                request.session.flush()
                request.user = AnonymousUser()
                messages.info(request, f"{reason} Sign in again.")
            elif row and LIVE_PART not in request.headers:
                _record_use(row, request)
        return self.get_response(request)


def _why_over(row: UserSession | None) -> str:
    """Return why the session no longer holds, empty while it does."""
    if row is None:
        return "Your session was ended: you signed out elsewhere, or your password or account changed."
    now = timezone.now()
    if now - row.created_at >= timedelta(hours=settings.SESSION_MAX_HOURS):
        return f"You were signed out: a session lasts {settings.SESSION_MAX_HOURS} hours at most."
    if now - row.last_seen_at >= timedelta(hours=settings.SESSION_IDLE_HOURS):
        return f"You were signed out after {settings.SESSION_IDLE_HOURS} hours without use."
    return ""


def _record_use(row: UserSession, request: HttpRequest) -> None:
    now = timezone.now()
    if now - row.last_seen_at >= SEEN_EVERY:
        address = client_address(request) or row.ip
        UserSession.objects.filter(pk=row.pk).update(last_seen_at=now, ip=str(address))


def renew_key(
    sender: object, request: HttpRequest, *, reauthenticated: bool = False, **kwargs: object
) -> None:
    """Give the session another key after a fresh proof: who copied the cookie before gets no part of it."""
    if reauthenticated:
        row = UserSession.objects.filter(session_key=request.session.session_key)
        request.session.cycle_key()
        row.update(session_key=request.session.session_key)


class ProofMiddleware(Middleware):
    """Sends people from allauth's pages and the admin's to the proof that is wanted first."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Redirect where one of allauth's pages wants a fresh proof; it would keep what a form holds in the session."""
        if isinstance(exception, ReauthenticationRequired) and request.user.is_authenticated:
            return proof_wanted(request, request.get_full_path())
        return None

    def process_view(self, request: HttpRequest, view: object, args: Any, kwargs: Any) -> HttpResponse | None:
        """Redirect staff without a second factor from the admin's pages."""
        match = request.resolver_match
        is_admin = match is not None and match.app_names[:1] == ["admin"] and match.url_name != "logout"
        if not is_admin or not (request.user.is_authenticated and request.user.is_staff):
            return None
        return redirect(second_factor_address(request)) if waits_for_second_factor(request) else None
