"""Where an organization's alerts go besides e-mail: chat rooms and programs of its own."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.models.encrypted_field import EncryptedTextField

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

    class Kind(models.TextChoices):
        """How an alert is written and proven."""

        SLACK = "slack", "Slack message"
        SIGNED = "signed", "Signed webhook"

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="alert_addresses", db_index=False
    )
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Kind)
    url = EncryptedTextField()
    host = models.CharField(max_length=253, help_text="The only part of the URL that is shown.")
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
    last_failure = models.TextField(blank=True, help_text="Why it wasn't accepted.")
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
