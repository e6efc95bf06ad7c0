"""Add, change and remove the members of an organization, and what each chooses of their own candidates."""

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.members.end_access import end_sessions
from integrations.members.models.membership import (
    Membership,
    folded,
)
from integrations.notifications.account_notices import tell_members_changed
from integrations.organizations.models.organization import Organization
from integrations.queue.models.duty_run import Duty, DutyRun

#: A user who is created with one of these roles may open the Django admin.
STAFF_ROLES = frozenset({Membership.Role.SUPER_ADMIN, Membership.Role.ADMIN})


def may_set_password(member: Membership) -> bool:
    """Whether this organization may hand out a link to choose the person's password.

    Only to somebody without an address, who can get no link by e-mail, while nobody has chosen a password, and the
    person belongs to no other organization and isn't staff.
    """
    user = member.user
    if user.email:
        return False
    elsewhere = Membership.objects.elsewhere(user, member.organization_id).exists()
    return not (user.has_usable_password() or elsewhere or user.is_staff or user.is_superuser)


def save_member(
    organization: Organization, username: str, role: str, actor: Actor, *, email: str = "", password: str = ""
) -> None:
    """Make a user of that name a member with that role, and store their address and password where given.

    Creates the user where there is none. The operator's file stands for the person's consent, and states the address
    for this organization alone: to join another one by it, the person opens a link. Raises ActionNotAllowed.
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
            changes["password"] = (user.has_usable_password(), True)
            user.set_password(password)
        user.save()
        if "password" in changes:
            end_sessions(user)
        member = Membership.objects.filter(organization=organization, user=user).first()
        if member is None:
            member = Membership(organization=organization, user=user, role=role, address=folded(user.email))
            member.save()
            have_people_read(member)
            audit(member, actor, AuditAction.ADD_MEMBER, {"role": ("", role), **changes})
            what_happened = f"added as {member.get_role_display()}"
            tell_members_changed(organization, str(user), what_happened, actor)
        elif not changes:
            change_role(member, role, actor)
        else:
            if role != member.role:
                changes["role"] = (member.role, role)
            member.address = folded(user.email)
            member.save(update_fields=["address"])
            member.change_role(role)
            have_people_read(member)
            audit(member, actor, AuditAction.CHANGE_MEMBER, changes)
            what_happened = f"{', '.join(changes)} changed; {member.get_role_display()} now"
            tell_members_changed(organization, str(user), what_happened, actor)


def has_password(user: User, password: str) -> bool:
    """Whether that is the user's password; unlike User.check_password it never stores a stronger hash of it."""
    return check_password(password, user.password)


def change_role(member: Membership, role: str, actor: Actor) -> bool:
    """Give a member another role; return whether it differs. Raises ActionNotAllowed for the last Super Admin."""
    if role == member.role:
        return False
    with transaction.atomic():
        changes = {"role": (member.role, role)}
        was = member.get_role_display()
        member.change_role(role)
        have_people_read(member)
        audit(member, actor, AuditAction.CHANGE_ROLE, changes)
        what_happened = f"{was} until now, {member.get_role_display()} from now on"
        tell_members_changed(member.organization, str(member.user), what_happened, actor)
    return True


def have_people_read(member: Membership) -> None:
    """Have it read who is on each candidate in Lever, where this is the first member who uses it."""
    users = Membership.objects.using_people(member.organization_id)
    if [user.pk for user in users] == [member.pk]:
        DutyRun.objects.request(Duty.SWEEP_FULLY, [member.organization_id])


def list_own_candidates(member: Membership, actor: Actor) -> None:
    """Store that the list of candidates can show a member their own; nothing is changed where it can already."""
    if member.lists_own:
        return
    with transaction.atomic():
        member.lists_own = True
        member.save(update_fields=["lists_own"])
        have_people_read(member)
        audit(member, actor, AuditAction.LIST_OWN_CANDIDATES, {"lists_own": (False, True)})
