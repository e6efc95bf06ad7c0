"""End a person's sessions, and record what happened to their account in the logs that it concerns."""

from django.contrib.auth.models import User
from django.db import transaction

from integrations.accounts.models.sessions import UserSession
from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction, AuditTarget, Changes, TargetKind
from integrations.organizations.models.organization import Organization

# End the sessions of a person.


def end_sessions(user: User, *, keep: int | None = None) -> int:
    """End all of the person's sessions but the one whose row is `keep`; return how many ended.

    Their next request is that of somebody who isn't signed in.
    """
    sessions = UserSession.objects.filter(user=user)
    return (sessions if keep is None else sessions.exclude(pk=keep)).end()


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
    All of it is one transaction; call this in that of the change itself.
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
