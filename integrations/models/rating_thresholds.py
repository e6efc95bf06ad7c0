"""From which scores the ratings of one assessment begin, where they aren't the organization's."""

from django.core.validators import MaxValueValidator
from django.db import models

from integrations.vocabulary import Thresholds


class RatingThresholds(models.Model):
    """The lowest scores for the ratings 2, 3 and 4 of one assessment.

    `assessment` holds a name or an id, as a person or a configuration file gave it. It is resolved when used: a file
    can be loaded before CodeScreen is connected, and the linter reports a name that matches nothing.
    """

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="assessment_thresholds"
    )
    assessment = models.CharField(max_length=300, help_text="A CodeScreen assessment's name or id.")
    rating_2_from = models.PositiveSmallIntegerField(validators=[MaxValueValidator(100)])
    rating_3_from = models.PositiveSmallIntegerField(validators=[MaxValueValidator(100)])
    rating_4_from = models.PositiveSmallIntegerField(validators=[MaxValueValidator(100)])

    class Meta:
        verbose_name = verbose_name_plural = "rating thresholds"
        ordering = ["organization", "assessment"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "assessment"],
                name="rating_thresholds_once",
                violation_error_message="This assessment has thresholds already.",
            ),
            models.CheckConstraint(condition=~models.Q(assessment=""), name="rating_thresholds_complete"),
            models.CheckConstraint(
                condition=models.Q(rating_2_from__lte=models.F("rating_3_from"))
                & models.Q(rating_3_from__lte=models.F("rating_4_from")),
                name="rating_thresholds_rise",
                violation_error_message="Rating thresholds must rise from 2 to 4.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assessment}: {self.rating_2_from}, {self.rating_3_from}, {self.rating_4_from}"

    @property
    def values(self) -> Thresholds:
        """The lowest scores for the ratings 2, 3 and 4."""
        return self.rating_2_from, self.rating_3_from, self.rating_4_from
