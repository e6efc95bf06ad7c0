"""Members of a configuration against users and memberships."""

from collections.abc import Iterator

from django.contrib.auth.models import User

from integrations.configuration.dump import quoted
from integrations.configuration.load import Configuration, Member
from integrations.configuration.plan import ACTOR, Plan, changed
from integrations.models import Membership
from integrations.workflow.email.links import choose_password_link
from integrations.workflow.operations.members import has_password, save_member


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
    if user and member.password and not has_password(user, member.password):
        plan.say("~", f"{what} password", "changed" if user.has_usable_password() else "set")
    if len(plan.lines) > before:
        plan.do(what, lambda: _save(plan, member))


def _save(plan: Plan, member: Member) -> None:
    save_member(
        plan.organization,
        member.username,
        member.role,
        ACTOR,
        email=member.email,
        password=member.password,
    )


def invitation_links(configuration: Configuration) -> Iterator[tuple[str, str]]:
    """Yield each member of the file who has no password yet, with a link to choose one."""
    for member in configuration.members:
        user = User.objects.filter(username=member.username).first()
        if user and not user.has_usable_password():
            yield member.username, choose_password_link(user)
