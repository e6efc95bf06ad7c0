"""Write a result into Lever as feedback, on a template of the portal's own.

Sources: https://hire.lever.co/developer/documentation (Feedback, Feedback templates).
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.payloads import rating_option, template_fields
from integrations.models import Effect, Invitation, LeverConnection, LeverProbe, Organization, Result
from integrations.workflow.catalog.feedback_template import (
    TEMPLATE,
    FeedbackField,
    is_ours,
    is_rating_field,
    read_template,
)
from integrations.workflow.outbox import enqueue

NOT_STATED = "Not stated by CodeScreen"


class Waits(Exception):
    """Something else has to be there first."""

    def __init__(self, reason: str, seconds: float = 2) -> None:
        super().__init__(reason)
        self.seconds = timedelta(seconds=seconds)


# the template


def enqueue_template(organization: Organization) -> None:
    """Ask for the template to be made; one effect per organization, woken when the template is gone."""
    effect = enqueue.enqueue(organization, Effect.Kind.MAKE_TEMPLATE, "template", priority=4)
    Effect.objects.filter(pk=effect.pk).exclude(state=Effect.State.DUE).update(
        state=Effect.State.DUE, due_at=Now(), attempts=0, retry_window_started_at=Now()
    )


def _without_template(effect: Effect) -> Exception:
    """Ask for the template and return Waits; a refusal when Lever refused it since the effect is tried."""
    templates = Effect.objects.filter(organization=effect.organization_id, kind=Effect.Kind.MAKE_TEMPLATE)
    refused = templates.filter(state=Effect.State.FAILED).first()
    if refused is not None and refused.trying_since > effect.trying_since:
        return PlatformError(f"The feedback template could not be made: {refused.last_error}", permanent=True)
    enqueue_template(effect.organization)
    return Waits("The feedback template is being made.")


def make_template(effect: Effect, clients: ClientProvider) -> None:
    """Make the template, or find the one an earlier try made. Being one effect, it is never made twice at once."""
    lever = clients.lever()
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if connection.feedback_template_id and read_template(lever, connection.feedback_template_id):
        return
    template = next((found for found in lever.feedback_templates() if is_ours(found)), None)
    if template is None:
        if not effect.mark_attempt_started():
            return
        template = lever.create_feedback_template(TEMPLATE)
    LeverConnection.objects.filter(pk=connection.pk).update(
        feedback_template_id=str(template.get("id") or "")
    )
    LeverProbe.objects.filter(organization=effect.organization_id).update(is_template_gone=False)


# the feedback


def write_feedback(effect: Effect, clients: ClientProvider) -> None:
    """Write a result as feedback, or update the feedback that an earlier attempt wrote.

    Raises Waits while the template or the author isn't there yet.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a feedback effect without an invitation")
    result = Result.objects.get(pk=effect.payload["result"])
    latest = invitation.results.order_by("-attempt").first()
    if latest is not None and latest.pk != result.pk:
        return  # the later attempt's own effect writes the same feedback
    lever = clients.lever()
    user = _author(effect, lever)
    for feedback_id in _existing_feedback(lever, invitation):
        if _update(lever, invitation, feedback_id, result, user):
            _store_feedback_id(invitation, result, feedback_id)
            return
    _store_feedback_id(invitation, result, _create(effect, lever, invitation, result, user))


def _author(effect: Effect, lever: LeverClient) -> str:
    """Return the Lever user the feedback is by: the one who granted, else the first active Super Admin."""
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if connection.lever_user_id:
        return connection.lever_user_id
    users = _active_users(lever)
    if not users:
        raise PlatformError("Lever lists no user who could be the author of the feedback", permanent=True)
    LeverConnection.objects.filter(pk=connection.pk).update(lever_user_id=users[0])
    return users[0]


def _active_users(lever: LeverClient) -> list[str]:
    """Return the ids of the active users, Super Admins first."""
    users = [
        user for user in lever.users() if not user.get("deactivatedAt") and isinstance(user.get("id"), str)
    ]
    users.sort(key=lambda user: user.get("accessRole") != "super admin")
    return [str(user["id"]) for user in users]


def replace_author(effect: Effect, clients: ClientProvider) -> bool:
    """Choose another author if the known one has left Lever; whether the refused write is worth another try."""
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if not connection.lever_user_id:
        return False
    users = _active_users(clients.lever())
    if not users or connection.lever_user_id in users:
        return False
    LeverConnection.objects.filter(pk=connection.pk).update(lever_user_id=users[0])
    return True


def _existing_feedback(lever: LeverClient, invitation: Invitation) -> Iterator[str]:
    """Yield the feedback there may be: the one that is known, then what a try whose answer was lost has left."""
    if invitation.feedback_id:
        yield invitation.feedback_id
    if invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK, attempt_started_at__isnull=False).exists():
        found = _find_by_reference(lever, invitation)
        if found and found != invitation.feedback_id:
            yield found


def _find_by_reference(lever: LeverClient, invitation: Invitation) -> str:
    """Return the feedback that carries this invitation's reference, if Lever has it."""
    for form in lever.feedback_list(invitation.opportunity_id):
        values = [field.get("value") for field in template_fields(form).values()]
        if invitation.reference in values and not form.get("deletedAt"):
            return str(form.get("id") or "")
    return ""


def _create(effect: Effect, lever: LeverClient, invitation: Invitation, result: Result, user: str) -> str:
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    template = (
        read_template(lever, connection.feedback_template_id) if connection.feedback_template_id else None
    )
    if template is None:
        LeverConnection.objects.filter(pk=connection.pk).update(feedback_template_id="")
        raise _without_template(effect)
    if not effect.mark_attempt_started():
        raise Waits("Another worker took this over.")
    form = {
        "baseTemplateId": connection.feedback_template_id,
        "fieldValues": _values(template, invitation, result),
        "completedAt": int(timezone.now().timestamp() * 1000),
    }
    return lever.create_feedback(invitation.opportunity_id, form, user)


def _update(lever: LeverClient, invitation: Invitation, feedback_id: str, result: Result, user: str) -> bool:
    """Update the feedback by its own field ids, which differ from the template's of today; False when it is gone."""
    try:
        form = lever.feedback(invitation.opportunity_id, feedback_id)
        if form.get("deletedAt"):
            return False
        changes = {"fieldValues": _values(form, invitation, result)}
        lever.update_feedback(invitation.opportunity_id, feedback_id, changes, user)
    except PlatformError as error:
        if error.status == 404:
            return False
        raise
    return True


def _values(form: Mapping[str, Any], invitation: Invitation, result: Result) -> list[dict[str, Any]]:
    """Return the values for the fields that the form has; a field a customer removed is left out."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    texts: dict[str, str] = {
        FeedbackField.ASSESSMENT: f"{invitation.assessment_name}{attempt}",
        FeedbackField.SCORE: "" if result.score is None else str(result.score),
        FeedbackField.RESULT: result.outcome or NOT_STATED,
        FeedbackField.REASON: result.failure_reason,
        FeedbackField.REPORT: result.report_url,
        FeedbackField.REFERENCE: invitation.reference,
    }
    values: list[dict[str, Any]] = []
    for text, field in template_fields(form).items():
        if is_rating_field(field):
            option = rating_option(field, result.rating) if result.rating else None
            if option is not None:
                values.append({"id": field.get("id"), "value": option})
        elif text in texts:
            values.append({"id": field.get("id"), "value": texts[text]})
    return values


def _store_feedback_id(invitation: Invitation, result: Result, feedback_id: str) -> None:
    with transaction.atomic():
        Invitation.objects.filter(pk=invitation.pk).update(feedback_id=feedback_id)
        Result.objects.filter(pk=result.pk).update(feedback_id=feedback_id)
