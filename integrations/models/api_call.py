"""The log of requests to Lever and CodeScreen."""

from typing import Self

from django.db import models
from django.db.models.functions import Now


class ApiCallQuerySet(models.QuerySet["ApiCall"]):
    """Calls by their answer."""

    def refused(self) -> Self:
        """Calls that the platform's rate limit refused."""
        return self.filter(status=429)


class ApiCall(models.Model):
    """One request with its answer: time, status, duration, attempt; the bodies are redacted."""

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="calls", db_index=False
    )
    effect = models.ForeignKey(
        "integrations.Effect",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
    )
    delivery = models.ForeignKey(
        "integrations.Delivery",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        db_index=False,
    )
    platform = models.CharField(max_length=20)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=1000)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty when no answer came.")
    duration_ms = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=1)
    correlation_id = models.CharField(max_length=40)
    opportunity_id = models.CharField(max_length=200, blank=True)
    request_body = models.TextField(blank=True)
    response_body = models.TextField(blank=True)
    error = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    objects = ApiCallQuerySet.as_manager()

    class Meta:
        verbose_name = "API call"
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["organization", "-at"], name="api_call_recent"),
            # for the metrics: few rows among very many
            models.Index(fields=["platform"], name="api_call_refused", condition=models.Q(status=429)),
            models.Index(fields=["-at"], name="api_call_recent_of_all"),
            # the organization second, so that it serves operators too, who see all organizations
            models.Index(fields=["opportunity_id", "organization", "-at"], name="api_call_opportunity"),
            # no db_index=True: PostgreSQL would get a second index, for a LIKE that nobody asks
            models.Index(fields=["correlation_id"], name="api_call_correlation"),
            models.Index(fields=["effect"], name="api_call_effect", condition=models.Q(effect__isnull=False)),
            models.Index(
                fields=["delivery"], name="api_call_delivery", condition=models.Q(delivery__isnull=False)
            ),
            # few among very many
            models.Index(
                fields=["status", "-at"],
                name="api_call_not_answered_well",
                condition=models.Q(status__isnull=True)
                | models.Q(status__lt=200)
                | models.Q(status__gte=300),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status or self.error}"
