"""Attempts to give a second factor: limited by person and by address, recorded, and told to the person."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from integrations.accounts.acts.sessions import record_for_person
from integrations.accounts.models.sessions import AttemptLimit, Limit, TooMany, keyed_limits
from integrations.audit.models.entry import AuditAction
from integrations.core.vocabulary import SecondFactor
from integrations.notifications.account_notices import tell_person

#: The attempts of one person, and from one address. Some are free, then the wait grows from 30 seconds to 15 minutes.
OF_PERSON = (Limit(5, 30.0), Limit(7, 120.0), Limit(9, 900.0))
OF_ADDRESS = (Limit(20, 30.0), Limit(22, 120.0), Limit(24, 900.0))
#: So many wrong ones in a row may be slips. The person is told of the next; an hour later each is forgotten.
SLIPS = (Limit(4, 3600.0),)


def take_attempt(user: User, address: str) -> TooMany | None:
    """Count an attempt of the person from that address. Return how long to wait first; nothing is counted then."""
    outcome = AttemptLimit.take(_of_person(user) | _of_address(address))
    return outcome if isinstance(outcome, TooMany) else None


def record_success(user: User, address: str) -> None:
    """Record a right second factor: forget the person's attempts; the others from the address stay counted."""
    forget(user)
    AttemptLimit.give_back(_of_address(address))


def record_failure(user: User, factor: SecondFactor, at: datetime) -> None:
    """Record a wrong second factor. Tell the person, once an hour, when there were several.

    Attempts are limited, and so are these entries.
    """
    with transaction.atomic():
        if isinstance(AttemptLimit.take(_slips(user)), TooMany):
            tell_person(
                user,
                "Wrong second factors for your account of the CodeScreen–Lever portal",
                [
                    f"Somebody signed in as {user}, and then gave several times a wrong second factor.",
                    "It opened nothing, and none was set up. If it was you, wait a few minutes and try again.",
                    "If it wasn't you, somebody knows your password or uses your session: choose another password now.",
                ],
                key=f"failed:{at:%Y-%m-%dT%H}",
            )
        record_for_person(user, AuditAction.FAIL_SECOND_FACTOR, {"factor": ("", str(factor))})


def forget(user: User) -> None:
    """Forget the attempts of the person."""
    AttemptLimit.forget(keys_of(user))


def keys_of(user: User) -> list[str]:
    """Return the keys of the limits of the person."""
    return [*_of_person(user), *_slips(user)]


def _of_person(user: User) -> dict[str, Limit]:
    return keyed_limits(f"second_factor:person:{user.pk}", OF_PERSON)


def _of_address(address: str) -> dict[str, Limit]:
    return keyed_limits(f"second_factor:address:{address}", OF_ADDRESS)


def _slips(user: User) -> dict[str, Limit]:
    return keyed_limits(f"second_factor:slips:{user.pk}", SLIPS)
