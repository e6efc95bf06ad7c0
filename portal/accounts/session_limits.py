"""The middleware that ends sessions which were ended elsewhere, rested too long or are too old."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from integrations.models import UserSession
from portal.accounts.session_rows import current_row, end_row
from portal.client_address import client_address


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
