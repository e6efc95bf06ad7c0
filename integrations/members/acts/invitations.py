"""Invite people to an organization, also those in Lever; they accept, decline or leave, and choose where to work."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit, target_of
from integrations.clients.provider import lever_client
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.acts.members import have_people_read
from integrations.members.end_access import PENDING_MEMBERSHIPS
from integrations.members.models.membership import (
    LONGEST_ADDRESS,
    LastSuperAdmin,
    Membership,
    PendingMembership,
    PendingMembershipQuerySet,
    PersonalSettings,
    folded,
)
from integrations.notifications.account_notices import tell_members_changed
from integrations.notifications.link_emails import (
    MOST_PER_ADDRESS,
    MOST_PER_HOUR,
    enqueue_welcome,
    may_be_invited,
)
from integrations.organizations.models.organization import Organization
from integrations.queue.models.duty_run import Duty, DutyRun
from integrations.store import database

LIMITS = f"An organization may send {MOST_PER_HOUR} invitations an hour, and {MOST_PER_ADDRESS} a day to one address."
TOO_MANY = f"Too many invitations. {LIMITS} Wait a while."


def invite(
    organization: Organization, address: str, role: str, actor: Actor, *, tells_admins: bool = True
) -> PendingMembership:
    """Invite the person with that e-mail address, again if they were already; return the pending membership.

    `tells_admins`: the Super Admins get an e-mail; without it the caller tells them.
    Nothing here looks whether an account has the address, so that the outcome can't tell. Raises ActionNotAllowed for a
    member, and when there were too many invitations.
    """
    email = folded(address)
    with transaction.atomic():
        # two invitations at once are counted one after the other
        Organization.objects.lock(organization.pk)
        # the Super Admins see the members' addresses anyway
        if organization.memberships.filter(user__email__iexact=email).exists():
            raise ActionNotAllowed("This person is a member already: change their role in the list.")
        if not may_be_invited(organization, email):
            raise ActionNotAllowed(TOO_MANY)
        earlier = PendingMembership.objects.filter(organization=organization).to(email).first()
        pending, _ = PendingMembership.objects.update_or_create(
            organization=organization, email=email, defaults={"role": role, "invited_at": database.now()}
        )
        enqueue_welcome(pending)
        changes = {"role": (earlier.role if earlier else "", role)}
        audit(pending, actor, AuditAction.INVITE_MEMBER, changes)
        if tells_admins:
            tell_members_changed(organization, email, f"invited as {pending.get_role_display()}", actor)
    return pending


def send_again(pending: PendingMembership, actor: Actor) -> None:
    """Send the invitation again, with a new link; earlier links end. Raises ActionNotAllowed."""
    with transaction.atomic():
        Organization.objects.lock(pending.organization_id)
        if not may_be_invited(pending.organization, pending.email):
            raise ActionNotAllowed(TOO_MANY)
        pending.invited_at = database.now()
        pending.save(update_fields=["invited_at"])
        enqueue_welcome(pending)
        audit(pending, actor, AuditAction.SEND_INVITATION_LINK)


def decline(pending: PendingMembership, actor: Actor) -> None:
    """Record that the invited person doesn't want to be a member; links end at once."""
    if PENDING_MEMBERSHIPS.remove(pending, actor, AuditAction.DECLINE_MEMBERSHIP):
        tell_members_changed(pending.organization, pending.email, "invitation declined", actor)


# Who is proposed: Lever's users who are neither members nor invited.

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


# Accept an invitation, or leave.


class InvitationProof(Enum):
    """What shows that who accepts was invited; most show that the address is theirs."""

    LINK = "the link that was sent to it"
    SHOWN_LINK = "the link that a Super Admin was shown, where the portal sends no mail"
    EARLIER_LINK = "an earlier link, which the account keeps"
    PROVIDER = "the installation's provider of single sign-on, which vouches for the address"
    ITS_PROVIDER = "the organization's own provider, whose word counts for that organization alone"


class AcceptanceRefusal(Enum):
    """Why an invitation can't be accepted, in a sentence for the person."""

    INVITATION_ENDED = (
        "This invitation no longer works: it was answered, withdrawn or sent again, or a week is over."
    )
    OTHER_ADDRESS = "This invitation was sent to another address than that of your account."
    ACCOUNT_EXISTS = "An account has this address by now: sign in to it and open the link again."


LAST_SUPER_ADMIN_STAYS = "You are the last Super Admin. Make somebody else one first, under Settings › Team."


def has_proven_address(user: User) -> bool:
    """Whether the person once opened a link that was sent to the address that their account has now."""
    return bool(EmailAddress.objects.filter(user=user, email=folded(user.email), verified=True).exists())


def open_invitations(user: User) -> PendingMembershipQuerySet:
    """Return the pending memberships that the person can accept signed in; none while their address isn't proven."""
    rows = PendingMembership.objects.open().select_related("organization").order_by("invited_at", "pk")
    return rows.to(user.email) if has_proven_address(user) else rows.none()


def accept(pending: PendingMembership, user: User, proof: InvitationProof) -> Membership | AcceptanceRefusal:
    """Make the person a member, with the role of the invitation; return the membership, or why there is none.

    Everything is looked at again under a lock: that the invitation still stands, that it was sent to the address of
    this account, and that the address is proven. Somebody who became a member meanwhile stays what they are.
    """
    with transaction.atomic():
        locked = _locked(pending)
        if locked is None:
            return AcceptanceRefusal.INVITATION_ENDED
        if folded(user.email) != locked.email or (
            proof is InvitationProof.EARLIER_LINK and not has_proven_address(user)
        ):
            return AcceptanceRefusal.OTHER_ADDRESS
        return _make_member(locked, user, proof)


def accept_with_new_account(
    pending: PendingMembership, user: User, proof: InvitationProof
) -> Membership | AcceptanceRefusal:
    """Store the account that the person makes, named after the invitation's address, and make it a member.

    `user` isn't stored yet and has the password that they chose. Return the membership, or why there is none, which
    may also be that an account has the address by now: its person signs in to it instead.
    """
    with transaction.atomic():
        locked = _locked(pending)
        if locked is None:
            return AcceptanceRefusal.INVITATION_ENDED
        if accounts_of(locked).exists():
            return AcceptanceRefusal.ACCOUNT_EXISTS
        user.username, user.email = _free_username(locked.email), locked.email
        user.save()
        return _make_member(locked, user, proof)


def _make_member(locked: PendingMembership, user: User, proof: InvitationProof) -> Membership:
    """Replace the invitation, which is locked, by a membership."""
    organization, role, address = locked.organization, locked.role, locked.email
    member, is_new = Membership.objects.get_or_create(
        user=user, organization=organization, defaults={"role": role, "address": address}
    )
    locked.delete()
    if proof not in {InvitationProof.SHOWN_LINK, InvitationProof.ITS_PROVIDER}:
        _prove_address(user, address)
    work_in(user, organization)
    if is_new:
        have_people_read(member)
        # who was deactivated in Lever since the last look loses the access within seconds
        DutyRun.objects.request(Duty.FOLLOW_LEVER_USERS, [organization.pk])
        audit(member, user, AuditAction.ACCEPT_MEMBERSHIP, {"role": ("", role)})
        what_happened = f"accepted the invitation and is {member.get_role_display()} now"
        tell_members_changed(organization, member.address, what_happened, user)
    return member


def _prove_address(user: User, address: str) -> None:
    """Store that the person reads what is sent to this address, unless another account's person has proven it."""
    others = EmailAddress.objects.filter(email=address, verified=True).exclude(user=user)
    if not others.exists():
        EmailAddress.objects.update_or_create(
            user=user, email=address, defaults={"verified": True, "primary": True}
        )


def accounts_of(pending: PendingMembership) -> QuerySet[User]:
    """Return the accounts that have the invitation's address; only for a person who opened its link."""
    return User.objects.filter(email__iexact=pending.email).order_by("username")


def leave(member: Membership) -> None:
    """End the person's own membership, if it stands. Raises ActionNotAllowed for the last Super Admin."""
    with transaction.atomic():
        target, changes = target_of(member), {"role": (member.role, "")}
        try:
            if not member.end():
                return
        except LastSuperAdmin as error:
            raise ActionNotAllowed(LAST_SUPER_ADMIN_STAYS) from error
        what_happened = "left the organization"
        left = tell_members_changed(
            member.organization, str(member.user), what_happened, member.user, ended=member.user
        )
        audit(target, member.user, AuditAction.LEAVE, changes, left)


def work_in(user: User, organization: Organization) -> None:
    """Store the organization that the person works in, so that their next sign-in leads there."""
    PersonalSettings.objects.update_or_create(user=user, defaults={"last_organization": organization})


def _locked(pending: PendingMembership) -> PendingMembership | None:
    """Return the row while it still stands as it was read, locked until the transaction ends."""
    rows = PendingMembership.objects.open().select_for_update(of=("self",)).select_related("organization")
    return rows.filter(pk=pending.pk, invited_at=pending.invited_at).first()


def _free_username(address: str) -> str:
    """Return the address as a user name; with a number where an account of another address has that name."""
    name, number = address, 1
    while User.objects.filter(username__iexact=name).exists():
        number += 1
        name = f"{address[:140]}-{number}"
    return name
