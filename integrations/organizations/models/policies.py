"""An organization's policies, which pages call rules: each is one column with its label, help, bounds and group.

Pages, help, `configure`, `export_config`, the admin, the audit log and the page of the documentation read them here.
"""

import re
import zoneinfo
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from integrations.core.vocabulary import Origin, OriginRule
from integrations.store.columns import harmless

#: A shorter wait is nothing that people have to know.
TOLD_AFTER = timedelta(minutes=5)
TOLD_AFTER_MINUTES = TOLD_AFTER // timedelta(minutes=1)


class RuleGroup(StrEnum):
    """Rules that stand together; `page` names the page of the settings that has their fields, empty for none."""

    page: str

    def __new__(cls, code: str, page: str = "") -> Self:
        group = str.__new__(cls, code)
        group._value_, group.page = code, page
        return group

    SENDING = "sending", "rules"
    LIMIT = "limit", "rules"
    NOTES = "notes", "rules"
    AGAIN = "again", "rules"
    ORIGINS = "origins", "rules"
    EXTRA_TIME = "extra_time", "rules"
    START = "start", "rules"
    RATING = "rating", "result-rules"
    BAR = "bar", "result-rules"
    ADVANCED_RATING = "advanced_rating", "result-rules"
    RESULT_TAGS = "result_tags", "result-rules"
    AFTER_RESULT = "after_result", "result-rules"
    KEEPING = "keeping", "data-settings"
    #: About how people prove who they are; only Super Admins change them.
    SECURITY = "security"
    #: A button of the overview.
    PAUSE = "pause"
    #: A button beside the connections; only Super Admins press it.
    OTHER_INTEGRATION = "other_integration"
    #: Of a mapping, instead of the organization's.
    OWN = "own"


def rule[Column: models.Field[Any, Any]](group: RuleGroup, column: Column) -> Column:
    """Return the column, which is a rule of this group. What it holds tells nothing of anybody."""
    vars(column)["group"] = group
    return harmless(column)


def rules_of(model: type[models.Model], *groups: RuleGroup) -> tuple[str, ...]:
    """Return the columns of a model that are rules of these groups, in their order."""
    return tuple(
        column.name for column in model._meta.local_fields if getattr(column, "group", None) in groups
    )


# what a rule may hold, where its column's type says too little

#: Of a tag of the customer's own.
not_a_portal_tag = RegexValidator(
    r"^\s*codescreen",
    "Tags that begin with “CodeScreen” are the portal's own. Begin with another word.",
    inverse_match=True,
    flags=re.IGNORECASE,
)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Return the names of all time zones. A name from outside is looked up here, never as a file."""
    return frozenset(zoneinfo.available_timezones()) - {"Factory", "localtime", "posixrules"}


def check_time_zone(name: str) -> None:
    """Raise ValidationError for a name that isn't a time zone's."""
    if name not in zone_names():
        raise ValidationError("There is no such time zone. Write a name such as Europe/Warsaw or UTC.")


def check_origins(origins: object) -> None:
    """Raise ValidationError, which names the origin, unless these are rules of Lever's origins."""
    if not isinstance(origins, dict):
        raise ValidationError("Say for each origin what happens: send, hold or skip.")
    for origin, rule in origins.items():
        if origin not in list(Origin):
            raise ValidationError(f"“{origin}” is no origin in Lever. Known are: {', '.join(Origin)}.")
        if rule not in list(OriginRule):
            raise ValidationError(f"“{origin}” must be one of {', '.join(OriginRule)}.")


def default_thresholds() -> list[int]:
    """Return the lowest scores for the ratings 2, 3 and 4 where nobody says others: quarters."""
    return [25, 50, 75]


def check_thresholds(scores: object) -> None:
    """Raise ValidationError unless these are the lowest scores for the ratings 2, 3 and 4."""
    three = scores if isinstance(scores, list) and len(scores) == 3 else []
    are_scores = all(type(one) is int and 0 <= one <= 100 for one in three)
    if not three or not are_scores or three != sorted(three):
        raise ValidationError("Give three whole numbers from 0 to 100 that rise, such as 25, 50, 75.")


def _switch(
    group: RuleGroup, label: str, help_text: str, *, default: bool = True
) -> "models.BooleanField[bool, bool]":
    return rule(group, models.BooleanField(label, default=default, help_text=help_text))


def _number(
    group: RuleGroup, label: str, help_text: str, *, default: int, least: int = 0, most: int = 3650
) -> "models.PositiveIntegerField[int, int]":
    bounds = [MinValueValidator(least), MaxValueValidator(most)]
    return rule(
        group, models.PositiveIntegerField(label, default=default, validators=bounds, help_text=help_text)
    )


def _name(group: RuleGroup, label: str, help_text: str) -> "models.CharField[str, str]":
    return rule(group, models.CharField(label, max_length=300, blank=True, help_text=help_text))


def _tag(group: RuleGroup, label: str, help_text: str) -> "models.CharField[str, str]":
    column = models.CharField(
        label, max_length=100, blank=True, validators=[not_a_portal_tag], help_text=help_text
    )
    return rule(group, column)


class Policies(models.Model):
    """The policies of an organization, as columns of its row, in the order of the pages."""

    stage_prefix = rule(
        RuleGroup.SENDING,
        models.CharField(
            "CodeScreen stages begin with",
            max_length=80,
            default="CodeScreen",
            help_text="Moving a candidate into such a stage sends the assessment.",
        ),
    )
    default_assessment = _name(
        RuleGroup.SENDING,
        "Assessment for all other roles",
        "Sent when neither a mapping nor a tag names one.",
    )
    bulk_limit = _number(
        RuleGroup.LIMIT,
        "Require approval above this many candidates",
        "Further invitations wait for an Admin. 0 turns this off.",
        default=50,
        most=1_000_000,
    )
    bulk_window = _number(
        RuleGroup.LIMIT,
        "… in this many minutes",
        "At most 43200 minutes: 30 days.",
        default=10,
        least=1,
        most=43_200,
    )
    note_on_skip = _switch(
        RuleGroup.NOTES,
        "Write a note in Lever when nothing was sent",
        "When a recruiter can correct the reason. Also when the e-mail bounced, what was sent is cancelled, or no "
        "result comes.",
    )
    note_on_wait = _switch(
        RuleGroup.NOTES,
        "Write a note in Lever while a candidate waits",
        f"When a candidate has waited for {TOLD_AFTER_MINUTES} minutes: on hold, possibly sent, or in a pause.",
    )
    time_zone = rule(
        RuleGroup.NOTES,
        models.CharField(
            "Time zone of dates in reports and files",
            max_length=100,
            default="UTC",
            validators=[check_time_zone],
            help_text="Where nobody's own is known.",
        ),
    )
    reentry_days = _number(
        RuleGroup.AGAIN,
        "Days after completion until it is sent again",
        "To who enters the stage again after that. 0: only a person sends it again.",
        default=0,
    )
    origins = rule(
        RuleGroup.ORIGINS,
        models.JSONField(
            "By the candidate's origin in Lever",
            default=dict,
            blank=True,
            validators=[check_origins],
            help_text="For each origin send, hold or skip. Others are sent.",
        ),
    )
    hold_tag = _tag(
        RuleGroup.EXTRA_TIME,
        "Tag in Lever for extra time",
        "Such as “Accommodation”. Leave it empty if you use no tag.",
    )
    not_started_days = _number(
        RuleGroup.START,
        "Days until the tag says “Not Started Yet”",
        "Your automation in Lever can send a reminder then. 0 turns this off.",
        default=0,
    )
    no_show_days = _number(
        RuleGroup.START,
        "Days to wait for a start",
        "Then the portal no longer asks for a result, and the tag says “Not Started”. If notes are left in Lever, one "
        "says so.",
        default=56,
        least=1,
    )
    rating_thresholds = rule(
        RuleGroup.RATING,
        models.JSONField(
            "Ratings 2, 3 and 4 begin at",
            default=default_thresholds,
            validators=[check_thresholds],
            help_text="Three scores with commas, such as 25, 50, 75.",
        ),
    )
    passing_score = rule(
        RuleGroup.BAR,
        models.PositiveSmallIntegerField(
            "Passing score where CodeScreen states no result",
            null=True,
            blank=True,
            validators=[MaxValueValidator(100)],
            help_text="Your rules treat this score or more as Passed, less as Failed. Empty: no bar.",
        ),
    )
    passed_as_stated = _switch(
        RuleGroup.BAR,
        "Passed is what CodeScreen states",
        "Your answer in the set-up. Without a bar, nobody counts as passed until CodeScreen states it.",
        default=False,
    )
    rating_follows_result = _switch(
        RuleGroup.ADVANCED_RATING,
        "Keep the rating in line with the result",
        "Failed or below your bar rates at most 2; Passed, or what meets your bar, at least 3.",
    )
    passed_tag = _tag(RuleGroup.RESULT_TAGS, "Tag for Passed", "Such as “{assessment}: passed”.")
    failed_tag = _tag(RuleGroup.RESULT_TAGS, "Tag for Failed", "Such as “{assessment}: failed”.")
    stage_on_pass = _name(
        RuleGroup.AFTER_RESULT,
        "Move those who passed to",
        "Only those who passed or meet your bar are moved.",
    )
    attach_report = _switch(
        RuleGroup.AFTER_RESULT,
        "Attach the report to the candidate as a PDF",
        "Result, score, reason and the link. A changed result replaces it.",
    )
    retention_days = _number(
        RuleGroup.KEEPING,
        "Days until personal data is removed",
        "Counted from the end of the assessment, also for people who never start. 0 keeps it.",
        default=365,
    )
    paused = _switch(
        RuleGroup.PAUSE,
        "Paused",
        "While paused nothing is sent; what arrives is kept and decided afterwards.",
        default=False,
    )
    other_integration_off = _switch(
        RuleGroup.OTHER_INTEGRATION,
        "CodeScreen's own Lever integration is off",
        "A person has said so. While it may be on, nothing is sent: both would invite the same people.",
        default=False,
    )
    requires_second_factor = _switch(
        RuleGroup.SECURITY,
        "Require a second factor",
        "Members see nothing of the organization until they have given a second factor at sign-in.",
        default=False,
    )
    requires_single_sign_on = _switch(
        RuleGroup.SECURITY,
        "Require single sign-on",
        "Members sign in by the organization's own provider alone, as long as there is one.",
        default=False,
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


#: The columns of Organization that are policies, by name.
RULES: "Mapping[str, models.Field[Any, Any]]" = {
    column.name: column for column in Policies._meta.local_fields
}
POLICIES = tuple(RULES)
