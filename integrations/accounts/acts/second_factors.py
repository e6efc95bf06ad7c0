"""A person's second factors, which django-allauth keeps: which they have, what is recorded of them, their reset."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from integrations.accounts.acts.accounts import record_for_person
from integrations.accounts.models.attempts import AttemptLimit, Limit, keyed_limits
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.end_access import end_sessions
from integrations.members.models.membership import Membership
from integrations.notifications.account_notices import tell_person
from integrations.store import database
from integrations.store.encryption import CannotDecrypt, Rotation, renewed

NOT_YOU = "If it wasn't you: change your password, and ask a Super Admin or the portal's operator for help."

#: What the audit log and e-mails call each type.
NAMES: dict[str, str] = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery code",
}
#: Recovery codes alone are no second factor: they stand in for one.
_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
#: Four wrong codes may be mistakes; the person is told about the fifth. Each counts for an hour.
SLIPS = Limit(4, 3600.0)
#: So many are recorded of one person; one more every ten minutes.
ENTRIES = Limit(50, 600.0)


def context_of(user_pk: int) -> str:
    """Return the context in which the secrets of a person's factors are encrypted."""
    return f"mfa.Authenticator of user {user_pk}"


def rotate_factors(rotation: Rotation) -> None:
    """Encrypt the secrets of all factors with the first key, and count them in `rotation`. Safe to be run again."""
    for pk in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("pk", flat=True):
        with transaction.atomic():
            factor = Authenticator.objects.select_for_update(of=("self",)).filter(pk=pk).first()
            if factor is None:
                continue  # removed meanwhile
            name = "secret" if factor.type == Authenticator.Type.TOTP else "seed"
            try:
                ciphertext = renewed(factor.data[name], context=context_of(factor.user_id))
            except CannotDecrypt:
                rotation.unreadable.append(f"Authenticator {pk}, {name}")
                continue
            if ciphertext == factor.data[name]:
                rotation.unchanged += 1
                continue
            factor.data[name] = ciphertext
            factor.save(update_fields=["data"])
            rotation.rotated += 1


def with_factors(members: QuerySet[Membership]) -> QuerySet[Any]:
    """Return the members with `has_app` and `has_passkey`."""
    mine = Authenticator.objects.filter(user=OuterRef("user"))
    return members.annotate(
        has_app=Exists(mine.filter(type=Authenticator.Type.TOTP)),
        has_passkey=Exists(mine.filter(type=Authenticator.Type.WEBAUTHN)),
    )


def in_words(factor: Authenticator) -> str:
    """Return a second factor as the audit log and e-mails name it."""
    name = NAMES[factor.type]
    return f"{name}: {factor}" if factor.type == Authenticator.Type.WEBAUTHN else name


def record_wrong_code(user: User, factor: str) -> None:
    """Record a wrong code or passkey, unless there were many. Tell the person, once an hour, when there were several.

    `factor` is what it was to be, in words.
    """
    at = database.now()
    with transaction.atomic():
        if AttemptLimit.refusal(keyed_limits(f"second_factor:entries:{user.pk}", (ENTRIES,))):
            return
        if AttemptLimit.refusal(keyed_limits(f"second_factor:slips:{user.pk}", (SLIPS,))):
            tell_person(
                user,
                "Wrong second factors for your account of the CodeScreen–Lever portal",
                [
                    f"Somebody tried to prove that they are {user}, and gave a wrong second factor several times.",
                    "None was accepted. If it was you, try again in a few minutes.",
                    "If it wasn't you, somebody knows your password or uses your session: choose another password now.",
                ],
                key=f"failed:{at:%Y-%m-%dT%H}",
            )
        record_for_person(user, AuditAction.FAIL_SECOND_FACTOR, {"factor": ("", factor)})


def record_recovery_code(user: User, left: int) -> None:
    """Record that a recovery code was used, and tell the person; `left`: how many unused ones are left."""
    lines = [
        f"A recovery code was used to sign in as {user}. Unused codes left: {left}. You can make new ones.",
        NOT_YOU,
    ]
    with transaction.atomic():
        tell_person(user, "A recovery code of your account was used", lines)
        record_for_person(user, AuditAction.USE_RECOVERY_CODE, {"unused codes": (left + 1, left)})


def reset_second_factor(user: User, actor: Actor, reason: str) -> bool:
    """Remove every second factor of a person who has lost theirs; return whether there was one.

    Their sessions end: somebody who found the lost device may be using one.
    """
    with transaction.atomic():
        factors = list(Authenticator.objects.filter(user=user).order_by("pk"))
        before = ", ".join(in_words(factor) for factor in factors if factor.type in _FACTORS)
        if not before:
            return False
        Authenticator.objects.filter(pk__in=[factor.pk for factor in factors]).delete()
        end_sessions(user)
        sentence = f"The second factor of the account {user} was reset by {actor}, with the recovery codes."
        tell_person(
            user,
            "The second factor of your account was reset",
            [sentence, "Sign in with your password and set up a new one under Your account.", NOT_YOU],
        )
        change: dict[str, tuple[object, object]] = {"factor": (before, "")}
        record_for_person(user, AuditAction.RESET_SECOND_FACTOR, change, reason=reason, actor=actor)
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
