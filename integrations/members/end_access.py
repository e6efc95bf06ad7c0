"""End people's access: their sessions, memberships and invitations, also when Lever says that they are deactivated."""

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.kept_rows import KeptRows
from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit, target_of
from integrations.clients.provider import lever_client
from integrations.core.finding_code import TEAM
from integrations.http.session import PlatformError
from integrations.members.models.membership import (
    SUPER_ADMINS,
    LastSuperAdmin,
    Membership,
    PendingMembership,
    folded,
)
from integrations.notifications.account_notices import tell_members_changed
from integrations.notifications.models.email_kind import EmailTopic, page_link
from integrations.notifications.notify import notify_members
from integrations.organizations.models.organization import Organization
from integrations.store import database

PENDING_MEMBERSHIPS = KeptRows(
    PendingMembership,
    roles=SUPER_ADMINS,
    named_by=("email",),
    told=("role",),
    added=AuditAction.INVITE_MEMBER,
    removed=AuditAction.WITHDRAW_INVITATION,
)


def end_sessions(user: User, *, keep: str | None = None) -> None:
    """End all of the person's sessions but the one with this key: they are no longer signed in there."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=keep or ""):
        session.end()


def remove_member(
    member: Membership, actor: Actor, what_happened: str = "removed from the organization"
) -> None:
    """Remove a member; the user stays. Raises ActionNotAllowed for the last Super Admin.

    Their sessions end unless they belong to another organization; none of them shows this one any more.

    Nothing happens where somebody else has removed the member meanwhile. `what_happened` is what Super Admins are told.
    """
    with transaction.atomic():
        target, changes = target_of(member), {"role": (member.role, "")}
        if not member.end():
            return
        left = tell_members_changed(
            member.organization, str(member.user), what_happened, actor, ended=member.user
        )
        if not Membership.objects.elsewhere(member.user, member.organization_id).exists():
            end_sessions(member.user)
        audit(target, actor, AuditAction.REMOVE_MEMBER, changes, left)


def withdraw(pending: PendingMembership, actor: Actor, what_happened: str = "invitation withdrawn") -> None:
    """Withdraw the invitation: its links end at once. `what_happened` is what Super Admins are told."""
    if PENDING_MEMBERSHIPS.remove(pending, actor):
        tell_members_changed(pending.organization, pending.email, what_happened, actor)


ACTOR = "Lever"


def end_access_of_deactivated(organization: Organization) -> None:
    """Remove the members whose user in Lever is deactivated, and withdraw such invitations. Raises PlatformError.

    A member is found by the address with which they joined, whatever their account has now. Only what Lever says of a
    user counts, never that somebody is missing: an empty list, or a grant that doesn't show users, ends nobody's
    access. An address that an active user has too isn't deactivated. The last Super Admin keeps access, and the
    members are told.
    """
    rows = organization.memberships.select_related("user", "organization")
    members = list(rows.exclude(address="").order_by("pk"))
    invited = list(organization.pending_memberships.order_by("pk"))
    if not members and not invited:
        return
    try:
        users = list(lever_client(organization).users(includeDeactivated="true"))
    except PlatformError as error:
        if error.status != 403:
            raise
        return  # Health says which scope is missing
    deactivated = {folded(user.email) for user in users if not user.is_active}
    deactivated -= {folded(user.email) for user in users if user.is_active}
    for pending in invited:
        if pending.email in deactivated:
            withdraw(pending, ACTOR, "invitation withdrawn, because they are deactivated in Lever")
    for member in members:
        if member.address in deactivated:
            try:
                remove_member(member, ACTOR, "lost access, because they are deactivated in Lever")
            except LastSuperAdmin:
                _keep_last_super_admin(member)
        elif member.deactivated_in_lever_at is not None:
            Membership.objects.filter(pk=member.pk).update(deactivated_in_lever_at=None)


def _keep_last_super_admin(member: Membership) -> None:
    """Note that the member is deactivated in Lever and keeps access, and tell the members, once."""
    with transaction.atomic():
        if not Membership.objects.filter(pk=member.pk, deactivated_in_lever_at=None).update(
            deactivated_in_lever_at=Now()
        ):
            return
        notify_members(
            member.organization,
            EmailTopic.SUPER_ADMIN_DEACTIVATED,
            f"{member.pk}:{database.now().isoformat()}",
            subject="The last Super Admin is deactivated in Lever",
            lines=[
                f"{member.user} is deactivated in Lever, and keeps access: nobody else can change the connections.",
                "Have them, or the portal's operator, make somebody else Super Admin. Their access then ends.",
                page_link(TEAM),
            ],
        )
