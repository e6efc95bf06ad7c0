"""Change people's accounts and end their sessions: each change is audited."""

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction, AuditTarget, Changes, TargetKind
from integrations.audit.record import audit
from integrations.members.end_access import end_sessions
from integrations.members.models.membership import folded
from integrations.organizations.models.organization import Organization


def forget_other_addresses(user: User) -> None:
    """Forget that the person has proven an address which their account no longer has."""
    EmailAddress.objects.filter(user=user).exclude(email=folded(user.email)).delete()


# Audit entries about a person's account: one in the log of each organization whose rows the account opens.


#: Who acts when the portal can't tell: somebody who hasn't proven who they are.
UNKNOWN_ACTOR = "somebody not signed in"


def record_for_person(
    user: User,
    action: AuditAction,
    changes: Changes | None = None,
    *,
    reason: str = "",
    actor: Actor | None = None,
) -> None:
    """Append one entry about this person's account for each organization that they belong to.

    Without an organization it is one entry of the portal as a whole. The actor is the person unless another is given.
    All of it is one transaction; call it inside the one that makes the change.
    """
    organizations = list(Organization.objects.filter(memberships__user=user).order_by("pk"))
    with transaction.atomic():
        for organization in organizations or (None,):
            audit(user, actor or user, action, changes, reason, organization=organization)


def record_for_nobody(action: AuditAction, changes: Changes | None = None) -> None:
    """Append one entry of the portal as a whole about an account that doesn't exist.

    What was typed as its name isn't stored: people type passwords into the wrong field.
    """
    target = AuditTarget(TargetKind.ACCOUNT, None, "an unknown user name")
    audit(target, UNKNOWN_ACTOR, action, changes)


# Changes of people's accounts: each is recorded, and ends the sessions that were begun before it.


#: What decides what an account may do and where its links are sent: changing one of these ends its sessions.
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
    keep: str | None = None,
) -> None:
    """End the person's sessions but the one with the key `keep`, and record their new password.

    `details` joins the audit entry. The actor is the person unless another is given: then the person gets an e-mail.
    The caller does it in the transaction that stores the password.
    """
    end_sessions(user, keep=keep)
    if actor is not None:
        get_adapter().send_notification_mail("account/email/password_changed", user)
    # last, since it keeps other writers of the log waiting until the transaction ends
    record_for_person(user, action, {"password": (True, True), **(details or {})}, actor=actor)
