"""The verdicts of deliveries: every one is kept, also what waited during a pause or without a connection."""

from django.db import models

from integrations.audit.models.chain import Chained, ChainedQuerySet
from integrations.core import verdict_code, vocabulary
from integrations.core.verdict_code import VerdictCode, VerdictRecord
from integrations.invitations.models.invitation import Invitation
from integrations.store.columns import UNTIL_ERASED, Holds, about_candidate, index_of_set, one_of
from integrations.store.triggers import UPDATED_AT, AppendOnly, KeepsUpdatedAt, updated_at_column


class VerdictQuerySet(ChainedQuerySet["Verdict"]):
    """Verdicts, and the one thing about them that changes."""

    def supersede(self) -> int:
        """Record that a later verdict replaces these; return how many were current."""
        return self.filter(is_current=True)._change(is_current=False)


class Verdict(Chained):
    """What was decided about a delivery at one time, why, and what made the portal decide it then.

    Append-only. Whether it is current isn't hashed: it follows from the positions of the delivery's verdicts.
    """

    HOLDS = Holds(
        "every decision, also those that were replaced later",
        UNTIL_ERASED,
        opportunity="delivery__opportunity_id",
    )

    TIME_COLUMN = "decided_at"
    HASHED_COLUMNS = (
        "organization_id",
        "delivery_id",
        "code",
        "assessment_source",
        "invitation_id",
        "cause",
        "decided_at",
    )
    TEXT_COLUMNS = ("explanation", "assessment_written")

    Code = VerdictCode

    organization = models.ForeignKey(
        "integrations.Organization", on_delete=models.PROTECT, related_name="verdicts", db_index=False
    )
    delivery = models.ForeignKey("integrations.Delivery", on_delete=models.PROTECT, related_name="verdicts")
    code = models.CharField(max_length=40, choices=VerdictCode.choices())
    explanation = about_candidate(
        "why the candidate was invited or not, which may quote a tag", models.TextField(blank=True)
    )
    assessment_source = models.CharField(
        max_length=30,
        choices=vocabulary.AssessmentSource.choices(),
        blank=True,
        help_text="What named the assessment; empty when nothing did or it didn't come to that.",
    )
    assessment_written = about_candidate(
        "the assessment as a tag on the candidate names it",
        models.TextField(
            blank=True, help_text="The name or id of the assessment as the mapping, tag or default has it."
        ),
    )
    invitation = models.ForeignKey(
        "integrations.Invitation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="verdicts",
        db_index=False,
    )
    cause = models.CharField(max_length=20, choices=vocabulary.VerdictCause.choices())
    decided_at = models.DateTimeField()
    is_current = models.BooleanField(
        default=True, help_text="Whether no later verdict about the same delivery replaced it."
    )
    updated_at = updated_at_column()

    objects = VerdictQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at", "-pk"]
        constraints = [
            AppendOnly(
                name="verdict_append_only",
                erasable=["explanation", "assessment_written"],
                salt="text_salt",
                one_way=["is_current"],
                free=[UPDATED_AT],
            ),
            KeepsUpdatedAt(name="verdict_updated_at", fields=["explanation", "is_current"]),
            models.UniqueConstraint(fields=["organization", "position"], name="verdict_position_once"),
            models.UniqueConstraint(
                fields=["delivery"],
                condition=models.Q(is_current=True),
                name="verdict_one_current_per_delivery",
            ),
            one_of("verdict_code_known", "code", VerdictCode),
            one_of("verdict_cause_known", "cause", vocabulary.VerdictCause),
        ]
        indexes = [
            models.Index(fields=["organization", "-decided_at"], name="verdict_recent"),
            models.Index(fields=["organization", "id", "updated_at"], name="verdict_updated"),
            models.Index(fields=["-decided_at"], name="verdict_recent_of_all"),
            # the organization second, so that it serves operators too, who see all organizations
            models.Index(fields=["code", "organization", "-decided_at"], name="verdict_code"),
            index_of_set("verdict_invitation", "invitation"),
            # few among very many
            models.Index(
                fields=["cause", "-decided_at"],
                name="verdict_cause",
                condition=~models.Q(cause=vocabulary.VerdictCause.FIRST.value),
            ),
            models.Index(
                fields=["-decided_at"], name="verdict_replaced", condition=models.Q(is_current=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_code_display()} on delivery {self.delivery_id}"

    @property
    def record(self) -> VerdictRecord:
        return VerdictCode(self.code).record


def next_step(verdict: str, invitation: Invitation | None = None) -> str:
    """Return what a person can do about a verdict and the invitation that it is about; empty without a verdict."""
    return verdict_code.next_step(verdict, invitation.words if invitation else None)
