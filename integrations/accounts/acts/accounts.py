"""Changes of people's accounts: each is recorded, and ends the sessions that were begun before it."""

from django.contrib.auth.models import User
from django.db import transaction

from integrations.accounts.acts.second_factor import factors_in_words
from integrations.accounts.acts.sessions import end_sessions, record_for_person
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.notifications.account_notices import tell_password_changed

#: What of an account says who may do what, or where links are sent: open sessions were begun under the former.
_OPENING = frozenset({"username", "email", "is_active", "is_staff", "is_superuser"})


def add_account(user: User, actor: Actor) -> None:
    """Store a new account."""
    with transaction.atomic():
        user.save()
        rights: dict[str, tuple[object, object]] = {
            name: (False, True) for name in ("is_staff", "is_superuser") if getattr(user, name)
        }
        record_for_person(user, AuditAction.ADD_ACCOUNT, rights, actor=actor)


def change_account(user: User, changes: Changes, actor: Actor) -> None:
    """Store the account, whose columns have these changes; nothing without any.

    The person's sessions end when the change is about what they open.
    """
    if not changes:
        return
    with transaction.atomic():
        user.save()
        if _OPENING & changes.keys():
            end_sessions(user)
        record_for_person(user, AuditAction.CHANGE_ACCOUNT, changes, actor=actor)


def follow_new_password(
    user: User,
    action: AuditAction,
    details: Changes | None = None,
    *,
    actor: Actor | None = None,
    keep: int | None = None,
) -> None:
    """End the person's sessions but the one whose row is `keep`, record their new password and tell them.

    `details` joins the audit entry; the actor is the person unless another is given. The caller does it in the
    transaction that stores the password, and notifies the workers afterwards.
    """
    end_sessions(user, keep=keep)
    tell_password_changed(user, factors_in_words(user))
    # last, since it keeps other writers of the log waiting until the transaction ends
    record_for_person(user, action, {"password": (True, True), **(details or {})}, actor=actor)
