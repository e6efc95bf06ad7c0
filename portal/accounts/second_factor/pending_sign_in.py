"""A sign-in that waits for its second factor. It is kept in the session, whose person isn't signed in yet."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from integrations.models import db_clock
from integrations.pages.access import without_searches
from portal.accounts.session_rows import end_row

PENDING_SESSION_KEY = "pending_sign_in"
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class PendingSignIn:
    """Who has given the first proof, by which SignInMethod's value and provider, and where they want to go."""

    user: User
    method: str
    next_url: str
    provider_id: int | None = None


def begin(
    request: HttpRequest, user: User, method: str, next_url: str, provider_id: int | None = None
) -> None:
    """Let a sign-in wait in the session, for LIFETIME.

    The session gets another key, so that who planted the earlier one doesn't share what comes. Another person's session
    ends: their rows and this sign-in don't mix.
    """
    if request.user.is_authenticated and request.user != user:
        end_row(request)
        request.session.flush()
    else:
        request.session.cycle_key()
    request.session[PENDING_SESSION_KEY] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "method": method,
        "next": without_searches(next_url),
        "provider": provider_id,
        "at": db_clock.now().timestamp(),
    }


def load(request: HttpRequest) -> PendingSignIn | None:
    """Return the sign-in that waits; None when there is none, it is too old, or the person changed meanwhile.

    A new password, and a deactivated account, end it.
    """
    stored = request.session.get(PENDING_SESSION_KEY)
    if stored is None:
        return None
    age = db_clock.now().timestamp() - stored["at"]
    user = User.objects.filter(pk=stored["user"], is_active=True).first()
    if (
        user is None
        or not 0 <= age <= LIFETIME.total_seconds()
        or not constant_time_compare(stored["hash"], user.get_session_auth_hash())
    ):
        end(request)
        return None
    return PendingSignIn(user, stored["method"], stored["next"], stored["provider"])


def end(request: HttpRequest) -> None:
    """Forget the sign-in that waits."""
    request.session.pop(PENDING_SESSION_KEY, None)
