"""Write a result into Lever as feedback, on the portal's own template.

Sources: https://hire.lever.co/developer/documentation (Feedback, Feedback templates).
"""

from datetime import timedelta
from functools import partial

from django.utils import timezone

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.models import Effect, Invitation, LeverConnection, Result
from integrations.workflow.catalog.feedback_template import read_template
from integrations.workflow.effects.author import choose_author
from integrations.workflow.effects.existing_feedback import existing_feedback
from integrations.workflow.effects.feedback_values import field_values
from integrations.workflow.outbox.enqueue import enqueue_template
from integrations.workflow.outbox.outcome import Done, Failed, LeaseLost, Retry
from integrations.workflow.outbox.payloads import FeedbackPayload

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
    template_id = LeverConnection.objects.get(organization=effect.organization_id).feedback_template_id
    for feedback_id in existing_feedback(lever, invitation, template_id):
        if _update(lever, invitation, feedback_id, result, author):
            return Done(record=partial(_store_feedback_id, invitation, result, feedback_id))
    return _create(effect, lever, invitation, result, author)


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
        "fieldValues": field_values(template, invitation, result),
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
        changes = {"fieldValues": field_values(form, invitation, result)}
        lever.update_feedback(invitation.opportunity_id, feedback_id, changes, author)
    except PlatformError as error:
        if error.status == 404:
            return False
        raise
    return True


def _store_feedback_id(invitation: Invitation, result: Result, feedback_id: str) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(feedback_id=feedback_id)
    Result.objects.filter(pk=result.pk).update(feedback_id=feedback_id)
