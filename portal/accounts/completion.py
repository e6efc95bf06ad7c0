"""The end of a sign-in: the session begins, or a second factor is asked for first; the log's entries about it."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import SESSION_KEY, login
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare

from integrations.accounts.acts.accounts import UNKNOWN_ACTOR, record_for_nobody, record_for_person
from integrations.accounts.acts.fresh_proof import mark_strong, mark_weak, note_proof
from integrations.accounts.models.second_factors import has_second_factor
from integrations.accounts.models.sessions import AttemptLimit, Limit, keyed_digest
from integrations.audit.models.entry import AuditAction
from integrations.core.vocabulary import LabelledEnum, SecondFactor
from integrations.pages.access import without_searches
from integrations.store import database
from portal.accounts.sessions import end_row
from portal.accounts.throttle import Attempt, name_digest, remember_device
from portal.client_address import client_address, client_network

logger = logging.getLogger(__name__)

# A sign-in that waits for its second factor. It is kept in the session, whose person isn't signed in yet.


PENDING_SESSION_KEY = "pending_sign_in"
LIFETIME = timedelta(minutes=10)


class SignInMethod(LabelledEnum):
    """What proved who a person is."""

    PASSWORD = "password", "password"
    PASSWORD_LINK = "password_link", "link to choose a password"
    PASSKEY = "passkey", "passkey"


@dataclass(frozen=True)
class PendingSignIn:
    """Who has given the first proof, by which method, and where they want to go on this site."""

    user: User
    method: SignInMethod
    next_url: str


def begin(request: HttpRequest, sign_in: PendingSignIn) -> None:
    """Let a sign-in wait in the session, for LIFETIME.

    The session gets another key, so that who planted the earlier one doesn't share what comes. Another person's session
    ends: their rows and this sign-in don't mix.
    """
    if request.user.is_authenticated and request.user != sign_in.user:
        end_row(request)
        request.session.flush()
    else:
        request.session.cycle_key()
    request.session[PENDING_SESSION_KEY] = {
        "user": sign_in.user.pk,
        "hash": sign_in.user.get_session_auth_hash(),
        "method": sign_in.method.value,
        "next": without_searches(sign_in.next_url),
        "at": database.now().timestamp(),
    }


def load(request: HttpRequest) -> PendingSignIn | None:
    """Return the sign-in that waits; None when there is none, it is too old, or the person changed meanwhile.

    A new password, and a deactivated account, end it.
    """
    stored = request.session.get(PENDING_SESSION_KEY)
    if stored is None:
        return None
    age = database.now().timestamp() - stored["at"]
    user = User.objects.filter(pk=stored["user"], is_active=True).first()
    if (
        user is None
        or not 0 <= age <= LIFETIME.total_seconds()
        or not constant_time_compare(stored["hash"], user.get_session_auth_hash())
    ):
        end(request)
        return None
    return PendingSignIn(user, SignInMethod(stored["method"]), stored["next"])


def end(request: HttpRequest) -> None:
    """Forget the sign-in that waits."""
    request.session.pop(PENDING_SESSION_KEY, None)


# Audit entries about signing in: so few that nobody can flood the log by guessing.


#: Of failures in a row with one name from one place, these are recorded; each says which one it is.
RECORDED_FAILURES = frozenset({1, 10, 100, 1000})
#: Of refused attempts with one name from one place, one an hour is recorded.
REFUSALS = Limit(1, 3600.0)
#: Entries about one person, and about all names that nobody has, however many addresses they come from.
OF_ONE_PERSON = Limit(50, 600.0)
OF_UNKNOWN_NAMES = Limit(200, 600.0)


def record_failure(request: HttpRequest, username: str, attempt: Attempt) -> None:
    """Record that a password was wrong or a name unknown: the first in a row, the tenth, the hundredth and so on."""
    if attempt.number in RECORDED_FAILURES:
        changes: dict[str, tuple[object, object]] = {"failures": (0, attempt.number)}
        if attempt.is_known_device:
            changes["known_browser"] = (False, True)
        _record(request, username, AuditAction.FAIL_SIGN_IN, changes)


def record_refusal(request: HttpRequest, username: str) -> None:
    """Record that an attempt was refused because there were too many, once an hour for a name at an address."""
    key = keyed_digest(f"refused:{name_digest(username)}:{client_network(request)}")
    if not AttemptLimit.refusal({key: REFUSALS}):
        _record(request, username, AuditAction.REFUSE_SIGN_IN, {"reason": ("", "too many attempts")})


def with_address(
    request: HttpRequest, changes: dict[str, tuple[object, object]]
) -> dict[str, tuple[object, object]]:
    """Return the changes with the client's address, if it is known."""
    address = client_address(request)
    return {**changes, "address": ("", str(address))} if address else changes


def _record(
    request: HttpRequest, username: str, action: AuditAction, changes: dict[str, tuple[object, object]]
) -> None:
    user = User.objects.filter(username=username).first()
    limit = OF_ONE_PERSON if user else OF_UNKNOWN_NAMES
    key = keyed_digest(f"entries:{user.pk if user else ''}")
    if AttemptLimit.refusal({key: limit}):
        logger.warning("More failed sign-ins than are recorded in the audit log: %s", action.label)
    elif user:
        record_for_person(user, action, with_address(request, changes), actor=UNKNOWN_ACTOR)
    else:
        record_for_nobody(action, with_address(request, changes))


# The last step of every sign-in: whatever proved who a person is, their session begins here and nowhere else.


#: The session's key for how the person signed in, a SignInMethod.
METHOD_SESSION_KEY = "sign_in_method"

_PASSWORD_BACKEND = "django.contrib.auth.backends.ModelBackend"


def complete_sign_in(
    request: HttpRequest,
    user: User,
    method: SignInMethod,
    next_url: str,
    *,
    second_factor: SecondFactor | None = None,
) -> HttpResponse:
    """Begin the person's session and return the redirect to `next_url`, an address of this site.

    The caller has proven who the person is, by `method`, and where it says so by a second factor too. A person who has
    set one up and hasn't given it gets no session yet but the redirect to the page that asks for it.
    """
    sign_in = PendingSignIn(user, method, next_url)
    if second_factor is None and has_second_factor(user):
        begin(request, sign_in)
        return redirect("second-factor")
    return begin_session(request, sign_in, second_factor)


def begin_session(
    request: HttpRequest, sign_in: PendingSignIn, second_factor: SecondFactor | None
) -> HttpResponse:
    """Begin the session of a person who has given all that was asked; return the redirect to where they want to go."""
    # first: nothing is recorded of a sign-in that has no answer
    response = HttpResponseRedirect(sign_in.next_url)
    changes: dict[str, tuple[object, object]] = {"method": ("", sign_in.method.label)}
    if second_factor is not None:
        changes["second factor"] = ("", second_factor.label)
    with transaction.atomic():
        end(request)
        end_row(request)  # of another person too: their session's data doesn't outlive this
        # of the same person: Django would keep the key, and a copied cookie with it
        if SESSION_KEY in request.session:
            request.session.cycle_key()
        login(request, sign_in.user, backend=_PASSWORD_BACKEND)
        _mark(request, sign_in, second_factor)
        record_for_person(sign_in.user, AuditAction.SIGN_IN, with_address(request, changes))
    remember_device(request, response, sign_in.user.get_username())
    return response


def _mark(request: HttpRequest, sign_in: PendingSignIn, second_factor: SecondFactor | None) -> None:
    """Store in the session how it began. It lasts as long as every session."""
    request.session.set_expiry(None)  # one that a question for a passkey began lasts minutes
    request.session[METHOD_SESSION_KEY] = sign_in.method.value
    if second_factor is None:
        mark_weak(request)
    else:
        mark_strong(request, second_factor)
    note_proof(request)
