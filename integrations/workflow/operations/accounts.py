"""What whoever runs the portal changes about people's accounts: each change is recorded, and sessions end."""

from django.contrib.auth.models import User
from django.db import transaction

from integrations.models import Actor, AuditAction, Changes
from integrations.workflow.email.password_changed import tell_password_changed
from integrations.workflow.operations.account_entries import record_for_person
from integrations.workflow.operations.sessions import end_sessions

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


def follow_password_of(user: User, actor: Actor) -> None:
    """End the sessions of a person whose password somebody else has set, and tell them.

    The caller does it in the transaction that stores the password, and notifies the workers afterwards.
    """
    end_sessions(user)
    tell_password_changed(user)
    record_for_person(user, AuditAction.CHANGE_PASSWORD, {"password": (True, True)}, actor=actor)
