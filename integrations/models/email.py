"""The e-mails an organization sends to its own people: their kinds, the customer's wording, and who wants which."""

from collections.abc import Iterable
from typing import Self

from django.core.validators import MaxLengthValidator
from django.db import models

from integrations.models.membership import Membership
from integrations.models.organization import Organization


class EmailKind(models.TextChoices):
    """What a member may want or not want e-mails about, and what the customer may word."""

    RESULT = "result", "Results"
    ATTENTION = "attention", "Something needs a person"
    EXPIRY = "expiry", "Lever's connection ends soon"
    RESOLVED = "resolved", "Back to normal"


class EmailTopic(models.TextChoices):
    """What one e-mail is about; the outbox keeps it with the effect that sends the e-mail."""

    RESULT = "result", "Result"
    RESULT_CHANGED = "result_changed", "Result changed after a move"
    INVITATION_UNCERTAIN = "invitation_uncertain", "Invitation uncertain"
    INVITATION_FAILED = "invitation_failed", "Invitation failed"
    INVITATION_BOUNCED = "invitation_bounced", "Invitation bounced"
    INCIDENT_BEGUN = "incident_begun", "Incident begun"
    INCIDENT_ENDED = "incident_ended", "Incident ended"
    CONNECTION_ENDS = "connection_ends", "Lever's connection ends"
    RECONNECT_NEEDED = "reconnect_needed", "Lever must be reconnected"
    RECONNECTED = "reconnected", "Lever reconnected"
    WELCOME = "welcome", "Welcome of a new member"
    PASSWORD_RESET = "password_reset", "Password reset"
    ADMIN_REQUEST = "admin_request", "Request to the Super Admins"
    TEST = "test", "Test of a wording"

    @property
    def kind(self) -> EmailKind | None:
        """The kind by which members choose whether they get it; None where it goes to named people."""
        return _KINDS.get(self)


_KINDS = {
    EmailTopic.RESULT: EmailKind.RESULT,
    EmailTopic.RESULT_CHANGED: EmailKind.ATTENTION,
    EmailTopic.INVITATION_UNCERTAIN: EmailKind.ATTENTION,
    EmailTopic.INVITATION_FAILED: EmailKind.ATTENTION,
    EmailTopic.INVITATION_BOUNCED: EmailKind.ATTENTION,
    EmailTopic.INCIDENT_BEGUN: EmailKind.ATTENTION,
    EmailTopic.INCIDENT_ENDED: EmailKind.RESOLVED,
    EmailTopic.CONNECTION_ENDS: EmailKind.EXPIRY,
    EmailTopic.RECONNECT_NEEDED: EmailKind.ATTENTION,
    EmailTopic.RECONNECTED: EmailKind.RESOLVED,
}

#: Topics of the e-mails without which somebody can't sign in.
SIGN_IN_TOPICS = frozenset({EmailTopic.WELCOME, EmailTopic.PASSWORD_RESET})

#: Which kinds a member gets who hasn't chosen.
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
