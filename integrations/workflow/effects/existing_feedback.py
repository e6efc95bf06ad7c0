"""Find the feedback that an earlier try has written, also one whose answer was lost."""

from collections.abc import Iterator

from integrations.lever.client import LeverClient
from integrations.lever.feedback import FeedbackForm
from integrations.models import Effect, Invitation
from integrations.workflow.catalog.feedback_template import (
    INSTRUCTIONS,
    TEMPLATE_NAME,
    TEXT_FIELDS,
    FeedbackField,
)
from integrations.workflow.effects.earlier_writes import may_be_written_of
from integrations.workflow.effects.feedback_values import field_texts


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
            and (_is_empty(form) or _says_the_same(form, invitation))
        ):
            return form.id
    return ""


def _is_empty(form: FeedbackForm) -> bool:
    return not any(field.value for field in form.fields)


def _says_the_same(form: FeedbackForm, invitation: Invitation) -> bool:
    """Whether a form without a reference has the report link, or every text, of one of the invitation's results."""
    present = _texts_in(form)
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
