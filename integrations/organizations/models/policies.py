"""An organization's policies, which pages call rules: the columns that define them, with their types and checks."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from integrations.organizations.models.validators import (
    check_origins,
    check_thresholds,
    check_time_zone,
    default_thresholds,
    not_a_portal_tag,
)
from integrations.store.personal import harmless

#: The policies about how people prove who they are; only Super Admins change them.
SECURITY = ("requires_second_factor", "requires_single_sign_on")
#: How the settings, findings and errors name a policy that has no effect until CodeScreen states results.
STAGE_ON_PASS_LABEL = "Move those who passed to"
PASSING_SCORE_LABEL = "Passing score where CodeScreen states no result"
#: The columns of Organization that are policies. The columns define their types and rules.
POLICIES = (
    "stage_prefix",
    "bulk_limit",
    "bulk_window",
    "origins",
    "hold_tag",
    "time_zone",
    "default_assessment",
    "note_on_skip",
    "note_on_wait",
    "paused",
    "rating_thresholds",
    "rating_follows_result",
    "passing_score",
    "reentry_days",
    "not_started_days",
    "no_show_days",
    "retention_days",
    "passed_tag",
    "failed_tag",
    "stage_on_pass",
    "attach_report",
    *SECURITY,
)


class Policies(models.Model):
    """The policies of an organization, as columns of its row."""

    stage_prefix = harmless(
        models.CharField(
            max_length=80,
            default="CodeScreen",
            help_text="Entering a stage whose name begins with this invites the candidate.",
        )
    )
    bulk_limit = models.PositiveIntegerField(
        default=50,
        validators=[MaxValueValidator(1_000_000)],
        help_text="Invitations beyond this many within the window wait for a yes. 0 turns it off.",
    )
    bulk_window = models.PositiveIntegerField(
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(43_200)],
        help_text="Minutes the bulk limit looks back, at most 30 days' worth.",
    )
    origins = harmless(
        models.JSONField(
            default=dict,
            blank=True,
            validators=[check_origins],
            help_text="What happens by the candidate's origin in Lever: send, hold or skip. Others are sent.",
        )
    )
    hold_tag = harmless(
        models.CharField(
            max_length=100,
            blank=True,
            validators=[not_a_portal_tag],
            help_text="Who has this tag in Lever needs extra time: the invitation waits for a yes. Empty holds nobody.",
        )
    )
    time_zone = harmless(
        models.CharField(
            max_length=100,
            default="UTC",
            validators=[check_time_zone],
            help_text="The time zone of dates and of reports, where nobody's own is known, such as Europe/Warsaw.",
        )
    )
    default_assessment = harmless(
        models.CharField(
            max_length=300,
            blank=True,
            help_text="Name or id of the assessment to send when neither a mapping nor a tag names one.",
        )
    )
    note_on_skip = models.BooleanField(
        default=True,
        help_text="Leave a note on the candidate in Lever when nothing was sent and a recruiter can correct it.",
    )
    note_on_wait = models.BooleanField(
        default=True,
        help_text="Leave a note on the candidate in Lever when the invitation waits.",
    )
    paused = models.BooleanField(
        default=False, help_text="While paused nothing is sent; what arrives is kept and decided afterwards."
    )
    rating_thresholds = harmless(
        models.JSONField(
            default=default_thresholds,
            validators=[check_thresholds],
            help_text="The lowest scores for the ratings 2, 3 and 4.",
        )
    )
    rating_follows_result = models.BooleanField(
        default=True,
        help_text="When CodeScreen says Failed the rating is at most 2, when it says Passed at least 3.",
    )
    passing_score = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(100)],
        help_text="The bar: from this score on the rules for Passed hold where CodeScreen states no result.",
    )
    reentry_days = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(3650)],
        help_text="Who enters the stage so many days after completing the last round gets a new one. 0: nobody.",
    )
    not_started_days = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(3650)],
        help_text="After so many days without a start the progress tag says “Not Started Yet”. 0 turns it off.",
    )
    no_show_days = models.PositiveIntegerField(
        default=56,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="An invitation that isn't started for so long is no longer followed; the portal says so.",
    )
    retention_days = models.PositiveIntegerField(
        default=365,
        validators=[MaxValueValidator(3650)],
        help_text="Days after the end, also without a start, until names, addresses and messages go. 0 keeps them.",
    )
    passed_tag = harmless(
        models.CharField(
            max_length=100,
            blank=True,
            validators=[not_a_portal_tag],
            help_text="Added in Lever when CodeScreen says Passed, such as “{assessment}: passed”. Empty adds none.",
        )
    )
    failed_tag = harmless(
        models.CharField(
            max_length=100,
            blank=True,
            validators=[not_a_portal_tag],
            help_text="Added in Lever when CodeScreen says Failed. Empty adds none.",
        )
    )
    stage_on_pass = harmless(
        models.CharField(
            max_length=300,
            blank=True,
            help_text="Name or id of the Lever stage that candidates are moved to when CodeScreen says Passed. "
            "Empty moves nobody.",
        )
    )
    attach_report = models.BooleanField(
        default=True,
        help_text="Attach the report as a PDF to the candidate in Lever. Needs the permission files:write:admin.",
    )
    requires_second_factor = models.BooleanField(
        default=False,
        help_text="Members see nothing of the organization until they have given a second factor at sign-in.",
    )
    requires_single_sign_on = models.BooleanField(
        default=False,
        help_text="Members sign in by the organization's own provider alone, as long as there is one.",
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=models.Q(bulk_window__range=(1, 43_200)), name="organization_bulk_window_range"
            ),
            models.CheckConstraint(
                condition=models.Q(no_show_days__gte=1), name="organization_no_show_days_positive"
            ),
        ]
