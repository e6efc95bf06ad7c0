"""The members of a configuration, compared with users and memberships."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User

from integrations.configuration.contents import Member
from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_value
from integrations.configuration.toml import quoted
from integrations.models import Membership, Organization
from integrations.workflow.email.links import choose_password_link
from integrations.workflow.operations.members import has_password, save_member


@dataclass(frozen=True)
class MemberSaved:
    """A member who is new, or whose role, address or password changes."""

    member: Member
    lines: Sequence[Line]

    @property
    def path(self) -> str:
        """The member by name."""
        return _subject(self.member)

    def apply(self, organization: Organization) -> None:
        """Store the member, and the user where there is none."""
        save_member(
            organization,
            self.member.username,
            self.member.role,
            ACTOR,
            email=self.member.email,
            password=self.member.password,
        )


def compare_members(members: Sequence[Member], organization: Organization) -> Iterator[Change]:
    """Yield the members who differ.

    Super Admins come first, so that a file can name a new one and give the last one another role.
    """
    for member in sorted(members, key=lambda member: member.role != Membership.Role.SUPER_ADMIN):
        if lines := list(_lines(member, organization)):
            yield MemberSaved(member, lines)


def _lines(member: Member, organization: Organization) -> Iterator[Line]:
    subject = _subject(member)
    user = User.objects.filter(username=member.username).first()
    stored = None
    if user and organization.pk is not None:
        stored = Membership.objects.filter(user=user, organization=organization).first()
    if stored is None:
        yield Line(Sign.ADDED, subject, member.role)
    elif stored.role != member.role:
        yield Line(Sign.CHANGED, f"{subject} role", f"{stored.role} → {member.role}")
    if user and member.email and user.email != member.email:
        yield Line(Sign.CHANGED, f"{subject} email", changed_value(user.email, member.email))
    if user and member.password and not has_password(user, member.password):
        yield Line(Sign.CHANGED, f"{subject} password", "changed" if user.has_usable_password() else "set")


def _subject(member: Member) -> str:
    return f"member {quoted(member.username)}"


def invitation_links(members: Sequence[Member]) -> Iterator[tuple[str, str]]:
    """Yield each stored member who has no password yet, with a link to choose one."""
    for member in members:
        user = User.objects.filter(username=member.username).first()
        if user and not user.has_usable_password():
            yield member.username, choose_password_link(user)
