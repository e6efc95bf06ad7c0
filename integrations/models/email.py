"""The e-mails an organization sends to its own people: their kinds, the customer's wording, and who wants which."""

from collections.abc import Iterable
from typing import Self

from django.core.validators import MaxLengthValidator
from django.db import models

from integrations.models.membership import Membership
from integrations.models.organization import Organization


class EmailKind(models.TextChoices):
    """What an e-mail is about."""

    RESULT = "result", "Results"
    TROUBLE = "trouble", "Trouble that needs a person"
    FORECAST = "forecast", "Lever's connection ends soon"
    ALL_CLEAR = "all_clear", "All clear again"


#: Which kinds a person gets who hasn't said otherwise.
WANTED_BY_DEFAULT: dict[str, frozenset[str]] = {
    Membership.Role.SUPER_ADMIN: frozenset(EmailKind.values),
    Membership.Role.ADMIN: frozenset(EmailKind.values),
    Membership.Role.TEAM_MEMBER: frozenset({EmailKind.RESULT.value}),
    Membership.Role.LIMITED_TEAM_MEMBER: frozenset(),
}


class EmailTemplate(models.Model):
    """The customer's wording of one kind of e-mail; without a row the portal's own wording holds."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="email_templates"
    )
    kind = models.CharField(max_length=20, choices=EmailKind)
    subject = models.CharField(max_length=200)
    body = models.TextField(validators=[MaxLengthValidator(5000)])
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["organization", "kind"]
        constraints = [models.UniqueConstraint(fields=["organization", "kind"], name="email_template_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.organization}"


class NotificationPreferenceQuerySet(models.QuerySet["NotificationPreference"]):
    """What people said they want."""

    def members_who_want(self, organization: Organization, kind: str) -> list[Membership]:
        """Return the organization's active members with an address who want that kind, by their own word or by role."""
        said = dict(
            self.filter(membership__organization=organization, kind=kind).values_list(
                "membership", "is_wanted"
            )
        )
        members = Membership.objects.filter(organization=organization, user__is_active=True)
        return [
            member
            for member in members.exclude(user__email="").select_related("user").order_by("user__email")
            if said.get(member.pk, kind in WANTED_BY_DEFAULT[member.role])
        ]

    def of(self, membership_ids: Iterable[int]) -> Self:
        """What these members chose."""
        return self.filter(membership__in=membership_ids)


class NotificationPreference(models.Model):
    """Whether one member wants one kind of e-mail; without a row the role's default holds."""

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
