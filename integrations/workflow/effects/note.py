"""Leave a note on the opportunity in Lever. No personal data: Lever keeps notes when it anonymizes a person."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.workflow.effects.author import known_author
from integrations.workflow.effects.earlier_writes import may_be_written
from integrations.workflow.outbox.outcome import Done, LeaseLost
from integrations.workflow.outbox.payloads import NotePayload


def leave_note(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Leave the note; when it may have been left already, read the notes first."""
    text = NotePayload.from_json(effect.payload).text
    lever = clients.lever()
    if may_be_written(effect):
        notes = lever.notes(effect.opportunity_id)
        if any(text in note.texts and not note.is_deleted for note in notes):
            return Done()
    if not effect.mark_attempt_started():
        return LeaseLost()
    lever.add_note(effect.opportunity_id, text, known_author(effect))
    return Done()
