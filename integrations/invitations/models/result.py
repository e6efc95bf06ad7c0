"""Results of assessments, one per attempt."""

import json
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from integrations.core.vocabulary import ResultOutcome
from integrations.store.personal import UNTIL_ERASED, Holds, about_candidate, harmless


class ResultQuerySet(models.QuerySet["Result"]):
    """Results by which of an invitation's attempts they are of."""

    def of_latest_attempts(self) -> Self:
        """Results of each invitation's latest attempt; a candidate is counted once by them."""
        later = Result.objects.filter(
            invitation=models.OuterRef("invitation"), attempt__gt=models.OuterRef("attempt")
        )
        return self.filter(~models.Exists(later))


class Result(models.Model):
    """The score, outcome, failure reason, report link and rating of one attempt."""

    HOLDS = Holds(
        "what CodeScreen states about one attempt; it is written into Lever",
        UNTIL_ERASED,
        opportunity="invitation__opportunity_id",
    )

    Outcome = ResultOutcome

    # the invitation's: by it lists and charts find the newest without a look at each one's invitation
    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="results", db_index=False
    )
    invitation = models.ForeignKey(
        "integrations.Invitation", on_delete=models.CASCADE, related_name="results", db_index=False
    )
    attempt = models.IntegerField(default=1)
    outcome = models.CharField(max_length=20, choices=ResultOutcome.choices(), blank=True)
    score = models.DecimalField(
        max_digits=7,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="0 to 100, as CodeScreen states it; empty when no test ran.",
    )
    failure_reason = about_candidate(
        "why the candidate didn't pass; kept where it is one of CodeScreen's four reasons",
        models.CharField(max_length=200, blank=True),
    )
    rating = models.SmallIntegerField(null=True, blank=True, help_text="1 to 4, as written to Lever.")
    report_url = about_candidate(
        "the address of the report about the person", models.URLField(max_length=1000, blank=True)
    )
    feedback_id = harmless(models.CharField(max_length=200, blank=True))
    file_id = harmless(
        models.CharField(
            max_length=200,
            blank=True,
            default="",
            db_default="",
            help_text="The report that was attached in Lever; empty where there is none, or a later result has it.",
        )
    )
    # text: PostgreSQL's jsonb would sort the keys
    details_json = about_candidate(
        "whatever else CodeScreen sends with the result",
        models.TextField("details", blank=True, help_text="JSON, with the keys in CodeScreen's order."),
    )
    created_at = models.DateTimeField(db_default=Now())

    objects = ResultQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        get_latest_by = "attempt"
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="result_recent"),
            # for operators, who see the results of all organizations
            models.Index(fields=["-created_at"], name="result_recent_of_all"),
            # the organization second, so that it serves operators too; CodeScreen states an outcome for few
            models.Index(
                fields=["outcome", "organization", "-created_at"],
                name="result_outcome",
                condition=~models.Q(outcome=""),
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["invitation", "attempt"], name="result_once_per_attempt"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["", *(outcome.value for outcome in ResultOutcome)]),
                name="result_outcome_known",
            ),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__range=(0, 100)),
                name="result_score_range",
            ),
            models.CheckConstraint(
                condition=models.Q(rating__isnull=True) | models.Q(rating__range=(1, 4)),
                name="result_rating_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome or 'Result not stated'} {self.score_text}".strip()

    def save(self, **options: Any) -> None:
        """Save; a new row gets the organization of its invitation."""
        if self._state.adding:
            self.organization_id = self.invitation.organization_id
        super().save(**options)

    @property
    def details(self) -> dict[str, Any]:
        """What CodeScreen's metadata says beyond the other columns, in its order; empty once it was erased."""
        details: dict[str, Any] = json.loads(self.details_json or "{}")
        return details

    @property
    def label(self) -> str:
        """What CodeScreen stated, such as “Passed, score 82”; nothing it didn't state is derived."""
        parts = [self.get_outcome_display() or "result not stated"]
        if self.score is not None:
            parts.append(f"score {self.score_text}")
        if self.failure_reason and self.failure_reason.lower() != parts[0].lower():
            parts.append(self.failure_reason)
        label = ", ".join(parts)
        return label[0].upper() + label[1:]

    @property
    def score_text(self) -> str:
        """The score as people write it: 75 or 99.9; empty when there is none."""
        if self.score is None:
            return ""
        whole, _, fraction = f"{self.score:.4f}".partition(".")
        return f"{whole}.{fraction.rstrip('0')}".rstrip(".")
