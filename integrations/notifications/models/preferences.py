"""What an organization and its members chose: the wording of e-mails, who wants which, and where alerts go."""

from typing import Self

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.functions import Now

from integrations.members.models.membership import Membership
from integrations.notifications.models.email_kind import AlertTopic, EmailKind
from integrations.organizations.models.organization import Organization
from integrations.store.columns import EncryptedTextField, moment, one_of
from integrations.store.personal import Holds, about_user, harmless


class EmailTemplate(models.Model):
    """The customer's wording of one kind of e-mail; without a row the portal's own wording is used."""

    HOLDS = Holds("the customer's wording of e-mails, with variables instead of values", "until it is reset")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="email_templates"
    )
    kind = models.CharField(max_length=20, choices=EmailKind.choices())
    subject = harmless(models.CharField(max_length=200))
    body = harmless(models.TextField(validators=[MaxLengthValidator(5000)]))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["organization", "kind"]
        constraints = [models.UniqueConstraint(fields=["organization", "kind"], name="email_template_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.organization}"


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
            if is_wanted.get(member.pk, member.role in kind.record.roles)
        ]


class NotificationPreference(models.Model):
    """Whether one member wants one kind of e-mail; without a row the role decides."""

    HOLDS = Holds("which e-mails members chose to get or not to get", "as long as the membership")

    membership = models.ForeignKey(
        "integrations.Membership", on_delete=models.CASCADE, related_name="notification_preferences"
    )
    kind = models.CharField(max_length=20, choices=EmailKind.choices())
    is_wanted = about_user("whether the person wants e-mails of that kind", models.BooleanField())
    updated_at = models.DateTimeField(auto_now=True)

    objects = NotificationPreferenceQuerySet.as_manager()

    class Meta:
        ordering = ["membership", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "kind"], name="notification_preference_once")
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.get_kind_display()}"


# Where an organization's alerts go besides e-mail: chat rooms and programs of its own.


#: How many one organization may have: each result is sent to each of them.
MOST_ADDRESSES = 5


class AlertAddressQuerySet(models.QuerySet["AlertAddress"]):
    """Addresses by what they get."""

    def getting(self, topic: AlertTopic) -> Self:
        """Return the addresses to which alerts of a topic are sent; none that are off or stopped."""
        return self.filter(is_on=True, stopped_at__isnull=True, **{topic.record.column: True})


class AlertAddress(models.Model):
    """One address that alerts are posted to. Anyone who has its URL can post there, so the URL is stored encrypted."""

    HOLDS = Holds(
        "where alerts are posted; the URL and the signing secret are encrypted", "until it is removed"
    )

    class Kind(models.TextChoices):
        """How an alert is written and proven."""

        SLACK = "slack", "Slack message"
        SIGNED = "signed", "Signed webhook"

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="alert_addresses", db_index=False
    )
    name = harmless(models.CharField(max_length=60))
    kind = models.CharField(max_length=10, choices=Kind)
    url = EncryptedTextField()
    host = harmless(models.CharField(max_length=253, help_text="The only part of the URL that is shown."))
    secret = EncryptedTextField(blank=True, help_text="Signs what a signed webhook carries.")
    is_on = models.BooleanField(
        default=True, verbose_name="on", help_text="Whether a person wants alerts sent to it."
    )
    wants_results = models.BooleanField(default=True, verbose_name="results")
    wants_held = models.BooleanField(default=True, verbose_name="invitations that need approval")
    wants_incidents = models.BooleanField(default=True, verbose_name="problems")
    created_at = models.DateTimeField(db_default=Now())
    last_success_at = moment("When an alert was last accepted.")
    last_failure_at = moment("When an alert was last not accepted.")
    last_failure = harmless(models.TextField(blank=True, help_text="Why it wasn't accepted."))
    stopped_at = moment(
        "Since when nothing is sent, because an alert was refused for good; a test that arrives ends it."
    )

    objects = AlertAddressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "alert addresses"
        ordering = ["organization", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="alert_address_name_once"),
            one_of("alert_address_kind_known", "kind", ["slack", "signed"]),
            models.CheckConstraint(
                condition=models.Q(wants_results=True)
                | models.Q(wants_held=True)
                | models.Q(wants_incidents=True),
                name="alert_address_wants_something",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def topics(self) -> list[str]:
        return [topic.label for topic in AlertTopic if getattr(self, topic.record.column)]
