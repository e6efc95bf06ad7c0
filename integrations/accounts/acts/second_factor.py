"""A person's second factors: add, use, remove and reset them. Each change is audited and told to the person."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from integrations.accounts.acts import second_factor_attempts
from integrations.accounts.acts.sessions import end_sessions, record_for_person
from integrations.accounts.models.second_factors import MOST_PASSKEYS, AuthenticatorApp, Passkey, RecoveryCode
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import ActionNotAllowed, SecondFactor
from integrations.members.models.membership import Membership
from integrations.notifications.account_notices import tell_person

NOT_YOU = "If it wasn't you: change your password, and ask a Super Admin or the portal's operator for help."


@dataclass(frozen=True)
class Added:
    """A second factor is stored; the recovery codes are shown once, and there are none when the person had some."""

    recovery_codes: list[str]


def has_second_factor(user: User) -> bool:
    """Whether the person has an authenticator app or a passkey. Recovery codes alone don't count."""
    return (
        AuthenticatorApp.objects.confirmed().filter(user=user).exists()
        or Passkey.objects.filter(user=user).exists()
    )


def factors_in_words(user: User) -> list[str]:
    """Return what second factors the person has, as the audit log and e-mails name them."""
    factors = [_shown(SecondFactor.PASSKEY, passkey.name) for passkey in Passkey.objects.filter(user=user)]
    if AuthenticatorApp.objects.confirmed().filter(user=user).exists():
        factors.insert(0, _shown(SecondFactor.AUTHENTICATOR_APP))
    return factors


def confirm_app(user: User, code: str, at: datetime) -> Added | None:
    """Make the app that is being set up a second factor, in place of an earlier app; None when the code is wrong."""
    app = AuthenticatorApp.being_set_up(user)
    if app is None:
        return None
    with transaction.atomic():
        if not app.confirm(code, at):
            return None
        return _added(user, SecondFactor.AUTHENTICATOR_APP, "An authenticator app was added")


def add_passkey(passkey: Passkey) -> Added:
    """Store a passkey whose possession was proven. Raises ActionNotAllowed with the fix."""
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


def _added(user: User, factor: SecondFactor, sentence: str, name: str = "") -> Added:
    """Record and tell that a factor was added; make recovery codes where the person has none left."""
    lines = [f"{sentence} to the account {user}: it is asked for when you sign in."]
    codes = []
    if not RecoveryCode.objects.filter(user=user, used_at=None).exists():
        codes = RecoveryCode.make_set(user)
        lines.append("Recovery codes were made with it. Keep them where you find them without your phone.")
    tell_person(user, f"{sentence} to your account", [*lines, NOT_YOU])
    record_for_person(user, AuditAction.ADD_SECOND_FACTOR, _change("", _shown(factor, name)))
    if codes:
        record_for_person(user, AuditAction.MAKE_RECOVERY_CODES)
    return Added(codes)


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
    record_for_person(user, AuditAction.REMOVE_SECOND_FACTOR, _change(_shown(factor, name), ""))


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
    """Whether the code is the app's of now and wasn't used before; it is used up then."""
    app = AuthenticatorApp.objects.confirmed().filter(user=user).first()
    return app is not None and app.accept(code, at)


def use_recovery_code(user: User, code: str, at: datetime) -> bool:
    """Whether it is an unused recovery code of the person; it is used up then."""
    if not has_second_factor(user):
        return False
    with transaction.atomic():
        if not RecoveryCode.accept(user, code, at):
            return False
        left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        lines = [
            f"A recovery code was used to sign in as {user}. {left} are left; you can make new ones.",
            NOT_YOU,
        ]
        tell_person(user, "A recovery code of your account was used", lines)
        record_for_person(user, AuditAction.USE_RECOVERY_CODE, {"unused codes": (left + 1, left)})
    return True


def reset_second_factor(user: User, actor: Actor, reason: str) -> bool:
    """Remove every second factor of a person who has lost theirs; return whether there was one.

    Their sessions end: a finder of the lost device may be in one, and it counts as begun with a second factor.
    """
    with transaction.atomic():
        if not has_second_factor(user):
            return False
        before = factors_in_words(user)
        for model in (AuthenticatorApp, Passkey, RecoveryCode):
            model.objects.filter(user=user).delete()
        second_factor_attempts.forget(user)
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

    The account of a person of several organizations isn't one organization's to open.
    """
    elsewhere = Membership.objects.filter(user=member.user).exclude(organization=member.organization_id)
    if member.user.is_superuser or elsewhere.exists():
        raise ActionNotAllowed(
            f"The second factor of {member.user} can't be reset here. The portal's operator can do it: "
            f"manage.py reset_second_factor {member.user}"
        )
    if not reason.strip():
        raise ActionNotAllowed("Say why: it is kept in the audit log.")
    return reset_second_factor(member.user, actor, reason.strip())


def _shown(factor: SecondFactor, name: str = "") -> str:
    return f"{factor.label}: {name}" if name else factor.label


def _change(before: str, after: str) -> dict[str, tuple[object, object]]:
    return {"factor": (before, after)}
