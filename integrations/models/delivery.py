"""The inbox: one verified inbound webhook, raw, once; it carries the verdict."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations.models.invitation import Invitation
from integrations.models.leasing import Leasable, LeasableQuerySet
from integrations.models.organization import Organization

WAITING_VERDICTS = ("paused", "disconnected")


class DeliveryQuerySet(LeasableQuerySet["Delivery"]):
    """Deliveries, by what became of them."""

    def waiting(self) -> Self:
        """Kept until the organization's connection is back, or it is no longer paused."""
        return self.filter(verdict__in=WAITING_VERDICTS)

    def requeue(self, organization: Organization) -> int:
        """Make the organization's waiting deliveries due; how many."""
        return (
            self.waiting()
            .filter(organization=organization, due_at__isnull=True)
            .update(due_at=Now(), attempts=0)
        )


class Delivery(Leasable):
    """One verified inbound webhook, or one thing the sweep found."""

    class Platform(models.TextChoices):
        """Who sent it."""

        LEVER = "lever", "Lever"
        CODESCREEN = "codescreen", "CodeScreen"

    class Verdict(models.TextChoices):
        """Why a delivery did or didn't lead to an invitation; the order is the order of deciding."""

        TEST_REQUEST = "test_request", "Test request"
        PAUSED = "paused", "Paused"
        DISCONNECTED = "disconnected", "Disconnected"
        IGNORED_EVENT = "ignored_event", "Event we don't act on"
        NOT_A_TRIGGER_STAGE = "not_a_trigger_stage", "Not a trigger stage"
        NOT_VISIBLE = "not_visible", "Not visible to the portal"
        LEFT_STAGE = "left_stage", "Left the stage"
        ARCHIVED = "archived", "Archived"
        ANONYMIZED = "anonymized", "Anonymized"
        CONTACT_NOT_ALLOWED = "contact_not_allowed", "Contact not allowed"
        NO_ASSESSMENT = "no_assessment", "No assessment"
        UNKNOWN_ASSESSMENT = "unknown_assessment", "Unknown assessment"
        AMBIGUOUS_ASSESSMENT = "ambiguous_assessment", "Ambiguous assessment"
        NO_EMAIL = "no_email", "No e-mail address"
        ALREADY_INVITED = "already_invited", "Already invited"
        INVITED_ELSEWHERE = "invited_elsewhere", "Invited elsewhere"
        HELD_FOR_APPROVAL = "held_for_approval", "Held for approval"
        INVITE = "invite", "Invite"
        NOTED = "noted", "Noted"

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="deliveries"
    )
    platform = models.CharField(max_length=20, choices=Platform)
    event = models.CharField(max_length=100)
    dedupe_key = models.CharField(
        max_length=300, help_text="What makes it the same delivery when it comes again."
    )
    opportunity_id = models.CharField(max_length=200, blank=True)
    payload = models.JSONField()
    received_at = models.DateTimeField(db_default=Now())
    repeats = models.PositiveIntegerField(default=0, help_text="How often it came again.")
    verdict = models.CharField(max_length=40, choices=Verdict, blank=True)
    explanation = models.TextField(blank=True)
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
                condition=models.Q(platform__in=["lever", "codescreen"]), name="delivery_platform"
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
            # what the doctor and the linter look for among very many
            models.Index(
                fields=["organization"],
                name="delivery_stuck",
                condition=models.Q(due_at__isnull=True, verdict=""),
            ),
            models.Index(
                fields=["organization", "-received_at"],
                name="delivery_unknown",
                condition=models.Q(verdict="unknown_assessment"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.event} #{self.pk}"

    @property
    def is_stuck(self) -> bool:
        """Whether the portal gave up on it after MAX_CRASHES tries."""
        return self.due_at is None and not self.verdict and bool(self.last_error)

    def decide(self, verdict: str, explanation: str, invitation: Invitation | None = None) -> bool:
        """Record the verdict and end the lease; False when the lease was lost meanwhile."""
        return self.release(
            verdict=verdict,
            explanation=explanation,
            invitation=invitation,
            decided_at=Now(),
            due_at=None,
            last_error="",
            traceback="",
        )
