"""Who was invited to an organization and hasn't answered yet: it gives no access to anything."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.models import db_clock
from integrations.models.membership import Membership

#: How long an invitation can be accepted after it was last sent.
LIFETIME = timedelta(days=7)
#: An invitation that ended unanswered is listed for so long, to be sent again; then the address is deleted.
KEPT_AFTER_END = timedelta(days=30)
#: A new account is named after the address, and a user name has at most so many characters.
LONGEST_ADDRESS = 150


class PendingMembershipQuerySet(models.QuerySet["PendingMembership"]):
    """Pending memberships by whether they can still be accepted, and by whom."""

    def open(self) -> Self:
        """Return those that can still be accepted."""
        return self.filter(invited_at__gt=db_clock.now() - LIFETIME)

    def to(self, address: str) -> Self:
        """Return those that were sent to this address; none for an empty one."""
        return self.filter(email=folded(address)) if address else self.none()

    def purge(self) -> int:
        """Delete those that ended unanswered so long ago; return how many."""
        return self.filter(invited_at__lt=db_clock.now() - LIFETIME - KEPT_AFTER_END).delete()[0]


class PendingMembership(models.Model):
    """An address that was invited to an organization, with the role that its person gets when they accept.

    It names no account: whether one has this address is nobody's business before its person accepts. Accepting makes a
    Membership and deletes this row; declining and withdrawing delete it. The address never changes.
    """

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="pending_memberships"
    )
    email = models.EmailField(max_length=LONGEST_ADDRESS, help_text="In small letters.")
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
            models.CheckConstraint(
                condition=models.Q(role__in=["super_admin", "admin", "team_member", "limited_team_member"]),
                name="pending_membership_role_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} · {self.get_role_display()}"

    @property
    def ends_at(self) -> datetime:
        """Until when it can be accepted."""
        return self.invited_at + LIFETIME

    @property
    def is_open(self) -> bool:
        """Whether it can still be accepted."""
        return self.ends_at > db_clock.now()


def folded(address: str) -> str:
    """Return an e-mail address as it is stored and compared: without spaces around it, in small letters."""
    return address.strip().lower()
