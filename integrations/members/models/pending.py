"""Who was invited to an organization and hasn't answered yet: it gives no access to anything."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.members.models.membership import Membership, folded
from integrations.store import database
from integrations.store.columns import one_of
from integrations.store.personal import Holds, about_user

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
