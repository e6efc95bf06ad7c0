"""A person's second factors: add, use, remove and reset them. Each is audited, and mailed to the person."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from integrations.accounts.acts.accounts import end_sessions, record_for_person
from integrations.accounts.models.second_factors import (
    MOST_PASSKEYS,
    AuthenticatorApp,
    Passkey,
    RecoveryCode,
    factor_in_words,
    factors_in_words,
    has_second_factor,
)
from integrations.accounts.models.sessions import AttemptLimit, Limit, TooMany, keyed_limits
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import ActionNotAllowed, SecondFactor
from integrations.members.models.membership import Membership
from integrations.notifications.account_notices import tell_person

NOT_YOU = "If it wasn't you: change your password, and ask a Super Admin or the portal's operator for help."


def confirm_app(user: User, code: str, at: datetime) -> list[str] | None:
    """Make the app that is being set up a second factor, in place of an earlier app; None when the code is wrong.

    Return the new recovery codes, to be shown once; none when the person had some.
    """
    app = AuthenticatorApp.being_set_up(user)
    if app is None:
        return None
    with transaction.atomic():
        if not app.confirm(code, at):
            return None
        return _added(user, SecondFactor.AUTHENTICATOR_APP, "An authenticator app was added")


def add_passkey(passkey: Passkey) -> list[str]:
    """Store a passkey whose possession was proven; return new recovery codes. Raises ActionNotAllowed with the fix."""
    user = passkey.user
    try:
        with transaction.atomic():
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
            if Passkey.objects.filter(user=user).count() >= MOST_PASSKEYS:
                raise ActionNotAllowed(f"You have {MOST_PASSKEYS} passkeys. Remove one that you don't use.")
            passkey.save()
            return _added(user, SecondFactor.PASSKEY, f"A passkey, “{passkey.name}”, was added", passkey.name)
    except IntegrityError as error:
        raise ActionNotAllowed(
            "You have a passkey of that name, or this very passkey. Choose another name."
        ) from error


def _added(user: User, factor: SecondFactor, sentence: str, name: str = "") -> list[str]:
    """Record that a factor was added and notify the person; make recovery codes where they have none left."""
    lines = [f"{sentence} to the account {user}: it is asked for when you sign in."]
    codes = []
    if not RecoveryCode.objects.filter(user=user, used_at=None).exists():
        codes = RecoveryCode.make_set(user)
        lines.append("Recovery codes were made with it. Keep them where you find them without your phone.")
    tell_person(user, f"{sentence} to your account", [*lines, NOT_YOU])
    record_for_person(user, AuditAction.ADD_SECOND_FACTOR, _change("", factor_in_words(factor, name)))
    if codes:
        record_for_person(user, AuditAction.MAKE_RECOVERY_CODES)
    return codes


def remove_app(user: User) -> bool:
    """Remove the person's authenticator app, and one that is being set up; return whether there was one."""
    with transaction.atomic():
        removed, _ = AuthenticatorApp.objects.confirmed().filter(user=user).delete()
        AuthenticatorApp.objects.filter(user=user).delete()
        if removed:
            _removed(user, SecondFactor.AUTHENTICATOR_APP, "The authenticator app was removed")
    return bool(removed)


def remove_passkey(passkey: Passkey) -> bool:
    """Remove a passkey; return whether it was there."""
    with transaction.atomic():
        removed, _ = Passkey.objects.filter(pk=passkey.pk).delete()
        if removed:
            sentence = f"A passkey, “{passkey.name}”, was removed"
            _removed(passkey.user, SecondFactor.PASSKEY, sentence, passkey.name)
    return bool(removed)


def _removed(user: User, factor: SecondFactor, sentence: str, name: str = "") -> None:
    lines = [f"{sentence} from the account {user}."]
    if not has_second_factor(user):
        RecoveryCode.objects.filter(user=user).delete()  # they stand in for a factor, and there is none
        lines.append("It was the last second factor: your password alone opens the account now.")
    tell_person(user, f"{sentence} from your account", [*lines, NOT_YOU])
    record_for_person(user, AuditAction.REMOVE_SECOND_FACTOR, _change(factor_in_words(factor, name), ""))


def make_recovery_codes(user: User) -> list[str]:
    """Make a new set of recovery codes in place of the earlier ones, and return it. Raises ActionNotAllowed."""
    if not has_second_factor(user):
        raise ActionNotAllowed(
            "Add an authenticator app or a passkey first: recovery codes stand in for one."
        )
    with transaction.atomic():
        codes = RecoveryCode.make_set(user)
        sentence = f"New recovery codes were made for the account {user}; the earlier ones no longer work."
        tell_person(user, "New recovery codes were made for your account", [sentence, NOT_YOU])
        record_for_person(user, AuditAction.MAKE_RECOVERY_CODES)
    return codes


def use_app_code(user: User, code: str, at: datetime) -> bool:
    """Accept the app's current code, once. Return whether it was right."""
    app = AuthenticatorApp.objects.confirmed().filter(user=user).first()
    return app is not None and app.accept(code, at)


def use_recovery_code(user: User, code: str, at: datetime) -> bool:
    """Accept an unused recovery code of the person, once. Return whether it was right."""
    if not has_second_factor(user):
        return False
    with transaction.atomic():
        if not RecoveryCode.accept(user, code, at):
            return False
        left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        lines = [
            f"A recovery code was used to sign in as {user}. Unused codes left: {left}. You can make new ones.",
            NOT_YOU,
        ]
        tell_person(user, "A recovery code of your account was used", lines)
        record_for_person(user, AuditAction.USE_RECOVERY_CODE, {"unused codes": (left + 1, left)})
    return True


def reset_second_factor(user: User, actor: Actor, reason: str) -> bool:
    """Remove every second factor of a person who has lost theirs; return whether there was one.

    Their sessions end: somebody who found the lost device may be using one.
    """
    with transaction.atomic():
        if not has_second_factor(user):
            return False
        before = factors_in_words(user)
        for model in (AuthenticatorApp, Passkey, RecoveryCode):
            model.objects.filter(user=user).delete()
        forget_attempts(user)
        end_sessions(user)
        sentence = f"The second factor of the account {user} was reset by {actor}, with the recovery codes."
        tell_person(
            user,
            "The second factor of your account was reset",
            [sentence, "Sign in with your password and set up a new one under Your account.", NOT_YOU],
        )
        record_for_person(
            user, AuditAction.RESET_SECOND_FACTOR, _change(", ".join(before), ""), reason=reason, actor=actor
        )
    return True


def reset_for_member(member: Membership, actor: Actor, reason: str) -> bool:
    """Reset a member's second factor for a Super Admin. Raises ActionNotAllowed where it isn't theirs to decide.

    A superuser's, or that of a person who belongs to other organizations too, is the operator's to reset.
    """
    elsewhere = Membership.objects.elsewhere(member.user, member.organization_id)
    if member.user.is_superuser or elsewhere.exists():
        raise ActionNotAllowed(
            f"The second factor of {member.user} can't be reset here. The portal's operator can do it: "
            f"manage.py reset_second_factor {member.user}"
        )
    if not reason.strip():
        raise ActionNotAllowed("Say why: it is kept in the audit log.")
    return reset_second_factor(member.user, actor, reason.strip())


def _change(before: str, after: str) -> dict[str, tuple[object, object]]:
    return {"factor": (before, after)}


# Attempts to give a second factor: limited by person and by address, recorded, and mailed to the person.


#: The attempts of one person, and from one address. Some are free, then the wait grows from 30 seconds to 15 minutes.
OF_PERSON = (Limit(5, 30.0), Limit(7, 120.0), Limit(9, 900.0))
OF_ADDRESS = (Limit(20, 30.0), Limit(22, 120.0), Limit(24, 900.0))
#: Four wrong attempts may be mistakes; the person is told about the fifth. Each counts for an hour.
SLIPS = (Limit(4, 3600.0),)


def take_factor_attempt(user: User, address: str) -> TooMany | None:
    """Count an attempt of the person from that address. Return how long to wait first; nothing is counted then."""
    return AttemptLimit.refusal(_of_person(user) | _of_address(address))


def record_right_factor(user: User, address: str) -> None:
    """Record a right second factor: forget the person's attempts; the others from the address stay counted."""
    forget_attempts(user)
    AttemptLimit.give_back(_of_address(address))


def record_wrong_factor(user: User, factor: SecondFactor, at: datetime) -> None:
    """Record a wrong second factor. Tell the person, once an hour, when there were several.

    Attempts are limited, and so are these entries.
    """
    with transaction.atomic():
        if AttemptLimit.refusal(_slips(user)):
            tell_person(
                user,
                "Wrong second factors for your account of the CodeScreen–Lever portal",
                [
                    f"Somebody tried to prove that they are {user}, and gave a wrong second factor several times.",
                    "None was accepted, and no second factor was added. If it was you, try again in a few minutes.",
                    "If it wasn't you, somebody knows your password or uses your session: choose another password now.",
                ],
                key=f"failed:{at:%Y-%m-%dT%H}",
            )
        record_for_person(user, AuditAction.FAIL_SECOND_FACTOR, {"factor": ("", str(factor))})


def forget_attempts(user: User) -> None:
    """Forget the attempts of the person."""
    AttemptLimit.forget(attempt_keys(user))


def attempt_keys(user: User) -> list[str]:
    """Return the keys of the limits of the person."""
    return [*_of_person(user), *_slips(user)]


def _of_person(user: User) -> dict[str, Limit]:
    return keyed_limits(f"second_factor:person:{user.pk}", OF_PERSON)


def _of_address(address: str) -> dict[str, Limit]:
    return keyed_limits(f"second_factor:address:{address}", OF_ADDRESS)


def _slips(user: User) -> dict[str, Limit]:
    return keyed_limits(f"second_factor:slips:{user.pk}", SLIPS)
