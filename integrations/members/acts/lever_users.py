"""Lever's users: who is proposed as a member, and the end of access of members who are deactivated there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now

from integrations.audit.models.entry import Actor
from integrations.clients.provider import lever_client
from integrations.core.vocabulary import ActionNotAllowed
from integrations.http.session import PlatformError
from integrations.members.acts.invitations import invite, withdraw
from integrations.members.acts.members import remove_member
from integrations.members.models.membership import LastSuperAdmin, Membership, folded
from integrations.members.models.pending import LONGEST_ADDRESS, PendingMembership
from integrations.notifications.account_notices import tell_members_changed
from integrations.notifications.links import settings_link
from integrations.notifications.models.email_kind import EmailTopic, Link
from integrations.notifications.notify import notify_members
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: The role that is proposed for each of Lever's own; none for interviewers, and for roles of the customer's own.
PROPOSED: Mapping[str, Membership.Role] = {
    "super admin": Membership.Role.SUPER_ADMIN,
    "admin": Membership.Role.ADMIN,
    "team member": Membership.Role.TEAM_MEMBER,
    "limited team member": Membership.Role.LIMITED_TEAM_MEMBER,
}


@dataclass(frozen=True)
class Proposal:
    """Somebody in Lever who may be invited, with the role that is like their own there."""

    name: str
    address: str
    role: Membership.Role


def proposals(organization: Organization) -> list[Proposal]:
    """Return Lever's active users who are neither members nor invited, by name. Raises PlatformError."""
    members = organization.memberships.values_list("user__email", "address")
    known = {folded(address) for pair in members for address in pair}
    known |= set(organization.pending_memberships.values_list("email", flat=True))
    found = {
        address: Proposal(user.name, address, PROPOSED[user.access_role])
        for user in lever_client(organization).active_users()
        if user.access_role in PROPOSED
        and (address := folded(user.email)) not in known
        and 0 < len(address) <= LONGEST_ADDRESS
    }
    return list(found.values())


def invite_proposed(
    organization: Organization, role: str, addresses: Collection[str], actor: Actor
) -> list[PendingMembership]:
    """Invite those of the people proposed now with that role who have these addresses; return the invitations.

    There are fewer than addresses where somebody is no longer proposed, or was refused, as for too many invitations.
    The Super Admins get one e-mail about all. Raises PlatformError.
    """
    chosen = [one for one in proposals(organization) if one.role == role and one.address in addresses]
    invited: list[PendingMembership] = []
    with transaction.atomic():
        for one in chosen:
            try:
                invited.append(invite(organization, one.address, one.role, actor, tells_admins=False))
            except ActionNotAllowed:
                continue
        if invited:
            names = ", ".join(pending.email for pending in invited)
            what_happened = f"invited as {invited[0].get_role_display()}, as they are in Lever"
            tell_members_changed(organization, names, what_happened, actor)
    return invited


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
                Link("Open the settings", settings_link()),
            ],
        )
