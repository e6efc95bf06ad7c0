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
        "integrations.Organization", on_delete=models.CASCADE, related_name="calls"
    )
    effect = models.ForeignKey(
        "integrations.Effect", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    delivery = models.ForeignKey(
        "integrations.Delivery", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    platform = models.CharField(max_length=20)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=1000)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty when no answer came.")
    duration_ms = models.PositiveIntegerField()
    attempt = models.PositiveIntegerField(default=1)
    correlation_id = models.CharField(max_length=40, db_index=True)
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
            models.Index(fields=["organization", "opportunity_id"], name="api_call_opportunity"),
            # for the metrics: few rows among very many
            models.Index(fields=["platform"], name="api_call_refused", condition=models.Q(status=429)),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status or self.error}"
