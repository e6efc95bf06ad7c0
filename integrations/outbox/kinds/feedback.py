"""Write a result into Lever as feedback, on the portal's own template, which is made first where Lever has none.

Sources: https://hire.lever.co/developer/documentation (Feedback, Feedback templates).
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial

from django.utils import timezone

from integrations.catalog.feedback_template import (
    TEMPLATE,
    forget_copy,
    forget_template,
    is_ours,
    known_template,
    read_again,
    store_template,
)
from integrations.clients.provider import ClientProvider
from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.payloads import FeedbackForm
from integrations.organizations.models.organization import Organization
from integrations.outbox.feedback_words import (
    FeedbackWords,
    existing_feedback,
    feedback_words,
    feedback_written,
    field_texts,
    field_values,
    unwritten_values,
)
from integrations.outbox.kind import (
    NOT_RECORDED,
    Author,
    EffectKind,
    Target,
    Words,
    choose_author,
    kept_whole,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload, enqueue
from integrations.outbox.models.payloads import FeedbackPayload
from integrations.outbox.outcome import Done, Failed, LeaseLost, Retry
from integrations.store.database import with_retry

NO_AUTHOR = "Lever lists no user who could be the author of the feedback"
WAIT_FOR_TEMPLATE = timedelta(seconds=2)
NEW_FORM_NOT_SHOWN = "Lever doesn't show the new feedback, which lacks the result; it is asked again."
#: How Lever may answer to a template or to field ids that it no longer has.
_REFUSED = frozenset({400, 404, 422})


def enqueue_template(organization: Organization) -> None:
    """Enqueue the making of the feedback template: one effect per organization, due again when it was deleted."""
    enqueue(organization.pk, Effect.Kind.MAKE_TEMPLATE, "template")
    own = Effect.objects.filter(organization=organization, kind=Effect.Kind.MAKE_TEMPLATE, key="template")
    own.make_due()


def _write_feedback(effect: Effect, clients: ClientProvider) -> Done | Failed | Retry | LeaseLost:
    """Write a result as feedback, or update the feedback that was written for an earlier attempt.

    Retried while the template is being made.
    """
    invitation = effect.own_invitation
    payload = WRITE_FEEDBACK.payload_of(effect)
    invitation.organization = effect.organization
    result = Result.objects.get(pk=payload.result)
    latest = invitation.latest_result()
    if latest is not None and latest.pk != result.pk:
        return Done(Effect.EndReason.LATER_ATTEMPT)  # its own effect writes the same feedback
    lever = clients.lever()
    author = choose_author(effect, lever)
    if not author:
        return Failed(NO_AUTHOR)
    words = feedback_words(invitation, result)
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    for feedback_id in existing_feedback(lever, invitation):
        if (updated := _update(lever, effect, feedback_id, words, author)) is not None:
            return Done(
                record=partial(_store_feedback_id, invitation, result, feedback_id),
                written=feedback_written(updated, words),
            )
    store_id = partial(_store_feedback_id, invitation, result)
    return _write_new(effect, lever, connection, words, author, store_id)


def _write_new(
    effect: Effect,
    lever: LeverClient,
    connection: LeverConnection,
    words: FeedbackWords,
    author: str,
    store_id: Callable[[str], None],
) -> Done | Failed | Retry | LeaseLost:
    """Write feedback by the copy of the template; where that turns out to be old, by what Lever has now."""
    template = known_template(lever, connection)
    if template is None:
        return _without_template(effect, connection)
    if not effect.mark_attempt_started():
        return LeaseLost()
    create = partial(_create, lever, effect, words, author)
    try:
        form = create(template)
    except PlatformError as error:
        template_now = read_again(lever, connection) if error.status in _REFUSED else template
        if template_now is None:
            return _without_template(effect, connection)
        if template_now.fields == template.fields:
            raise
        form = create(template_now)
    if not form.fields or unwritten_values(form, words):
        forget_copy(connection)
        # committed before the next call, since a form that lacks its reference isn't found in Lever's list
        with_retry(partial(store_id, form.id))
        updated = _update(lever, effect, form.id, words, author)
        if updated is None:
            return Retry(NEW_FORM_NOT_SHOWN, WAIT_FOR_TEMPLATE)
        form = updated
    return Done(record=partial(store_id, form.id), written=feedback_written(form, words))


def _create(
    lever: LeverClient, effect: Effect, words: FeedbackWords, author: str, template: FeedbackForm
) -> FeedbackForm:
    """Submit the result on the template. Return the form as Lever has it now. Raises PlatformError."""
    form = {
        "baseTemplateId": template.id,
        "fieldValues": field_values(template, words),
        "completedAt": int(timezone.now().timestamp() * 1000),
    }
    return lever.create_feedback(effect.opportunity_id, form, author)


def _without_template(effect: Effect, connection: LeverConnection) -> Failed | Retry:
    """Ask for the template and retry; fail when Lever has refused it since this effect's first try."""
    forget_template(connection)
    templates = Effect.objects.filter(organization=effect.organization_id, kind=Effect.Kind.MAKE_TEMPLATE)
    refused = templates.filter(state=Effect.State.FAILED).first()
    if refused is not None and refused.trying_since > effect.trying_since:
        return Failed(f"The feedback template could not be made: {refused.last_error}")
    enqueue_template(effect.organization)
    return Retry("The feedback template is being made.", WAIT_FOR_TEMPLATE, is_counted=False)


def _update(
    lever: LeverClient, effect: Effect, feedback_id: str, words: FeedbackWords, author: str
) -> FeedbackForm | None:
    """Update the feedback by its own field ids, which may differ from the template's.

    Return the form as it was read before; None when it was deleted.
    """
    try:
        form = lever.feedback(effect.opportunity_id, feedback_id)
        if form.is_deleted:
            return None
        changes = {"fieldValues": field_values(form, words)}
        lever.update_feedback(effect.opportunity_id, feedback_id, changes, author)
    except PlatformError as error:
        if error.status == 404:
            return None
        raise
    return form


def _store_feedback_id(invitation: Invitation, result: Result, feedback_id: str) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(feedback_id=feedback_id)
    Result.objects.filter(pk=result.pk).update(feedback_id=feedback_id)


def _make_template(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Make the template, or find the one an earlier try made.

    One effect per organization makes it, so it is never made twice at once.
    """
    lever = clients.lever()
    connection = LeverConnection.objects.get(organization=effect.organization_id)
    if read_again(lever, connection) is not None:
        return Done()
    template = next((listed for listed in lever.feedback_templates() if is_ours(listed)), None)
    if template is None:
        if not effect.mark_attempt_started():
            return LeaseLost()
        template = lever.create_feedback_template(TEMPLATE)
    return Done(record=partial(store_template, connection, template))


def results_of(effects: Iterable[Effect]) -> dict[int, Result]:
    """Return the results that these effects write as feedback, by the effect's id; one query."""
    keys = {
        effect: WRITE_FEEDBACK.payload_of(effect).result
        for effect in effects
        if effect.kind == Effect.Kind.WRITE_FEEDBACK
    }
    if not keys:
        return {}
    results = Result.objects.select_related("invitation").in_bulk(set(keys.values()))
    return {
        effect.pk: result
        for effect, key in keys.items()
        if (result := results.get(key)) and result.organization_id == effect.organization_id
    }


def _words(_: FeedbackPayload, result: Result | None) -> Words:
    """Return what the result, if given, would say now."""
    if result is None:
        return Words(missing=NOT_RECORDED)
    texts = [(str(name), text) for name, text in field_texts(result.invitation, result).items() if text]
    rating = [("Rating", f"{result.rating} of 4")] if result.rating else []
    return Words(fields=[*rating, *texts], missing=NOT_RECORDED)


WRITE_FEEDBACK = EffectKind(
    kind=Effect.Kind.WRITE_FEEDBACK,
    target=Target.LEVER,
    payload=FeedbackPayload,
    perform=_write_feedback,
    author=Author.CHOSEN,
    repeats_show=True,
    heading="Feedback",
    icon="edit",
    to_write=_words,
    done=lambda effect, _: effect.reason or "Feedback written in Lever",
    failed="The feedback could not be written",
    kept_payload=kept_whole,
)
MAKE_TEMPLATE = EffectKind(
    kind=Effect.Kind.MAKE_TEMPLATE,
    target=Target.LEVER,
    payload=Payload,
    perform=_make_template,
    kept_payload=kept_whole,
)
