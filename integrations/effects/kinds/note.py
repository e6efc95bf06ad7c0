"""Leave a note on the opportunity in Lever. No personal data: Lever keeps notes when it anonymizes a person."""

from dataclasses import dataclass

from integrations.clients.provider import ClientProvider
from integrations.effects.kind import (
    NOT_RECORDED,
    Author,
    ByHand,
    EffectKind,
    Target,
    Words,
    known_author,
    may_be_written,
)
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.organizations.models.organization import Organization
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect
from integrations.outbox.outcome import Done, LeaseLost

LONGEST = 120


@dataclass(frozen=True)
class NotePayload(Payload):
    """The text of a note, and the code by which it is left once per opportunity."""

    text: str = ""
    code: str = ""


def enqueue_note(
    organization: Organization,
    opportunity_id: str,
    code: str,
    text: str,
    *,
    invitation: Invitation | None = None,
    delivery: Delivery | None = None,
) -> None:
    """Enqueue a note on the opportunity, once per opportunity and code."""
    LEAVE_NOTE.enqueue(
        organization.pk,
        f"{opportunity_id}:{code}",
        NotePayload(text, code),
        opportunity_id=opportunity_id,
        invitation=invitation,
        delivery=delivery,
    )


def _leave_note(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Leave the note; when it may have been left already, read the notes first."""
    text = LEAVE_NOTE.payload_of(effect).text
    lever = clients.lever()
    if may_be_written(effect):
        notes = lever.notes(effect.opportunity_id)
        if any(text in note.texts and not note.is_deleted for note in notes):
            return Done()
    if not effect.mark_attempt_started():
        return LeaseLost()
    lever.add_note(effect.opportunity_id, text, known_author(effect))
    return Done()


def _words(effect: Effect, _: Result | None) -> Words:
    text = NotePayload.from_json(effect.payload).text
    return Words(text=text, missing="" if text else NOT_RECORDED)


def _done(_: Effect, words: Words) -> str:
    text = words.text
    short = text if len(text) <= LONGEST else f"{text[:LONGEST].rstrip()}…"
    return f"Note left in Lever: “{short}”" if text else "Note left in Lever"


LEAVE_NOTE = EffectKind(
    kind=Effect.Kind.LEAVE_NOTE,
    target=Target.LEVER,
    payload=NotePayload,
    perform=_leave_note,
    priority=6,
    author=Author.CONNECTED,
    repeats_show=True,
    heading="Note",
    icon="info",
    to_write=_words,
    intended=str,
    done=_done,
    failed="The note could not be left",
    by_hand=ByHand("Notes left", 2),
)
