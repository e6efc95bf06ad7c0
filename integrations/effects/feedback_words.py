"""What is said of a result in Lever's feedback form, and which form says it already."""

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.catalog.feedback_template import INSTRUCTIONS, TEMPLATE_NAME, TEXT_FIELDS, FeedbackField
from integrations.codescreen.details import detail_lines
from integrations.core.vocabulary import NOT_STATED
from integrations.effects.kind import Words, may_be_written_of
from integrations.http.json_values import JsonObject
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.payloads import FeedbackForm
from integrations.outbox.models import Effect

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


def existing_feedback(lever: LeverClient, invitation: Invitation, template_id: str) -> Iterator[str]:
    """Yield the ids of feedback that may exist: the stored one, then one whose id was never stored, or is lost.

    `template_id` is our template's, empty when none is stored.
    """
    if invitation.feedback_id:
        yield invitation.feedback_id
    if may_be_written_of(invitation, Effect.Kind.WRITE_FEEDBACK):
        feedback_id = _find_unstored(lever, invitation, template_id)
        if feedback_id and feedback_id != invitation.feedback_id:
            yield feedback_id


def _find_unstored(lever: LeverClient, invitation: Invitation, template_id: str) -> str:
    """Return the id of the feedback of this invitation, empty when Lever has none.

    Its reference tells. Where a customer removed that field, a form of our template tells by its report link, or
    by all that it says of one of the invitation's results. One that is completely empty was filled in by field ids
    that the template no longer had.
    """
    forms = [form for form in lever.feedback_list(invitation.opportunity_id) if not form.is_deleted]
    for form in forms:
        if _texts_in(form).get(FeedbackField.REFERENCE) == invitation.reference:
            return form.id
    others = Invitation.objects.filter(
        organization=invitation.organization_id, feedback_id__in=[form.id for form in forms]
    )
    taken = set(others.exclude(pk=invitation.pk).values_list("feedback_id", flat=True))
    for form in forms:
        is_of_our_template = form.template_id == template_id or (form.text, form.instructions) == (
            TEMPLATE_NAME,
            INSTRUCTIONS,
        )
        if (
            is_of_our_template
            and form.id not in taken
            and (not any(field.value for field in form.fields) or _says_the_same(form, invitation))
        ):
            return form.id
    return ""


def _says_the_same(form: FeedbackForm, invitation: Invitation) -> bool:
    """Whether a form without a reference has the report link, or every text, of one of the invitation's results."""
    present = _texts_in(form)
    present.pop(FeedbackField.DETAILS, None)  # CodeScreen may have said more of the same result since
    if not present or FeedbackField.REFERENCE in present:  # another invitation's
        return False
    for result in invitation.results.all():
        texts = field_texts(invitation, result)
        if result.report_url and present.get(FeedbackField.REPORT) == result.report_url:
            return True
        if all(texts[name] == value for name, value in present.items()):
            return True
    return False


def _texts_in(form: FeedbackForm) -> dict[FeedbackField, str]:
    """Return the values of the portal's text fields that the form has; an empty one may be null in Lever."""
    return {
        FeedbackField(field.text): field.value if isinstance(field.value, str) else ""
        for field in form.fields
        if field.text in TEXT_FIELDS and not field.is_rating
    }
