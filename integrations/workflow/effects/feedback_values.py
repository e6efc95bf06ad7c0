"""What a result says in the fields of a feedback form."""

from integrations.http.json_types import JsonObject
from integrations.lever.feedback import FeedbackForm
from integrations.models import Invitation, Result
from integrations.workflow.catalog.feedback_template import FeedbackField
from integrations.workflow.outbox.written import FeedbackWritten

NOT_STATED = "Not stated by CodeScreen"


def field_texts(invitation: Invitation, result: Result) -> dict[str, str]:
    """Return what each text field holds, by the text that Lever shows beside it."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    return {
        FeedbackField.ASSESSMENT: f"{invitation.assessment_name}{attempt}",
        FeedbackField.SCORE: result.score_text,
        FeedbackField.RESULT: result.outcome or NOT_STATED,
        FeedbackField.REASON: result.failure_reason,
        FeedbackField.REPORT: result.report_url,
        FeedbackField.REFERENCE: invitation.reference,
    }


def unwritten_values(form: FeedbackForm, invitation: Invitation, result: Result) -> list[JsonObject]:
    """Return the values that the form should have and hasn't; an empty text may be null in Lever."""
    present = {field.id: _comparable(field.value) for field in form.fields}
    return [
        value
        for value in field_values(form, invitation, result)
        if _comparable(value["value"]) != present[value["id"]]
    ]


def feedback_written(form: FeedbackForm, invitation: Invitation, result: Result) -> FeedbackWritten:
    """Return what Lever was given for the form: each field's text and its value, empty ones included."""
    texts = {field.id: field.text for field in form.fields}
    values = [
        [texts[str(value["id"])], "" if value["value"] is None else str(value["value"])]
        for value in field_values(form, invitation, result)
    ]
    return FeedbackWritten(values)


def _comparable(value: object) -> object:
    return value.strip() if isinstance(value, str) else value or ""


def field_values(form: FeedbackForm, invitation: Invitation, result: Result) -> list[JsonObject]:
    """Return the values for the fields that the form has; a field a customer removed is left out.

    A result without a rating empties the one that an earlier attempt left in the form.
    """
    texts = field_texts(invitation, result)
    values: list[JsonObject] = []
    for field in form.fields:
        if field.is_rating:
            option = field.rating_value(result.rating) if result.rating else None
            if option is not None or field.value is not None:
                values.append({"id": field.id, "value": option})
        elif field.text in texts:
            values.append({"id": field.id, "value": texts[field.text]})
    return values
