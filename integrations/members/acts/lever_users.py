"""Lever's users: who is proposed as a member, and the end of access of members who are deactivated there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction

from integrations.audit.models.entry import Actor
from integrations.clients.provider import lever_client
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.acts.invitations import invite
from integrations.members.models.membership import LONGEST_ADDRESS, Membership, PendingMembership, folded
from integrations.notifications.account_notices import tell_members_changed
from integrations.organizations.models.organization import Organization

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
