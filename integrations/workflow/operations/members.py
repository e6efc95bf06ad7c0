"""Invite, add, change and remove the members of an organization."""

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Changes,
    LastSuperAdmin,
    Membership,
    Organization,
    TargetKind,
)
from integrations.workflow.email.welcome import enqueue_welcome
from integrations.workflow.operations.errors import ActionNotAllowed

#: A user who is created with one of these roles may open the Django admin.
STAFF_ROLES = frozenset({Membership.Role.SUPER_ADMIN, Membership.Role.ADMIN})


def find_invited_user(organization: Organization, username: str, email: str) -> User | None:
    """Return the existing user with that name; None when the name is free.

    Raises ValidationError when the name belongs to another address, or the user is a member already.
    """
    user = User.objects.filter(username__iexact=username).first()
    if user is None:
        return None
    if (user.email or "").casefold() != email.casefold():
        raise ValidationError({"username": "Somebody else has this user name. Choose another."})
    if organization.memberships.filter(user=user).exists():
        raise ValidationError({"username": "This person is a member already: change their role in the list."})
    return user


def invite_member(
    organization: Organization, username: str, email: str, role: str, actor: Actor
) -> Membership:
    """Make a person a member, as a new user where there is none of that name; return the membership.

    Sends the invitation link where the person has no password yet. Raises ValidationError by field.
    """
    with transaction.atomic():
        user = find_invited_user(organization, username, email)
        user = user or User.objects.create_user(username, email)
        member = Membership(organization=organization, user=user, role=role)
        _store_new(member, actor, AuditAction.INVITE_MEMBER, {"role": ("", role)})
        if may_set_password(member):
            enqueue_welcome(member)
    return member


def may_set_password(member: Membership) -> bool:
    """Whether this organization may hand out a link to choose the person's password.

    Only while nobody has chosen one, and the person belongs to no other organization and isn't staff.
    """
    user = member.user
    elsewhere = Membership.objects.filter(user=user).exclude(organization=member.organization_id).exists()
    return not (user.has_usable_password() or elsewhere or user.is_staff or user.is_superuser)


def send_invitation_link(member: Membership, actor: Actor) -> None:
    """Send the invitation link by e-mail again. Raises ActionNotAllowed."""
    if not may_set_password(member) or not member.user.email:
        raise ActionNotAllowed("There is no link for this person.")
    with transaction.atomic():
        enqueue_welcome(member)
        AuditEntry.record(member.organization, actor, AuditAction.SEND_INVITATION_LINK, audit_target(member))


def add_member(member: Membership, actor: Actor) -> None:
    """Store a new membership of an existing user."""
    _store_new(member, actor, AuditAction.ADD_MEMBER, {"role": ("", member.role)})


def save_member(
    organization: Organization,
    username: str,
    role: str,
    actor: Actor,
    *,
    email: str = "",
    password: str = "",
) -> None:
    """Make a user of that name a member with that role, and store their address and password where given.

    Creates the user where there is none. Raises ActionNotAllowed.
    """
    with transaction.atomic():
        user = User.objects.filter(username=username).first()
        if user is None:
            user = User(username=username, is_staff=role in STAFF_ROLES)
            user.set_unusable_password()
        changes: dict[str, tuple[object, object]] = {}
        if email and email != user.email:
            changes["email"] = (user.email, email)
            user.email = email
        if password and not has_password(user, password):
            changes["password"] = (user.has_usable_password(), password)
            user.set_password(password)
        user.save()
        member = Membership.objects.filter(organization=organization, user=user).first()
        if member is None:
            member = Membership(organization=organization, user=user, role=role)
            _store_new(member, actor, AuditAction.ADD_MEMBER, {"role": ("", role), **changes})
        elif not changes:
            change_role(member, role, actor)
        else:
            if role != member.role:
                changes["role"] = (member.role, role)
            _change_role(member, role)
            AuditEntry.record(organization, actor, AuditAction.CHANGE_MEMBER, audit_target(member), changes)


def has_password(user: User, password: str) -> bool:
    """Whether that is the user's password; unlike User.check_password it never stores a stronger hash of it."""
    return check_password(password, user.password)


def change_role(member: Membership, role: str, actor: Actor) -> bool:
    """Give a member another role; return whether it differs. Raises ActionNotAllowed for the last Super Admin."""
    if role == member.role:
        return False
    with transaction.atomic():
        changes = {"role": (member.role, role)}
        _change_role(member, role)
        AuditEntry.record(member.organization, actor, AuditAction.CHANGE_ROLE, audit_target(member), changes)
    return True


def remove_member(member: Membership, actor: Actor) -> None:
    """Remove a member; the user stays. Raises ActionNotAllowed for the last Super Admin."""
    with transaction.atomic():
        AuditEntry.record(
            member.organization,
            actor,
            AuditAction.REMOVE_MEMBER,
            audit_target(member),
            {"role": (member.role, "")},
        )
        try:
            member.end()
        except LastSuperAdmin as error:
            raise ActionNotAllowed(str(error)) from error


def audit_target(member: Membership) -> AuditTarget:
    """Return the member as an audit entry names it."""
    return AuditTarget(TargetKind.MEMBER, member.pk, str(member.user))


def _store_new(member: Membership, actor: Actor, action: AuditAction, changes: Changes) -> None:
    with transaction.atomic():
        member.save()
        AuditEntry.record(member.organization, actor, action, audit_target(member), changes)


def _change_role(member: Membership, role: str) -> None:
    try:
        member.change_role(role)
    except LastSuperAdmin as error:
        raise ActionNotAllowed(str(error)) from error
