"""Write to the candidate in Lever: progress tag, report link, note. No personal data in any of them."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.workflow.rules.decide import PROGRESS_TAGS, is_progress_tag


def author(effect: Effect) -> str:
    """Return the Lever user whom writes are shown to be by, empty when none is known."""
    connection = effect.organization.lever
    return connection.lever_user_id if connection else ""


def set_progress_tag(effect: Effect, clients: ClientProvider) -> None:
    """Leave exactly one progress tag on the opportunity: the new one is added first, then the others go.

    Safe to run twice: tags are a set. A wish that was overtaken while it waited for its next try is left alone.
    """
    later = Effect.objects.filter(
        organization=effect.organization_id,
        kind=effect.kind,
        opportunity_id=effect.opportunity_id,
        pk__gt=effect.pk,
    )
    if later.exclude(state=Effect.State.FAILED).exists():
        effect.finish(Effect.State.CANCELLED, "A later progress took its place.")
        return
    tag = str(effect.payload["tag"])
    lever = clients.lever()
    user = author(effect)
    present = lever.add_tags(effect.opportunity_id, [tag], user)
    if present is None:
        others = [known for known in PROGRESS_TAGS.values() if known != tag]
    else:
        others = [known for known in present if known != tag and is_progress_tag(known)]
    if others:
        lever.remove_tags(effect.opportunity_id, others, user)


def set_result_tag(effect: Effect, clients: ClientProvider) -> None:
    """Add the customer's tag for the result and take off its opposite. Safe to run twice: tags are a set."""
    tag, others = str(effect.payload["tag"]), [str(other) for other in effect.payload["others"]]
    lever = clients.lever()
    if tag:
        lever.add_tags(effect.opportunity_id, [tag], author(effect))
    if others:
        lever.remove_tags(effect.opportunity_id, others, author(effect))


def add_report_link(effect: Effect, clients: ClientProvider) -> None:
    """Add the report to the candidate's links; looks first when an earlier try may have done it."""
    url = str(effect.payload["url"])
    lever = clients.lever()
    if effect.attempt_started_at is not None and url in lever.opportunity(effect.opportunity_id).links:
        return
    if effect.mark_attempt_started():
        lever.add_links(effect.opportunity_id, [url], author(effect))


def leave_note(effect: Effect, clients: ClientProvider) -> None:
    """Leave a note on the opportunity; looks first when an earlier try may have done it."""
    text = str(effect.payload["text"])
    lever = clients.lever()
    if effect.attempt_started_at is not None and any(
        _says(note, text) for note in lever.notes(effect.opportunity_id)
    ):
        return
    if effect.mark_attempt_started():
        lever.add_note(effect.opportunity_id, text, author(effect))


def _says(note: dict[str, object], text: str) -> bool:
    fields = note.get("fields")
    values = (
        [field.get("value") for field in fields if isinstance(field, dict)]
        if isinstance(fields, list)
        else []
    )
    return not note.get("deletedAt") and text in values
