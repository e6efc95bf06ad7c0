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
    """Rules that stand together; `heading` is above them on the page of the rules, empty for those elsewhere."""

    heading: str

    def __new__(cls, code: str, heading: str = "") -> Self:
        group = str.__new__(cls, code)
        group._value_, group.heading = code, heading
        return group

    SENDING = "sending", "Sending"
    RESULTS = "results", "Results"
    WAITING = "waiting", "Waiting and notes"
    DATA = "data", "Data"
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
        RuleGroup.SENDING,
        "Require approval above this many candidates",
        "Further invitations wait for an Admin. 0 turns this off.",
        default=50,
        most=1_000_000,
    )
    bulk_window = _number(
        RuleGroup.SENDING,
        "… in this many minutes",
        "At most 43200 minutes: 30 days.",
        default=10,
        least=1,
        most=43_200,
    )
    reentry_days = _number(
        RuleGroup.SENDING,
        "Days after completion until it is sent again",
        "For candidates who enter the stage again; 0: only a person sends it again.",
        default=0,
    )
    hold_tag = _tag(
        RuleGroup.SENDING,
        "Tag in Lever for extra time",
        "Candidates with this tag, such as “Accommodation”, wait until an Admin sends the invitation.",
    )
    origins = rule(
        RuleGroup.SENDING,
        models.JSONField(
            "By the candidate's origin in Lever",
            default=dict,
            blank=True,
            validators=[check_origins],
            help_text="A note in Lever says who is left out; an Admin can invite them all the same.",
        ),
    )
    rating_thresholds = rule(
        RuleGroup.RESULTS,
        models.JSONField(
            "Ratings 2, 3 and 4 begin at",
            default=default_thresholds,
            validators=[check_thresholds],
            help_text="Three scores with commas, such as 25, 50, 75; below the first the rating is 1.",
        ),
    )
    rating_follows_result = _switch(
        RuleGroup.RESULTS,
        "Keep the rating in line with the result",
        "Failed or below your passing score rates at most 2; Passed, or what reaches it, at least 3.",
    )
    passing_score = rule(
        RuleGroup.RESULTS,
        models.PositiveSmallIntegerField(
            "Passing score where CodeScreen states no result",
            null=True,
            blank=True,
            validators=[MaxValueValidator(100)],
            help_text="Your rules treat this score or more as Passed, less as Failed; empty: no passing score.",
        ),
    )
    passed_as_stated = _switch(
        RuleGroup.RESULTS,
        "Passed is what CodeScreen states",
        "Without a passing score, nobody counts as passed until CodeScreen states it.",
        default=False,
    )
    stage_on_pass = _name(
        RuleGroup.RESULTS,
        "Move those who passed to",
        "Only those who passed or reach your passing score are moved.",
    )
    passed_tag = _tag(RuleGroup.RESULTS, "Tag for Passed", "Such as “{assessment}: passed”.")
    failed_tag = _tag(RuleGroup.RESULTS, "Tag for Failed", "Such as “{assessment}: failed”.")
    attach_report = _switch(
        RuleGroup.RESULTS,
        "Attach the report to the candidate as a PDF",
        "It has result, score, reason and the link; a changed result replaces it.",
    )
    not_started_days = _number(
        RuleGroup.WAITING,
        "Days until the tag says “Not Started Yet”",
        "Your automation in Lever can send a reminder then; 0 turns this off.",
        default=0,
    )
    no_show_days = _number(
        RuleGroup.WAITING,
        "Days to wait for a start",
        "Then the portal no longer asks for a result, and the tag says “Not Started”.",
        default=56,
        least=1,
    )
    note_on_skip = _switch(
        RuleGroup.WAITING,
        "Write a note in Lever when nothing was sent",
        "When a recruiter can correct the reason, the e-mail bounced, it was cancelled, or no result comes.",
    )
    note_on_wait = _switch(
        RuleGroup.WAITING,
        "Write a note in Lever while a candidate waits",
        f"When a candidate has waited for {TOLD_AFTER_MINUTES} minutes: on hold, possibly sent, or in a pause.",
    )
    retention_days = _number(
        RuleGroup.DATA,
        "Days until personal data is removed",
        "Counted from the end of the assessment, also for people who never start; 0 keeps it.",
        default=365,
    )
    time_zone = rule(
        RuleGroup.DATA,
        models.CharField(
            "Time zone of dates in reports and files",
            max_length=100,
            default="UTC",
            validators=[check_time_zone],
            help_text="Where nobody's own is known.",
        ),
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
