"""Keep the row of each session: it begins at a sign-in, and each request looks whether it still holds."""

from collections.abc import Callable
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from integrations.models import UserSession
from integrations.workflow.operations.sessions import end_sessions
from portal.client_address import client_address, client_network

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


def forget_network(request: HttpRequest) -> None:
    """Let the network that this request's session began in not be one that its person is known to sign in from."""
    if (key := row_key(request)) is not None:
        UserSession.objects.filter(pk=key).update(network="")


def row_key(request: HttpRequest) -> int | None:
    """Return the key of the row of this request's session, None if it has none."""
    return cast("int | None", request.session.get(ROW_SESSION_KEY))


def current_row(request: HttpRequest) -> UserSession | None:
    """Return the row of the signed-in person's session; None when it has ended, or isn't theirs."""
    key = row_key(request)
    if key is None or not request.user.is_authenticated:
        return None
    return UserSession.objects.filter(pk=key, user_id=request.user.pk, ended_at=None).first()


class SessionLimitsMiddleware:
    """Signs a request out whose session no longer holds, and says why; records the use of one that does."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle the request. One without a session's cookie costs nothing."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in request.session:
            row = current_row(request)
            if row is None or row.is_idle or row.is_too_old:
                end_row(request)
                request.session.flush()
                request.user = AnonymousUser()
                messages.info(request, _reason(row))
            else:
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
