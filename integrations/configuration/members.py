"""Members of a configuration against users and memberships."""

from collections.abc import Iterator

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User

from integrations.configuration.dump import quoted
from integrations.configuration.load import Configuration, Member
from integrations.configuration.plan import ACTOR, Plan, changed
from integrations.models import AuditAction, AuditEntry, AuditTarget, Membership, TargetKind
from integrations.workflow.email.links import choose_password_link

#: A user made with one of these roles may open the Django admin.
STAFF_ROLES = frozenset({"super_admin", "admin"})


def compare(plan: Plan, member: Member) -> None:
    """Add what differs of one member."""
    what = f"member {quoted(member.username)}"
    user = User.objects.filter(username=member.username).first()
    membership = None
    if user and not plan.is_new:
        membership = Membership.objects.filter(user=user, organization=plan.organization).first()
    before = len(plan.lines)
    if membership is None:
        plan.say("+", what, member.role)
    elif membership.role != member.role:
        plan.say("~", f"{what} role", f"{membership.role} → {member.role}")
    if user and member.email and user.email != member.email:
        plan.say("~", f"{what} email", changed(user.email, member.email))
    if user and not _has_password(user, member.password):
        plan.say("~", f"{what} password", "changed" if user.has_usable_password() else "set")
    if len(plan.lines) > before:
        plan.do(what, lambda: _save(plan, member))


def _has_password(user: User, password: str) -> bool:
    """Whether that is the password; not by the user's own method, which may store a stronger hash of it."""
    return not password or check_password(password, user.password)


def _save(plan: Plan, member: Member) -> None:
    user = User.objects.filter(username=member.username).first()
    if user is None:
        user = User(username=member.username, is_staff=member.role in STAFF_ROLES)
        user.set_unusable_password()
    changes: dict[str, tuple[object, object]] = {}
    if member.email:
        changes["email"] = (user.email, member.email)
        user.email = member.email
    if not _has_password(user, member.password):
        changes["password"] = (user.password if user.has_usable_password() else "", member.password)
        user.set_password(member.password)
    user.save()
    membership, is_new = Membership.objects.get_or_create(
        user=user, organization=plan.organization, defaults={"role": member.role}
    )
    changes["role"] = ("" if is_new else membership.role, member.role)
    membership.change_role(member.role)
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    target = AuditTarget(TargetKind.MEMBER, membership.pk, member.username)
    AuditEntry.record(plan.organization, ACTOR, AuditAction.SAVE_MEMBER, target, changes)


def invitation_links(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield each member of the file who has no password yet, with a link to choose one."""
    for member in configuration.members:
        user = User.objects.filter(username=member.username).first()
        if user and not user.has_usable_password():
            yield member.username, choose_password_link(user)
