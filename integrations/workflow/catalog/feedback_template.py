"""The Lever feedback template that results are written on: its definition, and how to recognize and check it.

Source: https://hire.lever.co/developer/documentation (Feedback templates).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.payloads import template_fields


class FeedbackField(StrEnum):
    """The fields that a result is written into, by the text that Lever shows and identifies them with."""

    RATING = "Rating"
    ASSESSMENT = "Assessment"
    SCORE = "CodeScreen score"
    RESULT = "Result"
    REASON = "Failure reason"
    REPORT = "Report link"
    REFERENCE = "Reference"


TEXT_FIELDS: tuple[FeedbackField, ...] = tuple(
    field for field in FeedbackField if field is not FeedbackField.RATING
)
TEMPLATE_NAME = "CodeScreen assessment"
INSTRUCTIONS = "Filled in by the CodeScreen integration when CodeScreen has evaluated an assessment."
TEMPLATE: dict[str, Any] = {
    "text": TEMPLATE_NAME,
    "instructions": INSTRUCTIONS,
    "fields": [
        {
            "type": "score-system",
            "text": FeedbackField.RATING.value,
            "description": "1 to 4, from the CodeScreen score",
            "required": False,
        },
        *(
            {"type": "text", "text": field.value, "description": "", "required": False}
            for field in TEXT_FIELDS
        ),
    ],
}


def read_template(lever: LeverClient, template_id: str) -> dict[str, Any] | None:
    """Return the template as Lever has it now, None when it was deleted. Raises PlatformError."""
    try:
        template = lever.feedback_template(template_id)
    except PlatformError as error:
        if error.status == 404:
            return None
        raise
    return None if template.get("deletedAt") else template


def is_ours(template: Mapping[str, Any]) -> bool:
    """Whether the portal made this template, and it still exists."""
    return (
        template.get("text") == TEMPLATE_NAME
        and template.get("instructions") == INSTRUCTIONS
        and not template.get("deletedAt")
        and FeedbackField.REFERENCE in template_fields(template)
    )


def is_rating_field(field: Mapping[str, Any]) -> bool:
    """Whether a template's field takes a rating. A customer may have renamed it, so its type decides."""
    return field.get("type") in {"score-system", "score"}


def missing_fields(template: Mapping[str, Any]) -> list[FeedbackField]:
    """Return the fields that a result is written into and that the template doesn't have."""
    fields = template_fields(template)
    has_rating = any(is_rating_field(field) for field in fields.values())
    missing_texts: list[FeedbackField] = [field for field in TEXT_FIELDS if field not in fields]
    return missing_texts if has_rating else [FeedbackField.RATING, *missing_texts]
