"""Everyone who entered a trigger stage, invited or not: who they are, and where they stand."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from integrations import vocabulary
from integrations.models.invitation import Invitation
from integrations.models.text_search_index import TextSearchIndex


class CandidateQuerySet(models.QuerySet["Candidate"]):
    """Candidates by where they stand."""

    def not_invited(self) -> Self:
        """Candidates who got no assessment."""
        return self.filter(invitation__isnull=True)

    def with_standing(self) -> Self:
        """Read with each the invitation, and the delivery without its contents: they say where the candidate stands."""
        related = self.select_related("delivery", "invitation")
        return related.defer("delivery__payload", "delivery__facts", "delivery__traceback")

    def point_to(self, invitation: Invitation) -> None:
        """Let the candidate's row point to an invitation that a person made by hand."""
        self.update_or_create(
            organization_id=invitation.organization_id,
            opportunity_id=invitation.opportunity_id,
            defaults={"invitation": invitation, "assessment_name": invitation.assessment_name, "outcome": ""},
            create_defaults={
                "invitation": invitation,
                "name": invitation.candidate_name,
                "email": invitation.email,
                "role_id": invitation.role_id,
                "role_title": invitation.role_title,
                "stage_name": invitation.stage_name,
                "assessment_name": invitation.assessment_name,
                "entered_at": Now(),
            },
        )

    def record_outcome(self, invitation: Invitation, outcome: str) -> None:
        """Store what CodeScreen states of the invitation's latest attempt, where the row points to the invitation."""
        self.filter(invitation=invitation).update(outcome=outcome)


class Candidate(models.Model):
    """One opportunity in Lever that entered a trigger stage, by its latest entry.

    Why they were invited or not is said by the current verdict of `delivery`.
    """

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.CASCADE, related_name="candidates", db_index=False
    )
    opportunity_id = models.CharField(max_length=200)
    name = models.CharField(
        max_length=500, blank=True, help_text="As Lever has it; empty until the candidate was read."
    )
    email = models.EmailField(max_length=320, blank=True)
    role_id = models.CharField(max_length=200, blank=True)
    role_title = models.CharField(max_length=300, blank=True)
    stage_name = models.CharField(max_length=300, blank=True)
    assessment_name = models.CharField(
        max_length=300,
        blank=True,
        help_text="As the mapping, tag or default names it; empty when nothing does.",
    )
    entered_at = models.DateTimeField(help_text="When the candidate entered the stage, the latest time.")
    delivery = models.ForeignKey(
        "integrations.Delivery",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="candidates",
        db_index=False,
        help_text="The delivery whose verdict says where the candidate stands.",
    )
    invitation = models.ForeignKey(
        "integrations.Invitation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="candidates",
        db_index=False,
        help_text="The latest; empty when the candidate wasn't invited.",
    )
    outcome = models.CharField(
        max_length=20,
        choices=vocabulary.ResultOutcome.choices(),
        blank=True,
        default="",
        help_text="What CodeScreen states of the invitation's latest attempt; empty until it does, and while the "
        "assessment is open again.",
    )
    erased_at = models.DateTimeField(null=True, blank=True, help_text="When the person's data was erased.")
    people_read_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a full sweep read who is on them in Lever."
    )

    objects = CandidateQuerySet.as_manager()

    class Meta:
        ordering = ["-entered_at", "-pk"]
        constraints = [
            # the opportunity first, so that the index serves operators too, who search in all organizations
            models.UniqueConstraint(fields=["opportunity_id", "organization"], name="candidate_once"),
            models.CheckConstraint(condition=~models.Q(opportunity_id=""), name="candidate_has_opportunity"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["", *(one.value for one in vocabulary.ResultOutcome)]),
                name="candidate_outcome_known",
            ),
        ]
        # each decision stores such a row; times ascend, so new rows fill the last page of an index
        indexes = [
            models.Index(fields=["organization", "entered_at"], name="candidate_recent"),
            models.Index(fields=["entered_at"], name="candidate_recent_of_all"),
            models.Index(fields=["role_id", "organization", "entered_at"], name="candidate_role"),
            models.Index(
                fields=["assessment_name", "organization", "entered_at"], name="candidate_assessment"
            ),
            models.Index(
                fields=["organization", "entered_at"],
                name="candidate_not_invited",
                condition=models.Q(invitation__isnull=True),
            ),
            models.Index(
                fields=["outcome", "organization", "entered_at"],
                name="candidate_outcome",
                condition=~models.Q(outcome=""),
            ),
            models.Index(
                fields=["invitation"],
                name="candidate_invitation",
                condition=models.Q(invitation__isnull=False),
            ),
            models.Index(
                fields=["delivery"], name="candidate_delivery", condition=models.Q(delivery__isnull=False)
            ),
            TextSearchIndex(fields=["name", "email", "role_title", "assessment_name"], name="candidate_text"),
        ]

    def __str__(self) -> str:
        return self.name or self.opportunity_id
