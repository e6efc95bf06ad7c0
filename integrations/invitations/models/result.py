"""Results of assessments, one per attempt."""

import json
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from integrations.core.vocabulary import NOT_STATED, BarOutcome, ResultOutcome, lower_first
from integrations.store.columns import UNTIL_ERASED, Holds, about_candidate, harmless, one_of
from integrations.store.triggers import KeepsUpdatedAt, updated_at_column


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

    # the invitation's: by it lists find the newest without a look at each one's invitation
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
    bar = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="The passing score that the score was compared with; empty where CodeScreen states a result.",
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
            help_text="The report that was attached in Lever; empty where there is none, or a later result has it.",
        )
    )
    # text: PostgreSQL's jsonb would sort the keys
    details_json = about_candidate(
        "whatever else CodeScreen sends with the result",
        models.TextField("details", blank=True, help_text="JSON, with the keys in CodeScreen's order."),
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = updated_at_column()

    objects = ResultQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        get_latest_by = "attempt"
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="result_recent"),
            models.Index(fields=["organization", "id", "updated_at"], name="result_updated"),
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
            one_of("result_outcome_known", "outcome", ["", *ResultOutcome]),
            models.CheckConstraint(
                condition=models.Q(score__isnull=True) | models.Q(score__range=(0, 100)),
                name="result_score_range",
            ),
            models.CheckConstraint(
                condition=models.Q(bar__isnull=True)
                | models.Q(bar__range=(0, 100), outcome="", score__isnull=False),
                name="result_bar_where_not_stated",
            ),
            models.CheckConstraint(
                condition=models.Q(rating__isnull=True) | models.Q(rating__range=(1, 4)),
                name="result_rating_range",
            ),
            KeepsUpdatedAt(
                name="result_updated_at",
                fields=[
                    "outcome",
                    "score",
                    "failure_reason",
                    "rating",
                    "report_url",
                    "feedback_id",
                    "file_id",
                    "details_json",
                    "bar",
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.in_words

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
    def said(self) -> ResultOutcome | BarOutcome | None:
        """What CodeScreen stated, else how the score compares with the organization's bar; None without one."""
        if self.outcome:
            return ResultOutcome(self.outcome)
        if self.bar is None or self.score is None:
            return None
        return BarOutcome.MEETS if self.score >= self.bar else BarOutcome.BELOW

    @property
    def meets_bar(self) -> bool | None:
        """Whether the score meets the organization's bar; None without one, or where CodeScreen stated a result."""
        return self.said == BarOutcome.MEETS if isinstance(self.said, BarOutcome) else None

    @property
    def counts_as_pass(self) -> bool | None:
        """True for who passed or meets the bar, False for who failed or is below it; else None."""
        if self.said in {ResultOutcome.PASSED, BarOutcome.MEETS}:
            return True
        return False if self.said in {ResultOutcome.FAILED, BarOutcome.BELOW} else None

    @property
    def headline(self) -> str:
        """What was said, such as “Passed” or “Meets your bar (70)”, or that CodeScreen states no result."""
        if self.said is None:
            return f"Result {lower_first(NOT_STATED)}"
        return f"{self.said.label} ({self.bar})" if self.bar is not None else self.said.label

    @property
    def in_words(self) -> str:
        """The result in a few words: “Passed 82”, “82, meets your bar (70)”, “82, result not stated by CodeScreen”."""
        if self.outcome or not self.score_text:
            return f"{self.headline} {self.score_text}".strip()
        return f"{self.score_text}, {lower_first(self.headline)}"

    @property
    def label(self) -> str:
        """The result in a line, such as “Passed, score 82” or “Score 82, meets your bar (70)”."""
        parts = [self.headline]
        if self.score is not None and not self.outcome:
            parts = [f"Score {self.score_text}", lower_first(self.headline)]
        elif self.score is not None:
            parts.append(f"score {self.score_text}")
        if self.failure_reason and self.failure_reason.lower() != parts[0].lower():
            parts.append(self.failure_reason)
        return ", ".join(parts)

    @property
    def score_text(self) -> str:
        """The score as people write it: 75 or 99.9; empty when there is none."""
        if self.score is None:
            return ""
        whole, _, fraction = f"{self.score:.4f}".partition(".")
        return f"{whole}.{fraction.rstrip('0')}".rstrip(".")
