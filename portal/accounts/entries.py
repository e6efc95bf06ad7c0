"""The audit log's entries about signing in: they follow allauth's and Django's signals, and failed attempts."""

import logging
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from integrations.accounts.acts.accounts import (
    UNKNOWN_ACTOR,
    follow_new_password,
    forget_other_addresses,
    record_for_nobody,
    record_for_person,
)
from integrations.accounts.acts.second_factors import NAMES
from integrations.accounts.models.attempts import AttemptLimit, Limit, keyed_digest
from integrations.audit.models.entry import AuditAction
from integrations.members.end_access import end_sessions
from portal.accounts.backend import find_account
from portal.accounts.limits import client_address

logger = logging.getLogger(__name__)

type Changes = dict[str, tuple[object, object]]

#: What the log calls the ways to prove who one is, by allauth's names for them.
METHODS = {
    "password": "password",
    "password_reset": "link to choose a password",
    "socialaccount": "single sign-on",
    "passwordless": "passkey",
}

#: Of failures in a row with one name from one network, these are recorded; each says which one it is.
RECORDED_FAILURES = frozenset({1, 10, 100, 1000})
#: Entries about one person, and about all names that nobody has, however many addresses they come from.
OF_ONE_PERSON = Limit(50, 600.0)
OF_UNKNOWN_NAMES = Limit(200, 600.0)


def follow_sign_in(sender: object, request: HttpRequest, user: User, **kwargs: object) -> None:
    """Record the sign-in with what proved it; by no record of allauth's it was an invitation's link."""
    changes: Changes = {"method": ("", "link of an invitation")}
    for record in get_authentication_records(request, user):
        if record["method"] == "mfa" and not record.get("passwordless"):
            changes["second factor"] = ("", NAMES[record["type"]])
        else:
            name = "passwordless" if record.get("passwordless") else record["method"]
            changes["method"] = ("", METHODS[name])
    record_for_person(user, AuditAction.SIGN_IN, with_address(request, changes))


def follow_sign_out(sender: object, request: HttpRequest, user: User | None, **kwargs: object) -> None:
    """Record the sign-out."""
    if user is not None:
        record_for_person(user, AuditAction.SIGN_OUT, with_address(request, {}))


def follow_changed_password(sender: object, request: HttpRequest, user: User, **kwargs: object) -> None:
    """Record the new password, and end the person's other sessions."""
    details = with_address(request, {})
    follow_new_password(user, AuditAction.CHANGE_PASSWORD, details, keep=request.session.session_key)


def follow_chosen_password(sender: object, request: HttpRequest, user: User, **kwargs: object) -> None:
    """Record the password that was chosen through a link, and end the person's sessions."""
    follow_new_password(user, AuditAction.RESET_PASSWORD, with_address(request, {}))


def follow_account(sender: object, instance: User, update_fields: Any = None, **kwargs: object) -> None:
    """End the sessions of an account that was made inactive, and forget the proof of an address it no longer has."""
    if update_fields is not None and not {"email", "is_active"} & set(update_fields):
        return
    forget_other_addresses(instance)
    if not instance.is_active:
        end_sessions(instance)


def record_ended(user: User, places: list[str]) -> None:
    """Record that the person ended other sessions of theirs."""
    record_for_person(user, AuditAction.END_SESSIONS, {"sessions": (", ".join(places)[:500], "ended")})


def record_failure(request: HttpRequest, login: str, number: int) -> None:
    """Record that a password was wrong or a name unknown: the first in a row, the tenth, the hundredth and so on."""
    if number in RECORDED_FAILURES:
        _record(request, login, AuditAction.FAIL_SIGN_IN, {"failures_in_a_row": ("", number)})


def record_wrong_passkey(request: HttpRequest) -> None:
    """Record that a passkey which was to sign somebody in wasn't accepted."""
    _record(request, "", AuditAction.FAIL_SIGN_IN, {"method": ("", METHODS["passwordless"])})


def record_refusal(request: HttpRequest, login: str) -> None:
    """Record that an attempt was refused because there were too many."""
    _record(request, login, AuditAction.REFUSE_SIGN_IN, {"reason": ("", "too many attempts")})


def with_address(request: HttpRequest, changes: Changes) -> Changes:
    """Return the changes with the client's address, if it is known."""
    address = client_address(request)
    return {**changes, "address": ("", str(address))} if address else changes


def _record(request: HttpRequest, login: str, action: AuditAction, changes: Changes) -> None:
    user = find_account(login)
    key = keyed_digest(f"entries:{user.pk if user else ''}")
    with transaction.atomic():
        if AttemptLimit.refusal({key: OF_ONE_PERSON if user else OF_UNKNOWN_NAMES}):
            logger.warning("More failed sign-ins than are recorded in the audit log: %s", action.label)
        elif user:
            record_for_person(user, action, with_address(request, changes), actor=UNKNOWN_ACTOR)
        else:
            record_for_nobody(action, with_address(request, changes))
