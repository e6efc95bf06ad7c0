"""People's sessions: how long they last, the names of their browsers, and the page that lists and ends them."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from integrations.accounts.acts.accounts import end_sessions, record_for_person
from integrations.accounts.acts.fresh_proof import proof_wanted
from integrations.accounts.models.sessions import UserSession
from integrations.audit.models.entry import AuditAction
from integrations.lists import is_key
from integrations.pages.views import HEADER as LIVE_PART
from integrations.pages.views import ConfirmedActView
from portal.client_address import client_address, client_network
from portal.middleware import Middleware

#: The session's key for the key of its row.
ROW_SESSION_KEY = "user_session"


def begin_row(sender: object, request: HttpRequest, user: User, **kwargs: object) -> None:
    """Begin a row when a person signs in, and end the row of the session that this one takes the place of."""
    end_row(request)
    address, now = client_address(request), timezone.now()
    row = UserSession.objects.create(
        user=user,
        began_at=now,
        last_used_at=now,
        address=str(address) if address else None,
        network=client_network(request),
        browser=browser_name(request.headers.get("User-Agent", "")),
    )
    request.session[ROW_SESSION_KEY] = row.pk


def end_row_at_sign_out(sender: object, request: HttpRequest, **kwargs: object) -> None:
    """End the row when a person signs out; the session's data is still there then."""
    end_row(request)


def end_rows_of_inactive(sender: object, instance: User, **kwargs: object) -> None:
    """End all sessions of a person who may no longer sign in."""
    if not instance.is_active:
        end_sessions(instance)


def end_row(request: HttpRequest) -> None:
    """End the row of this request's session, if it has one."""
    if (key := row_key(request)) is not None:
        UserSession.objects.filter(pk=key).end()


def row_key(request: HttpRequest) -> int | None:
    """Return the key of the row of this request's session, None if it has none."""
    return cast("int | None", request.session.get(ROW_SESSION_KEY))


def current_row(request: HttpRequest) -> UserSession | None:
    """Return the row of the signed-in person's session; None when it has ended, or isn't theirs."""
    key = row_key(request)
    if key is None or not request.user.is_authenticated:
        return None
    return UserSession.objects.filter(pk=key, user_id=request.user.pk, ended_at=None).first()


class SessionLimitsMiddleware(Middleware):
    """Signs a request out whose session no longer holds, and says why; records the use of one that does."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request. One without a session's cookie costs nothing."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            row = current_row(request)
            if row is None or row.is_idle or row.is_too_old:
                end_row(request)
                request.session.flush()
                request.user = AnonymousUser()
                messages.info(request, _reason(row))
            elif LIVE_PART not in request.headers:  # a page that updates itself isn't a person who uses it
                address = client_address(request)
                row.record_use(str(address) if address else None)
        return self.get_response(request)


def _reason(row: UserSession | None) -> str:
    if row is None:
        return "Your session was ended: you signed out elsewhere, or your password or account changed. Sign in again."
    if row.is_too_old:
        return (
            f"You were signed out: a session lasts {settings.SESSION_MAX_HOURS} hours at most. Sign in again."
        )
    return f"You were signed out after {settings.SESSION_IDLE_HOURS} hours without use. Sign in again."


#: What a browser writes into `User-Agent`, the most telling first: most of them also claim to be others.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """Return words such as "Firefox on Windows" for a `User-Agent`; never a part of what a client sent."""
    browser = _first(_BROWSERS, user_agent) or "Unknown browser"
    system = _first(_SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for mark, name in names if mark in user_agent), "")


#: More sessions than these aren't listed; ending all others ends them too.
MAX_LISTED = 100


class SessionsView(ConfirmedActView):
    """List the signed-in person's sessions; end one of them, or all others."""

    template_name = "accounts/sessions.html"
    following_page = "sessions"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        current = row_key(self.request)
        days, hours = divmod(settings.SESSION_MAX_HOURS, 24)
        rows = sorted(self._live()[:MAX_LISTED], key=lambda row: row.pk != current)
        return super().get_context_data(
            sessions=rows,
            current=current,
            idle_hours=settings.SESSION_IDLE_HOURS,
            max_hours=settings.SESSION_MAX_HOURS,
            max_days=days if hours == 0 and days >= 2 else 0,
            **kwargs,
        )

    def operate(self, form: Form) -> str | HttpResponse:
        """End the session that the form names, or all others, after a fresh proof. Somebody else's is never found."""
        request = self.request
        if wanted := proof_wanted(request, reverse("sessions")):
            return wanted
        others = self._live().exclude(pk=row_key(request))
        named = request.POST.get("session", "")
        chosen = others if "others" in request.POST else others.filter(pk=int(named) if is_key(named) else 0)
        with transaction.atomic():
            ended = [
                f"{row.browser} from {row.address}" if row.address else row.browser
                for row in chosen[:MAX_LISTED]
            ]
            count = chosen.end()
            if count:
                changes: dict[str, tuple[object, object]] = {"sessions": (", ".join(ended)[:500], "ended")}
                record_for_person(cast(User, request.user), AuditAction.END_SESSIONS, changes)
        if count:
            return "The session was ended." if count == 1 else f"{count} sessions were ended."
        messages.info(request, "There was no such session any more.")
        return redirect("sessions")

    def _live(self) -> Any:
        return UserSession.objects.filter(user=cast(User, self.request.user)).live()
