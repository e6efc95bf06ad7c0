"""The Lever feedback template that results are written on: its definition, and how to recognize and check it.

Source: https://hire.lever.co/developer/documentation (Feedback templates).
"""

from enum import StrEnum

from integrations.http.errors import PlatformError
from integrations.http.json_types import JsonObject
from integrations.lever.client import LeverClient
from integrations.lever.feedback import FeedbackForm


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
TEMPLATE: JsonObject = {
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


def read_template(lever: LeverClient, template_id: str) -> FeedbackForm | None:
    """Return the template as Lever has it now, None when it was deleted. Raises PlatformError."""
    try:
        template = lever.feedback_template(template_id)
    except PlatformError as error:
        if error.status == 404:
            return None
        raise
    return None if template.is_deleted else template


def is_ours(template: FeedbackForm) -> bool:
    """Whether the portal made this template, and it still exists."""
    return (
        template.text == TEMPLATE_NAME
        and template.instructions == INSTRUCTIONS
        and not template.is_deleted
        and FeedbackField.REFERENCE in template.field_texts
    )


def missing_fields(template: FeedbackForm) -> list[FeedbackField]:
    """Return the fields that a result is written into and that the template doesn't have."""
    has_rating = any(field.is_rating for field in template.fields)
    missing_texts = [field for field in TEXT_FIELDS if field not in template.field_texts]
    return missing_texts if has_rating else [FeedbackField.RATING, *missing_texts]
