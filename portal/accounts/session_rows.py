"""Keep the row of each session: it begins at a sign-in, and each request looks whether it still holds."""

from typing import cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from integrations.models import UserSession
from integrations.workflow.operations.sessions import end_sessions
from portal.accounts.browser_names import browser_name
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
