"""Audit entries about signing in: so few that nobody can flood the log by guessing."""

import logging

from django.contrib.auth.models import User
from django.http import HttpRequest

from integrations.models import AttemptLimit, AuditAction
from integrations.models.attempt_limit import Limit, TooMany, keyed_digest
from integrations.workflow.operations.account_entries import (
    UNKNOWN_ACTOR,
    record_for_nobody,
    record_for_person,
)
from portal.accounts.name_digests import name_digest
from portal.accounts.throttle import Attempt
from portal.client_address import client_address, client_network

logger = logging.getLogger(__name__)

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
    if not isinstance(AttemptLimit.take({key: REFUSALS}), TooMany):
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
    if isinstance(AttemptLimit.take({key: limit}), TooMany):
        logger.warning("More failed sign-ins than are recorded in the audit log: %s", action.label)
    elif user:
        record_for_person(user, action, with_address(request, changes), actor=UNKNOWN_ACTOR)
    else:
        record_for_nobody(action, with_address(request, changes))
