"""What e-mails are about, an organization's wording of them, who wants which, and the addresses of alerts."""

from collections.abc import Iterable
from typing import Self

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.functions import Now

from integrations.members.models.membership import Membership
from integrations.organizations.models.organization import Organization
from integrations.store.columns import EncryptedTextField
from integrations.store.personal import Holds, about_user, harmless

# What the e-mails to an organization's own people are about.


class EmailKind(models.TextChoices):
    """A kind of e-mail: members choose which kinds they get, and the customer may word each kind."""

    RESULT = "result", "Results"
    SUBMITTED = "submitted", "Assessment submitted"
    ATTENTION = "attention", "Needs attention"
    EXPIRY = "expiry", "Lever must be reconnected soon"
    RESOLVED = "resolved", "Problem resolved"
    LOG_HEAD = "log_head", "Daily end of the audit log"


class EmailTopic(models.TextChoices):
    """What one e-mail is about; the outbox keeps it with the effect that sends the e-mail."""

    RESULT = "result", "Result"
    SUBMITTED = "submitted", "Assessment submitted"
    RESULT_CHANGED = "result_changed", "Result changed after a move"
    INVITATION_UNCERTAIN = "invitation_uncertain", "Invitation uncertain"
    INVITATION_FAILED = "invitation_failed", "Invitation failed"
    INVITATION_BOUNCED = "invitation_bounced", "Invitation bounced"
    FOLLOWING_ENDED = "following_ended", "Following ended without a result"
    INCIDENT_BEGUN = "incident_begun", "Incident begun"
    INCIDENT_ENDED = "incident_ended", "Incident ended"
    CONNECTION_ENDS = "connection_ends", "Lever's connection ends"
    RECONNECT_NEEDED = "reconnect_needed", "Lever must be reconnected"
    RECONNECTED = "reconnected", "Lever reconnected"
    LOG_HEAD = "log_head", "Daily end of the audit log"
    WELCOME = "welcome", "Welcome of a new member"
    PASSWORD_RESET = "password_reset", "Password reset"
    ACCOUNT = "account", "Change of a person's account"
    ADMIN_REQUEST = "admin_request", "Request to the Super Admins"
    MEMBERS_CHANGED = "members_changed", "Change of the members"
    TEST = "test", "Test of a wording"

    @property
    def kind(self) -> EmailKind | None:
        """The kind by which members choose whether they get it; None where it goes to named people."""
        return _KINDS.get(self)


_KINDS = {
    EmailTopic.RESULT: EmailKind.RESULT,
    EmailTopic.SUBMITTED: EmailKind.SUBMITTED,
    EmailTopic.RESULT_CHANGED: EmailKind.ATTENTION,
    EmailTopic.INVITATION_UNCERTAIN: EmailKind.ATTENTION,
    EmailTopic.INVITATION_FAILED: EmailKind.ATTENTION,
    EmailTopic.INVITATION_BOUNCED: EmailKind.ATTENTION,
    EmailTopic.FOLLOWING_ENDED: EmailKind.ATTENTION,
    EmailTopic.INCIDENT_BEGUN: EmailKind.ATTENTION,
    EmailTopic.INCIDENT_ENDED: EmailKind.RESOLVED,
    EmailTopic.CONNECTION_ENDS: EmailKind.EXPIRY,
    EmailTopic.RECONNECT_NEEDED: EmailKind.ATTENTION,
    EmailTopic.RECONNECTED: EmailKind.RESOLVED,
    EmailTopic.LOG_HEAD: EmailKind.LOG_HEAD,
}

#: Topics of the e-mails about people's own accounts, which they need whatever their organization does.
SIGN_IN_TOPICS = frozenset({EmailTopic.WELCOME, EmailTopic.PASSWORD_RESET, EmailTopic.ACCOUNT})

# The customer's wording of e-mails.


class EmailTemplate(models.Model):
    """The customer's wording of one kind of e-mail; without a row the portal's own wording is used."""

    HOLDS = Holds("the customer's wording of e-mails, with variables instead of values", "until it is reset")

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="email_templates"
    )
    kind = models.CharField(max_length=20, choices=EmailKind)
    subject = harmless(models.CharField(max_length=200))
    body = harmless(models.TextField(validators=[MaxLengthValidator(5000)]))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["organization", "kind"]
        constraints = [models.UniqueConstraint(fields=["organization", "kind"], name="email_template_once")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.organization}"


# Which member wants which e-mails.


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

    HOLDS = Holds("which e-mails members chose to get or not to get", "as long as the membership")

    membership = models.ForeignKey(
        "integrations.Membership", on_delete=models.CASCADE, related_name="notification_preferences"
    )
    kind = models.CharField(max_length=20, choices=EmailKind)
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


class AlertTopic(models.TextChoices):
    """What an alert is about; each address gets the topics that are chosen for it."""

    RESULT = "result", "Results"
    HELD = "held", "Invitations that need approval"
    INCIDENT = "incident", "Problems"


class AlertAddressQuerySet(models.QuerySet["AlertAddress"]):
    """Addresses by what they get."""

    def getting(self, topic: AlertTopic) -> Self:
        """Return the addresses to which alerts of a topic are sent; none that are off or stopped."""
        wanted = {
            AlertTopic.RESULT: "wants_results",
            AlertTopic.HELD: "wants_held",
            AlertTopic.INCIDENT: "wants_incidents",
        }
        return self.filter(is_on=True, stopped_at__isnull=True, **{wanted[topic]: True})


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
        default=True,
        db_default=True,
        verbose_name="on",
        help_text="Whether a person wants alerts sent to it.",
    )
    wants_results = models.BooleanField(default=True, verbose_name="results")
    wants_held = models.BooleanField(default=True, verbose_name="invitations that need approval")
    wants_incidents = models.BooleanField(default=True, verbose_name="problems")
    created_at = models.DateTimeField(db_default=Now())
    last_success_at = models.DateTimeField(
        null=True, blank=True, help_text="When an alert was last accepted."
    )
    last_failure_at = models.DateTimeField(
        null=True, blank=True, help_text="When an alert was last not accepted."
    )
    last_failure = harmless(models.TextField(blank=True, help_text="Why it wasn't accepted."))
    stopped_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Since when nothing is sent, because an alert was refused for good; a test that arrives ends it.",
    )

    objects = AlertAddressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "alert addresses"
        ordering = ["organization", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="alert_address_name_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["slack", "signed"]), name="alert_address_kind_known"
            ),
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
        """What it gets, for people."""
        wanted = {
            AlertTopic.RESULT: self.wants_results,
            AlertTopic.HELD: self.wants_held,
            AlertTopic.INCIDENT: self.wants_incidents,
        }
        return [topic.label for topic, is_wanted in wanted.items() if is_wanted]
