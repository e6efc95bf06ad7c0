"""The Lever feedback template that results are written on, and the portal's copy of it."""

from datetime import timedelta
from enum import StrEnum

from django.db.models import QuerySet

from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.payloads import FeedbackForm
from integrations.store import database

# The Lever feedback template that results are written on: its definition, and how to recognize and check it.
#
# Source: https://hire.lever.co/developer/documentation (Feedback templates).


class FeedbackField(StrEnum):
    """The fields that a result is written into, by the text that Lever shows and identifies them with.

    In the form's order: first the score, which CodeScreen states for every account.
    """

    SCORE = "CodeScreen score"
    RATING = "Rating"
    RESULT = "Result"
    REASON = "Failure reason"
    REPORT = "Report link"
    ASSESSMENT = "Assessment"
    DETAILS = "Details"
    REFERENCE = "Reference"


TEXT_FIELDS: tuple[FeedbackField, ...] = tuple(
    field for field in FeedbackField if field is not FeedbackField.RATING
)
TEMPLATE_NAME = "CodeScreen assessment"
INSTRUCTIONS = "Filled in by the CodeScreen integration when CodeScreen has evaluated an assessment."
_TYPES = {FeedbackField.RATING: "score-system", FeedbackField.DETAILS: "textarea"}
_DESCRIPTIONS = {FeedbackField.RATING: "1 to 4, from the CodeScreen score"}
TEMPLATE: JsonObject = {
    "text": TEMPLATE_NAME,
    "instructions": INSTRUCTIONS,
    "fields": [
        {
            "type": _TYPES.get(field, "text"),
            "text": field.value,
            "description": _DESCRIPTIONS.get(field, ""),
            "required": False,
        }
        for field in FeedbackField
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
    missing_texts = [field for field in TEXT_FIELDS if field not in template.field_texts]
    return missing_texts if template.rating_fields else [FeedbackField.RATING, *missing_texts]


# The copy of the organization's feedback template, which is kept with the connection to Lever.
#
# Lever gives the fields new ids when the template is edited there. It then refuses a form that was filled in from an
# outdated copy, or its answer lacks values: `outbox/kinds/feedback.py` reads the template again.


#: The hourly probe of Lever renews the copy; without it, the template is read before a result is written.
KEPT_FOR = timedelta(days=1)


def known_template(lever: LeverClient, connection: LeverConnection) -> FeedbackForm | None:
    """Return the template from the copy, or from Lever when that is old; None when there is none.

    Raises PlatformError.
    """
    read_at = connection.feedback_template_read_at
    if read_at is not None and database.now() - read_at < KEPT_FOR:
        copy = stored_template(connection)
        if copy is not None:
            return copy
    return read_again(lever, connection)


def stored_template(connection: LeverConnection) -> FeedbackForm | None:
    """Return the copy of the template; None when there is none."""
    copy = FeedbackForm.from_api(connection.feedback_template)
    return copy if copy.id and copy.id == connection.feedback_template_id else None


def read_again(lever: LeverClient, connection: LeverConnection) -> FeedbackForm | None:
    """Return the template as Lever has it now, and keep a copy; None when it was deleted or never made.

    Raises PlatformError.
    """
    template_id = connection.feedback_template_id
    template = read_template(lever, template_id) if template_id else None
    if template is not None:
        _rows(connection).update(
            feedback_template=template.to_json(), feedback_template_read_at=database.now()
        )
    return template


def store_template(connection: LeverConnection, template: FeedbackForm) -> None:
    """Store a template as the organization's, with its copy."""
    LeverConnection.objects.filter(pk=connection.pk).update(
        feedback_template_id=template.id,
        feedback_template=template.to_json(),
        feedback_template_read_at=database.now(),
    )


def forget_copy(connection: LeverConnection) -> None:
    """Have the template read before the next result is written."""
    _rows(connection).update(feedback_template_read_at=None)


def forget_template(connection: LeverConnection) -> None:
    """Record that the template was deleted in Lever."""
    _rows(connection).update(feedback_template_id="")


def _rows(connection: LeverConnection) -> QuerySet[LeverConnection]:
    """Return the connection's row, none if it has another template by now."""
    return LeverConnection.objects.filter(
        pk=connection.pk, feedback_template_id=connection.feedback_template_id
    )
