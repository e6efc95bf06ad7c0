"""People accept a membership, by a link that was sent to their address or signed in, and leave an organization."""

from enum import Enum

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from integrations.audit.models.audited_rows import audit, target_of
from integrations.audit.models.entry import AuditAction
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.acts.members import follow_role
from integrations.members.models.membership import (
    LastSuperAdmin,
    Membership,
    PendingMembership,
    PendingMembershipQuerySet,
    PersonalSettings,
    folded,
)
from integrations.notifications.account_notices import tell_members_changed
from integrations.organizations.models.organization import Organization


class InvitationProof(Enum):
    """What shows that who accepts was invited; each but a shown link shows that they read what the address gets."""

    LINK = "the link that was sent to it"
    SHOWN_LINK = "the link that a Super Admin was shown, where the portal sends no mail"
    EARLIER_LINK = "an earlier link, which the account keeps"
    PROVIDER = "the provider of the organization, which has proven the domain"


INVITATION_ENDED = (
    "This invitation no longer works: it was answered, withdrawn or sent again, or a week is over."
)
LAST_SUPER_ADMIN_STAYS = (
    "You are the last Super Admin. Make somebody else one first, under Settings › Members."
)
OTHER_ADDRESS = "This invitation was sent to another address than that of your account."


def has_proven_address(user: User) -> bool:
    """Whether the person once opened a link that was sent to the address that their account has now."""
    stored = PersonalSettings.objects.filter(user=user).first()
    return stored is not None and stored.proven_email != "" and stored.proven_email == folded(user.email)


def open_invitations(user: User) -> PendingMembershipQuerySet:
    """Return the pending memberships that the person can accept signed in; none while their address isn't proven."""
    rows = PendingMembership.objects.open().select_related("organization").order_by("invited_at", "pk")
    return rows.to(user.email) if has_proven_address(user) else rows.none()


def accept(pending: PendingMembership, user: User, proof: InvitationProof) -> Membership:
    """Make the person a member, with the role of the invitation. Raises ActionNotAllowed.

    Everything is looked at again under a lock: that the invitation still stands, that it was sent to the address of
    this account, and that the address is proven. Somebody who became a member meanwhile stays what they are.
    """
    with transaction.atomic():
        locked = _locked(pending)
        if locked is None:
            raise ActionNotAllowed(INVITATION_ENDED)
        if folded(user.email) != locked.email or (
            proof is InvitationProof.EARLIER_LINK and not has_proven_address(user)
        ):
            raise ActionNotAllowed(OTHER_ADDRESS)
        organization, role = locked.organization, locked.role
        member, is_new = Membership.objects.get_or_create(
            user=user, organization=organization, defaults={"role": role, "address": locked.email}
        )
        locked.delete()
        proven = {} if proof is InvitationProof.SHOWN_LINK else {"proven_email": pending.email}
        PersonalSettings.objects.update_or_create(
            user=user, defaults={**proven, "last_organization": organization}
        )
        if is_new:
            follow_role(member)
            changes = {"role": ("", role)}
            audit(member, user, AuditAction.ACCEPT_MEMBERSHIP, changes)
            what_happened = f"accepted the invitation and is {member.get_role_display()} now"
            tell_members_changed(organization, member.address, what_happened, user)
    return member


def accept_with_new_account(pending: PendingMembership, user: User, proof: InvitationProof) -> Membership:
    """Store the account that the person makes, named after the invitation's address, and make it a member.

    `user` isn't stored yet and has the password that they chose. Raises ActionNotAllowed, also when an account has
    the address by now: its person signs in to it instead.
    """
    with transaction.atomic():
        if _locked(pending) is None:
            raise ActionNotAllowed(INVITATION_ENDED)
        if accounts_of(pending).exists():
            raise ActionNotAllowed(
                "An account has this address by now: sign in to it and open the link again."
            )
        user.username, user.email = _free_username(pending.email), pending.email
        user.save()
        return accept(pending, user, proof)


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
        tell_members_changed(member.organization, str(member.user), "left the organization", member.user)
        audit(target, member.user, AuditAction.LEAVE, changes)


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
