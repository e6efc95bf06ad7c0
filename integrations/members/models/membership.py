"""Who may do what in an organization or is invited to it, which one a session opens, a person's own settings."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models.functions import Now

from integrations.core.vocabulary import ActionNotAllowed
from integrations.store import database
from integrations.store.columns import WITH_ACCOUNT, Holds, about_user, moment, one_of
from integrations.store.database import rows_of


class LastSuperAdmin(ActionNotAllowed):
    """The change would leave the organization without a Super Admin; the message has the fix."""

    def __init__(self, member: "Membership") -> None:
        super().__init__(f"{member.user} is the last Super Admin. Make somebody else one first.")


#: What a person is told who can't be found in Lever.
NOT_FOUND_IN_LEVER = (
    "The portal finds you in Lever by the address with which you joined, and your account has another one now. Ask a "
    "Super Admin to remove you, and to invite the address that you use in Lever."
)


class MembershipManager(models.Manager["Membership"]):
    """Memberships by their person."""

    def elsewhere(self, user: AbstractBaseUser, organization_id: int) -> models.QuerySet["Membership"]:
        """Return the person's memberships in other organizations than this one."""
        return self.filter(user_id=user.pk).exclude(organization=organization_id)

    def using_people(self, organization_id: int) -> list["Membership"]:
        """Return the first two members who use who is on each candidate in Lever: it is read where there is one."""
        is_using = "organization_id = %s AND address <> '' AND (role = %s OR lists_own) ORDER BY id LIMIT 2"
        return rows_of(Membership, is_using, organization_id, Membership.Role.LIMITED_TEAM_MEMBER)


class Membership(models.Model):
    """A user in an organization, with a role. Until they accept they are a PendingMembership, which gives no access."""

    HOLDS = Holds("who may do what in which organization", "until the person leaves or is removed")

    class Role(models.TextChoices):
        """The four roles of Lever's own help article."""

        SUPER_ADMIN = "super_admin", "Super Admin"
        ADMIN = "admin", "Admin"
        TEAM_MEMBER = "team_member", "Team Member"
        LIMITED_TEAM_MEMBER = "limited_team_member", "Limited Team Member"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=30, choices=Role, default=Role.LIMITED_TEAM_MEMBER)
    address = about_user(
        "the address at which the person accepted",
        models.EmailField(
            blank=True,
            help_text="The e-mail address, in small letters, at which the person accepted, or which the "
            "operator's file states. By it the person is found among those who are on a candidate in Lever.",
        ),
    )
    lists_own = models.BooleanField(
        default=False, help_text="Whether the person lists the candidates they are on in Lever."
    )
    gets_results = models.BooleanField(
        null=True, blank=True, help_text="Whether the person chose e-mails about results; empty: by the role."
    )
    gets_problems = models.BooleanField(
        null=True,
        blank=True,
        help_text="Whether the person chose e-mails about problems; empty: by the role.",
    )
    deactivated_in_lever_at = moment(
        "Since when Lever lists the person as deactivated, who keeps access as the last Super Admin."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipManager()

    class Meta:
        ordering = ["organization", "user"]
        constraints = [
            models.UniqueConstraint(fields=["user", "organization"], name="membership_once_per_organization"),
            one_of(
                "membership_role_known",
                "role",
                ["super_admin", "admin", "team_member", "limited_team_member"],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"

    @property
    def name(self) -> str:
        """The person's name where it is known, else their user name."""
        return self.user.get_full_name() or self.user.get_username()

    def may(self, right: str) -> bool:
        """Whether the member has a right, by the name of its property; everybody has the empty one."""
        return not right or bool(getattr(self, right))

    @property
    def may_connect(self) -> bool:
        """Whether the member may connect, disconnect, and change keys, tokens and members."""
        return self.role in SUPER_ADMINS

    @property
    def may_configure(self) -> bool:
        """Whether the member may change mappings and policies, resolve invitations, and invite by hand."""
        return self.role in ADMINS

    @property
    def may_approve(self) -> bool:
        return self.role in APPROVERS

    @property
    def may_replay(self) -> bool:
        """Whether the member may have a stored delivery decided again."""
        return self.role in REPLAYERS

    @property
    def may_read_log(self) -> bool:
        """Whether the member may read the audit log, here and in the admin: Admins, and Team Members who are staff."""
        return self.role in ADMINS or self.may_open_admin

    @property
    def may_open_admin(self) -> bool:
        """Whether the member finds records of the organization in the admin."""
        return self.role in TEAM and self.user.is_staff

    @property
    def may_retry_effects(self) -> bool:
        return self.role in TEAM

    @property
    def sees_all_candidates(self) -> bool:
        """Whether the member sees every candidate, not only those they are on in Lever."""
        return self.role in TEAM

    @property
    def lever_address(self) -> str:
        """The address by which the person is found in Lever: at which they joined, while it is their account's."""
        return self.address if self.address == folded(self.user.email) else ""

    def _is_last_super_admin(self) -> bool:
        """Whether this is the only Super Admin who can sign in.

        All Super Admins' rows are locked until the transaction ends: when two remove each other at once, the second
        waits for the first and is then the last one.
        """
        holders = Membership.objects.filter(
            organization=self.organization_id, role=self.Role.SUPER_ADMIN, user__is_active=True
        ).order_by("pk")
        return [holder.pk for holder in holders.select_for_update(of=("self",))] == [self.pk]

    def change_role(self, role: str) -> None:
        """Give the member another role. Raises LastSuperAdmin."""
        with transaction.atomic():
            if role != self.Role.SUPER_ADMIN and self._is_last_super_admin():
                raise LastSuperAdmin(self)
            self.role = role
            self.save(update_fields=["role"])

    def end(self) -> bool:
        """Remove the member from the organization; the user account remains. Raises LastSuperAdmin.

        Return whether the member was still there.
        """
        with transaction.atomic():
            if self._is_last_super_admin():
                raise LastSuperAdmin(self)
            return bool(self.delete()[0])


# Who a page or an action is for: each view names one of these as its `allowed_roles`.
SUPER_ADMINS = frozenset({Membership.Role.SUPER_ADMIN})
ADMINS = SUPER_ADMINS | {Membership.Role.ADMIN}
TEAM = ADMINS | {Membership.Role.TEAM_MEMBER}
EVERYONE = TEAM | {Membership.Role.LIMITED_TEAM_MEMBER}
#: Who approves and cancels invitations, one by one and many at once.
APPROVERS = ADMINS
#: Who has a stored delivery decided again.
REPLAYERS = ADMINS


def folded(address: str) -> str:
    """Return an e-mail address as it is stored and compared: without spaces around it, in small letters."""
    return address.strip().lower()


# Who was invited and hasn't answered yet

#: How long an invitation can be accepted after it was last sent.
INVITATION_LIFETIME = timedelta(days=7)
#: An invitation that ended unanswered is listed for so long, to be sent again; then the address is deleted.
KEPT_AFTER_END = timedelta(days=30)
#: A new account is named after the address, and a user name has at most so many characters.
LONGEST_ADDRESS = 150


class PendingMembershipQuerySet(models.QuerySet["PendingMembership"]):
    """Pending memberships by whether they can still be accepted, and by the person who can."""

    def open(self) -> Self:
        return self.filter(invited_at__gt=database.now() - INVITATION_LIFETIME)

    def to(self, address: str) -> Self:
        """Return those that were sent to this address; none for an empty one."""
        return self.filter(email=folded(address)) if address else self.none()

    def purge(self) -> int:
        """Delete those that ended unanswered so long ago; return how many."""
        return self.filter(invited_at__lt=database.now() - INVITATION_LIFETIME - KEPT_AFTER_END).delete()[0]


class PendingMembership(models.Model):
    """An address that was invited to an organization, with the role that its person gets when they accept.

    It names no account: whether one has this address is nobody's business before its person accepts. Accepting makes a
    Membership and deletes this row; declining and withdrawing delete it. The address never changes.
    """

    HOLDS = Holds(
        "who was invited to an organization and hasn't answered",
        "until the person answers, the invitation is withdrawn, or 30 days after it ended",
    )

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="pending_memberships"
    )
    email = about_user(
        "the address that was invited",
        models.EmailField(max_length=LONGEST_ADDRESS, help_text="In small letters."),
    )
    role = models.CharField(max_length=30, choices=Membership.Role)
    created_at = models.DateTimeField(db_default=Now())
    invited_at = models.DateTimeField(help_text="When the invitation was last sent; a link works for a week.")

    objects = PendingMembershipQuerySet.as_manager()

    class Meta:
        ordering = ["organization", "email"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"], name="pending_membership_once_per_address"
            ),
            models.CheckConstraint(condition=~models.Q(email=""), name="pending_membership_has_address"),
            one_of("pending_membership_role_known", "role", Membership.Role),
        ]

    def __str__(self) -> str:
        return f"{self.email} · {self.get_role_display()}"

    @property
    def ends_at(self) -> datetime:
        """Until when it can be accepted."""
        return self.invited_at + INVITATION_LIFETIME

    @property
    def is_open(self) -> bool:
        return self.ends_at > database.now()


# One person's own settings, the same in every organization.


class PersonalSettings(models.Model):
    """Where a person worked last."""

    HOLDS = Holds("where a person worked last", WITH_ACCOUNT)

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="personal_settings"
    )
    last_organization = models.ForeignKey(
        "integrations.Organization",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The organization the person worked in last; signing in leads there.",
    )

    class Meta:
        verbose_name_plural = "personal settings"

    def __str__(self) -> str:
        return f"Settings of {self.user}"


#: The session's key for the primary key of the only organization that it opens; absent where it opens all of them.
ONLY_ORGANIZATION_SESSION_KEY = "only_organization"


def opened_memberships(user_id: int, session: Mapping[str, Any]) -> models.QuerySet[Membership]:
    """Return the memberships that a person's session opens: one that an organization's provider began, its own alone.

    That holds too where the person joined another organization since.
    """
    own = Membership.objects.filter(user=user_id)
    only = session.get(ONLY_ORGANIZATION_SESSION_KEY)
    return own if only is None else own.filter(organization=only)
