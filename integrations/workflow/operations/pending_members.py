"""Invite people to an organization, send their invitation again, withdraw it."""

from enum import Enum

from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    Membership,
    Organization,
    PendingMembership,
    audit,
    db_clock,
    target_of,
)
from integrations.models.pending_membership import folded
from integrations.workflow.email.account_notice import tell_members_changed
from integrations.workflow.email.welcome import (
    MOST_PER_ADDRESS,
    MOST_PER_HOUR,
    enqueue_welcome,
    may_be_invited,
)
from integrations.workflow.operations.errors import ActionNotAllowed


class InvitationRefusal(Enum):
    """Why nobody was invited, in a sentence for the Super Admin."""

    MEMBER_ALREADY = "This person is a member already: change their role in the list."
    TOO_MANY = (
        f"Too many invitations: an organization may send {MOST_PER_HOUR} an hour, and {MOST_PER_ADDRESS} a day to one "
        "address. Wait a while."
    )


def invite(
    organization: Organization, address: str, role: str, actor: Actor
) -> PendingMembership | InvitationRefusal:
    """Invite the person with that e-mail address, again if they were already; return the pending membership.

    Nothing here looks whether an account has the address, so that the outcome can't tell.
    """
    email = folded(address)
    with transaction.atomic():
        # two invitations at once are counted one after the other
        Organization.objects.lock(organization.pk)
        if _is_member(organization, email):
            return InvitationRefusal.MEMBER_ALREADY
        if not may_be_invited(organization, email):
            return InvitationRefusal.TOO_MANY
        earlier = PendingMembership.objects.filter(organization=organization).to(email).first()
        pending, _ = PendingMembership.objects.update_or_create(
            organization=organization,
            email=email,
            defaults={"role": role, "invited_at": db_clock.now()},
        )
        enqueue_welcome(pending)
        changes = {"role": (earlier.role if earlier else "", role)}
        audit(pending, actor, AuditAction.INVITE_MEMBER, changes)
        tell_members_changed(organization, email, f"invited as {pending.get_role_display()}", actor)
    return pending


def send_again(pending: PendingMembership, actor: Actor) -> None:
    """Send the invitation again, with a new link; earlier links end. Raises ActionNotAllowed."""
    with transaction.atomic():
        Organization.objects.lock(pending.organization_id)
        if not may_be_invited(pending.organization, pending.email):
            raise ActionNotAllowed(InvitationRefusal.TOO_MANY.value)
        pending.invited_at = db_clock.now()
        pending.save(update_fields=["invited_at"])
        enqueue_welcome(pending)
        audit(pending, actor, AuditAction.SEND_INVITATION_LINK)


def withdraw(pending: PendingMembership, actor: Actor) -> None:
    """Withdraw the invitation: its links end at once."""
    _end(pending, actor, AuditAction.WITHDRAW_INVITATION, "invitation withdrawn")


def decline(pending: PendingMembership, actor: Actor) -> None:
    """Record that the invited person doesn't want to be a member; links end at once."""
    _end(pending, actor, AuditAction.DECLINE_MEMBERSHIP, "invitation declined")


def _end(pending: PendingMembership, actor: Actor, action: AuditAction, what_happened: str) -> None:
    with transaction.atomic():
        locked = PendingMembership.objects.select_for_update(of=("self",)).filter(pk=pending.pk).first()
        if locked is None:
            return  # answered or withdrawn meanwhile, which has its own entry
        target = target_of(locked)
        locked.delete()
        audit(target, actor, action, {"role": (pending.role, "")})
        tell_members_changed(pending.organization, pending.email, what_happened, actor)


def _is_member(organization: Organization, email: str) -> bool:
    """Whether a member has that address; the Super Admins see the members' addresses anyway."""
    return Membership.objects.filter(organization=organization, user__email__iexact=email).exists()
