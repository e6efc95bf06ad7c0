"""Write a result into Lever as feedback, on the portal's own template.

Sources: https://hire.lever.co/developer/documentation (Feedback, Feedback templates).
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from django.utils import timezone

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.http.json_types import JsonObject
from integrations.lever.client import LeverClient
from integrations.lever.feedback import FeedbackForm
from integrations.models import Effect, Invitation, LeverConnection, Result
from integrations.workflow.catalog.feedback_template import FeedbackField, read_template
from integrations.workflow.effects.author import choose_author
from integrations.workflow.outbox.enqueue import enqueue_template
from integrations.workflow.outbox.outcome import Done, Failed, LeaseLost, Retry
from integrations.workflow.outbox.payloads import FeedbackPayload

NOT_STATED = "Not stated by CodeScreen"
NO_AUTHOR = "Lever lists no user who could be the author of the feedback"
WAIT_FOR_TEMPLATE = timedelta(seconds=2)


def write_feedback(effect: Effect, clients: ClientProvider) -> Done | Failed | Retry | LeaseLost:
    """Write a result as feedback, or update the feedback that was written for an earlier attempt.

    Retried while the template is being made.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a feedback effect without an invitation")
    result = Result.objects.get(pk=FeedbackPayload.from_json(effect.payload).result)
    latest = invitation.latest_result()
    if latest is not None and latest.pk != result.pk:
        return Done()  # the later attempt's own effect writes the same feedback
    lever = clients.lever()
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    for feedback_id in _existing_feedback(lever, invitation):
        if _update(lever, invitation, feedback_id, result, author):
            return Done(record=partial(_store_feedback_id, invitation, result, feedback_id))
    return _create(effect, lever, invitation, result, author)


def _existing_feedback(lever: LeverClient, invitation: Invitation) -> Iterator[str]:
    """Yield the ids of feedback that may exist: the stored one, then one that a try without an answer may have made."""
    if invitation.feedback_id:
        yield invitation.feedback_id
    if invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK, attempt_started_at__isnull=False).exists():
        feedback_id = _find_by_reference(lever, invitation)
        if feedback_id and feedback_id != invitation.feedback_id:
            yield feedback_id


def _find_by_reference(lever: LeverClient, invitation: Invitation) -> str:
    """Return the id of the feedback that carries this invitation's reference, empty when Lever has none."""
    for form in lever.feedback_list(invitation.opportunity_id):
        values = [field.value for field in form.fields]
        if invitation.reference in values and not form.is_deleted:
            return form.id
    return ""


def _create(
    effect: Effect, lever: LeverClient, invitation: Invitation, result: Result, author: str
) -> Done | Failed | Retry | LeaseLost:
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    template = (
        read_template(lever, connection.feedback_template_id) if connection.feedback_template_id else None
    )
    if template is None:
        LeverConnection.objects.filter(pk=connection.pk).update(feedback_template_id="")
        return _without_template(effect)
    if not effect.mark_attempt_started():
        return LeaseLost()
    form = {
        "baseTemplateId": connection.feedback_template_id,
        "fieldValues": _values(template, invitation, result),
        "completedAt": int(timezone.now().timestamp() * 1000),
    }
    feedback_id = lever.create_feedback(invitation.opportunity_id, form, author)
    return Done(record=partial(_store_feedback_id, invitation, result, feedback_id))


def _without_template(effect: Effect) -> Failed | Retry:
    """Ask for the template and retry; fail when Lever has refused it since this effect's first try."""
    templates = Effect.objects.filter(organization=effect.organization_id, kind=Effect.Kind.MAKE_TEMPLATE)
    refused = templates.filter(state=Effect.State.FAILED).first()
    if refused is not None and refused.trying_since > effect.trying_since:
        return Failed(f"The feedback template could not be made: {refused.last_error}")
    enqueue_template(effect.organization)
    return Retry("The feedback template is being made.", WAIT_FOR_TEMPLATE, is_counted=False)


def _update(
    lever: LeverClient, invitation: Invitation, feedback_id: str, result: Result, author: str
) -> bool:
    """Update the feedback by its own field ids, which may differ from the template's; False when it was deleted."""
    try:
        form = lever.feedback(invitation.opportunity_id, feedback_id)
        if form.is_deleted:
            return False
        changes = {"fieldValues": _values(form, invitation, result)}
        lever.update_feedback(invitation.opportunity_id, feedback_id, changes, author)
    except PlatformError as error:
        if error.status == 404:
            return False
        raise
    return True


def _values(form: FeedbackForm, invitation: Invitation, result: Result) -> list[JsonObject]:
    """Return the values for the fields that the form has; a field a customer removed is left out.

    A result without a rating empties the one that an earlier attempt left in the form.
    """
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    texts: dict[str, str] = {
        FeedbackField.ASSESSMENT: f"{invitation.assessment_name}{attempt}",
        FeedbackField.SCORE: result.score_text,
        FeedbackField.RESULT: result.outcome or NOT_STATED,
        FeedbackField.REASON: result.failure_reason,
        FeedbackField.REPORT: result.report_url,
        FeedbackField.REFERENCE: invitation.reference,
    }
    values: list[JsonObject] = []
    for field in form.fields:
        if field.is_rating:
            option = field.rating_value(result.rating) if result.rating else None
            if option is not None or field.value is not None:
                values.append({"id": field.id, "value": option})
        elif field.text in texts:
            values.append({"id": field.id, "value": texts[field.text]})
    return values


def _store_feedback_id(invitation: Invitation, result: Result, feedback_id: str) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(feedback_id=feedback_id)
    Result.objects.filter(pk=result.pk).update(feedback_id=feedback_id)
