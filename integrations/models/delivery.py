"""The inbox: verified webhooks, each stored once and unchanged, with their verdicts."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations import vocabulary
from integrations.models.invitation import Invitation
from integrations.models.leasing import Leasable, LeasableQuerySet
from integrations.models.organization import Organization

WAITING_VERDICTS = (vocabulary.VerdictCode.PAUSED, vocabulary.VerdictCode.DISCONNECTED)


class DeliveryQuerySet(LeasableQuerySet["Delivery"]):
    """Deliveries by verdict."""

    def waiting(self) -> Self:
        """Deliveries that are decided again when the connection is back or the organization is no longer paused."""
        return self.filter(verdict__in=WAITING_VERDICTS)

    def requeue(self, organization: Organization) -> int:
        """Make the organization's waiting deliveries due. Return how many."""
        return (
            self.waiting()
            .filter(organization=organization, due_at__isnull=True)
            .update(due_at=Now(), attempts=0)
        )


class Delivery(Leasable):
    """One verified inbound webhook, or one thing the sweep found."""

    Platform = vocabulary.Platform
    VerdictCode = vocabulary.VerdictCode

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="deliveries"
    )
    platform = models.CharField(max_length=20, choices=vocabulary.Platform.choices())
    event = models.CharField(max_length=100)
    dedupe_key = models.CharField(max_length=300, help_text="Equal for repeats of the same delivery.")
    opportunity_id = models.CharField(max_length=200, blank=True)
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now())
    repeats = models.PositiveIntegerField(default=0, help_text="How often the platform sent it again.")
    verdict = models.CharField(max_length=40, choices=vocabulary.VerdictCode.choices(), blank=True)
    explanation = models.TextField(blank=True)
    assessment_source = models.CharField(
        max_length=30,
        choices=vocabulary.AssessmentSource.choices(),
        blank=True,
        help_text="What named the assessment; empty when nothing did or it didn't come to that.",
    )
    assessment_written = models.TextField(
        blank=True, help_text="The name or id of the assessment as the mapping, tag or default has it."
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    invitation = models.ForeignKey(
        "integrations.Invitation", on_delete=models.SET_NULL, null=True, blank=True, related_name="deliveries"
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "platform", "dedupe_key"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(platform__in=[platform.value for platform in vocabulary.Platform]),
                name="delivery_platform",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="", decided_at__isnull=True)
                | (~models.Q(verdict="") & models.Q(decided_at__isnull=False)),
                name="delivery_verdict_has_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "due_at"],
                name="delivery_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(fields=["organization", "-received_at"], name="delivery_recent"),
            models.Index(fields=["organization", "opportunity_id"], name="delivery_opportunity"),
            # for the doctor and the linter, which look for few rows among very many
            models.Index(
                fields=["organization"],
                name="delivery_stuck",
                condition=models.Q(due_at__isnull=True, verdict=""),
            ),
            models.Index(
                fields=["organization", "-received_at"],
                name="delivery_unknown",
                condition=models.Q(verdict=vocabulary.VerdictCode.UNKNOWN_ASSESSMENT.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.event} #{self.pk}"

    @property
    def is_stuck(self) -> bool:
        """Whether the portal gave up on it: claims crashed MAX_CONSECUTIVE_CRASHES times in a row."""
        return self.due_at is None and not self.verdict and bool(self.last_error)

    def decide(
        self,
        verdict: vocabulary.VerdictCode,
        explanation: str,
        invitation: Invitation | None = None,
        *,
        assessment_source: vocabulary.AssessmentSource | None = None,
        assessment_written: str = "",
    ) -> bool:
        """Record the verdict and end the lease. Return False when another worker holds the lease by now."""
        return self.release(
            verdict=verdict,
            explanation=explanation,
            assessment_source=assessment_source or "",
            assessment_written=assessment_written,
            invitation=invitation,
            decided_at=Now(),
            due_at=None,
            last_error="",
            traceback="",
        )
