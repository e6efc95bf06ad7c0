"""Attempts to give a second factor: limited by person and by address, recorded, and told to the person."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from integrations.models import AuditAction, SecondFactorLimit
from integrations.vocabulary import SecondFactor
from integrations.workflow.email.account_notice import tell_person
from integrations.workflow.operations.account_entries import record_for_person

#: Attempts that are looked at without a wait: of one person, and from one address.
FREE_OF_PERSON = 5
FREE_OF_ADDRESS = 20


def begin(user: User, address: str, at: datetime) -> timedelta:
    """Count an attempt of the person from that address. Return how long to wait first; nothing is counted then."""
    return SecondFactorLimit.begin(
        [(_person_key(user), FREE_OF_PERSON), (_address_key(address), FREE_OF_ADDRESS)], at
    )


def end(user: User, address: str, at: datetime) -> None:
    """The attempt was right: forget those of the person; the others from the address stay counted."""
    forget(user)
    SecondFactorLimit.take_back(_address_key(address), at)


def record_failure(user: User, factor: SecondFactor, at: datetime) -> None:
    """Record a wrong second factor. Tell the person, once an hour, when there were several.

    Attempts are limited, and so are these entries.
    """
    with transaction.atomic():
        limit = SecondFactorLimit.objects.filter(key=_person_key(user)).first()
        if limit is not None and limit.count >= FREE_OF_PERSON:
            tell_person(
                user,
                "Wrong second factors at the sign-in of the CodeScreen–Lever portal",
                [
                    f"Somebody gave {user}'s password, and then several times a wrong second factor.",
                    "They are not signed in. If it was you, wait a few minutes and try again.",
                    "If it wasn't you, somebody knows your password: change it now.",
                ],
                key=f"failed:{at:%Y-%m-%dT%H}",
            )
        record_for_person(user, AuditAction.FAIL_SECOND_FACTOR, {"factor": ("", str(factor))})


def forget(user: User) -> None:
    """Forget the attempts of the person."""
    SecondFactorLimit.forget(_person_key(user))


def _person_key(user: User) -> str:
    return f"second_factor:person:{user.pk}"


def _address_key(address: str) -> str:
    return f"second_factor:address:{address}"[:120]
