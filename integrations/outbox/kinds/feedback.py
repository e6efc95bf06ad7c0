"""Write a result into Lever as feedback, on the portal's own template, which is made first where Lever has none.

Sources: https://hire.lever.co/developer/documentation (Feedback, Feedback templates).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.utils import timezone

from integrations.catalog.feedback_template import (
    TEMPLATE,
    TEXT_FIELDS,
    FeedbackField,
    forget_copy,
    forget_template,
    is_ours,
    known_template,
    read_again,
    store_template,
)
from integrations.clients.provider import ClientProvider
from integrations.codescreen.details import detail_lines
from integrations.core.vocabulary import NOT_STATED
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.lever.models.connection import LeverConnection
from integrations.lever.payloads import FeedbackForm
from integrations.organizations.models.organization import Organization
from integrations.outbox.kind import (
    NOT_RECORDED,
    Author,
    Done,
    EffectKind,
    Failed,
    LeaseLost,
    Retry,
    Target,
    Words,
    choose_author,
    kept_whole,
    may_be_written_of,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import FeedbackPayload, Payload, enqueue
from integrations.store.database import with_retry

NO_AUTHOR = "Lever lists no user who could be the author of the feedback"
WAIT_FOR_TEMPLATE = timedelta(seconds=2)
NEW_FORM_NOT_SHOWN = "Lever doesn't show the new feedback, which lacks the result; it is asked again."
#: How Lever may answer to a template or to field ids that it no longer has.
_REFUSED = frozenset({400, 404, 422})
#: What follows a comparison with the bar.
OWN_BAR = "CodeScreen states no Passed or Failed; this is your organization's own bar."


@dataclass(frozen=True)
class FeedbackWords:
    """What a form says: the text of each text field, by the field's name in Lever, and the rating, if any."""

    texts: dict[str, str]
    rating: int | None


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
    words = FeedbackWords(field_texts(invitation, result), result.rating)
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
    """Update the feedback by its own field ids, which may differ from the template's, unless it says the same already.

    Return the form as it was read before; None when it was deleted.
    """
    try:
        form = lever.feedback(effect.opportunity_id, feedback_id)
        if form.is_deleted:
            return None
        if unwritten_values(form, words):
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


def field_texts(invitation: Invitation, result: Result) -> dict[str, str]:
    """Return what each text field holds, by the text that Lever shows beside it."""
    attempt = f" (attempt {result.attempt})" if result.attempt > 1 else ""
    return {
        FeedbackField.SCORE: result.score_text,
        FeedbackField.RESULT: _result(result),
        FeedbackField.REASON: result.failure_reason,
        FeedbackField.REPORT: result.report_url,
        FeedbackField.ASSESSMENT: f"{invitation.assessment_name}{attempt}",
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
        if item in form.rating_fields:
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
        if field.text in TEXT_FIELDS and not field.is_scored
    }


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
