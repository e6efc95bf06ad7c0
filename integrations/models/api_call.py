"""The log of requests to Lever and CodeScreen."""

from http import HTTPStatus
from typing import Self

from django.db import models
from django.db.models.functions import Now

#: Among so many latest calls of a candidate, or of none, the one is looked for whose answer came again.
LOOKED_THROUGH = 20
#: Calls without an answer, or with one that isn't a success.
NOT_ANSWERED_WELL = models.Q(status__isnull=True) | models.Q(status__lt=200) | models.Q(status__gte=300)


FIRST_SERVER_ERROR = 500


class ApiCallQuerySet(models.QuerySet["ApiCall"]):
    """Calls by their answer, and how often it came again."""

    def refused(self) -> Self:
        """Calls that the platform's rate limit refused."""
        return self.filter(status=429)

    def unanswered(self) -> Self:
        """Calls that the platform didn't answer, or answered with an error of its own."""
        return self.filter(models.Q(status__isnull=True) | models.Q(status__gte=FIRST_SERVER_ERROR))

    def count_repeat(self, call: "ApiCall") -> bool:
        """Count an unstored call on the latest one of the same request; False when it has to be stored.

        Counted are successful reads that were made for no effect or delivery, as polls and sweeps make them, when the
        answer is the same as the last time.
        """
        if call.effect_id or call.delivery_id or call.method != "GET" or call.status != HTTPStatus.OK:
            return False
        latest = self.filter(organization=call.organization_id, opportunity_id=call.opportunity_id)
        latest = latest.order_by("-at", "-pk")[:LOOKED_THROUGH]
        request = (call.platform, call.method, call.path)
        for pk, *other in latest.values_list("pk", "platform", "method", "path"):
            if tuple(other) == request:
                same = self.filter(pk=pk, effect=None, delivery=None, status=call.status, error="")
                answered = same.filter(response_body=call.response_body)
                return bool(answered.update(repeats=models.F("repeats") + 1, last_at=call.at))
        return False


class ApiCall(models.Model):
    """One request with its answer: time, status, duration, attempt; the bodies are redacted.

    The same answer to a later poll or sweep is counted here instead of stored as one more row.
    """

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
    repeats = models.PositiveIntegerField(default=0, help_text="How often the same answer came again.")
    last_at = models.DateTimeField(
        null=True, blank=True, help_text="When the same answer came last; empty if it came once."
    )

    objects = ApiCallQuerySet.as_manager()

    class Meta:
        verbose_name = "API call"
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repeats=0, last_at__isnull=True)
                | models.Q(repeats__gt=0, last_at__isnull=False),
                name="api_call_repeats_have_time",
            ),
        ]
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
                condition=NOT_ANSWERED_WELL,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} → {self.status or self.error}"
