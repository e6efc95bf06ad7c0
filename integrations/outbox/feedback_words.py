"""What is said of a result in Lever's feedback form, and which form says it already."""

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.catalog.feedback_template import TEXT_FIELDS, FeedbackField
from integrations.codescreen.details import detail_lines
from integrations.core.vocabulary import NOT_STATED
from integrations.http.json_values import JsonObject
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.payloads import FeedbackForm
from integrations.outbox.kind import Words, may_be_written_of
from integrations.outbox.models.effect import Effect

#: What follows a comparison with the bar.
OWN_BAR = "CodeScreen states no Passed or Failed; this is your organization's own bar."


@dataclass(frozen=True)
class FeedbackWords:
    """What a form says: the text of each text field, by the field's name in Lever, and the rating, if any."""

    texts: dict[str, str]
    rating: int | None


def feedback_words(invitation: Invitation, result: Result) -> FeedbackWords:
    """Return what a form says of a result."""
    return FeedbackWords(field_texts(invitation, result), result.rating)


def field_texts(invitation: Invitation, result: Result) -> dict[str, str]:
    """Return what each text field holds, by the text that Lever shows beside it."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    return {
        FeedbackField.ASSESSMENT: f"{invitation.assessment_name}{attempt}",
        FeedbackField.SCORE: result.score_text,
        FeedbackField.RESULT: _result(result),
        FeedbackField.REASON: result.failure_reason,
        FeedbackField.REPORT: result.report_url,
        FeedbackField.DETAILS: "\n".join(map(": ".join, detail_lines(result.details))),
        FeedbackField.REFERENCE: invitation.reference,
    }


def _result(result: Result) -> str:
    """Return what was said of the result; a comparison with the bar isn't taken for a statement of CodeScreen."""
    if result.said is None:
        return NOT_STATED
    return result.headline if result.outcome else f"{result.headline}. {OWN_BAR}"


def unwritten_values(form: FeedbackForm, words: FeedbackWords) -> list[JsonObject]:
    """Return the values that the form should have and hasn't; an empty text may be null in Lever."""
    present = {field.id: _comparable(field.value) for field in form.fields}
    return [
        value for value in field_values(form, words) if _comparable(value["value"]) != present[value["id"]]
    ]


def feedback_written(form: FeedbackForm, words: FeedbackWords) -> Words:
    """Return what Lever was given for the form: each field's text and its value, empty ones included."""
    texts = {field.id: field.text for field in form.fields}
    fields = [
        (texts[str(value["id"])], "" if value["value"] is None else str(value["value"]))
        for value in field_values(form, words)
    ]
    return Words(fields=fields, is_kept=True)


def _comparable(value: object) -> object:
    return value.strip() if isinstance(value, str) else value or ""


def field_values(form: FeedbackForm, words: FeedbackWords) -> list[JsonObject]:
    """Return the values for the fields that the form has; a field a customer removed is left out.

    A result without a rating empties the one that an earlier attempt left in the form.
    """
    values: list[JsonObject] = []
    for item in form.fields:
        if item.is_rating:
            option = item.rating_value(words.rating) if words.rating else None
            if option is not None or item.value is not None:
                values.append({"id": item.id, "value": option})
        elif item.text in words.texts:
            values.append({"id": item.id, "value": words.texts[item.text]})
    return values


def existing_feedback(lever: LeverClient, invitation: Invitation) -> Iterator[str]:
    """Yield the ids of feedback that may exist: the stored one, then one whose id was never stored, or is lost."""
    if invitation.feedback_id:
        yield invitation.feedback_id
    if may_be_written_of(invitation, Effect.Kind.WRITE_FEEDBACK):
        feedback_id = _find_unstored(lever, invitation)
        if feedback_id and feedback_id != invitation.feedback_id:
            yield feedback_id


def _find_unstored(lever: LeverClient, invitation: Invitation) -> str:
    """Return the id of the feedback of this invitation, empty when Lever has none.

    Its reference tells; where a customer removed that field, the link to one of the invitation's reports.
    """
    links = {result.report_url for result in invitation.results.all()} - {""}
    for form in lever.feedback_list(invitation.opportunity_id):
        texts = _texts_in(form)
        reference, link = texts.get(FeedbackField.REFERENCE), texts.get(FeedbackField.REPORT)
        is_own = reference == invitation.reference or (reference is None and link in links)
        if is_own and not form.is_deleted:
            return form.id
    return ""


def _texts_in(form: FeedbackForm) -> dict[FeedbackField, str]:
    """Return the values of the portal's text fields that the form has; an empty one may be null in Lever."""
    return {
        FeedbackField(field.text): field.value if isinstance(field.value, str) else ""
        for field in form.fields
        if field.text in TEXT_FIELDS and not field.is_rating
    }
