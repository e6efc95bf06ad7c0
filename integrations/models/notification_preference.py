"""Which member wants which e-mails."""

from collections.abc import Iterable
from typing import Self

from django.db import models

from integrations.models.email import EmailKind
from integrations.models.membership import Membership
from integrations.models.organization import Organization

#: What nobody gets without having chosen it: it comes before what people wait for.
_CHOSEN_ONLY = frozenset({EmailKind.SUBMITTED.value})
#: What one person of an organization should keep where nobody who can write to the database can take it back.
_SUPER_ADMINS = frozenset({EmailKind.LOG_HEAD.value})
#: Which kinds a member gets who hasn't chosen.
WANTED_BY_DEFAULT: dict[str, frozenset[str]] = {
    Membership.Role.SUPER_ADMIN: frozenset(EmailKind.values) - _CHOSEN_ONLY,
    Membership.Role.ADMIN: frozenset(EmailKind.values) - _CHOSEN_ONLY - _SUPER_ADMINS,
    Membership.Role.TEAM_MEMBER: frozenset({EmailKind.RESULT.value}),
    Membership.Role.LIMITED_TEAM_MEMBER: frozenset(),
}


class NotificationPreferenceQuerySet(models.QuerySet["NotificationPreference"]):
    """What members have chosen."""

    def members_who_want(self, organization: Organization, kind: EmailKind) -> list[Membership]:
        """Return the active members with an address who get that kind, by their choice or else by their role."""
        choices = self.filter(membership__organization=organization, kind=kind)
        is_wanted = dict(choices.values_list("membership", "is_wanted"))
        members = Membership.objects.filter(organization=organization, user__is_active=True)
        return [
            member
            for member in members.exclude(user__email="").select_related("user").order_by("user__email")
            if is_wanted.get(member.pk, kind in WANTED_BY_DEFAULT[member.role])
        ]

    def for_members(self, membership_ids: Iterable[int]) -> Self:
        """Return what these members have chosen."""
        return self.filter(membership__in=membership_ids)


class NotificationPreference(models.Model):
    """Whether one member wants one kind of e-mail; without a row the role decides."""

    membership = models.ForeignKey(
        "integrations.Membership", on_delete=models.CASCADE, related_name="notification_preferences"
    )
    kind = models.CharField(max_length=20, choices=EmailKind)
    is_wanted = models.BooleanField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = NotificationPreferenceQuerySet.as_manager()

    class Meta:
        ordering = ["membership", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "kind"], name="notification_preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.get_kind_display()}"
