"""Short texts in Lever: notes and links."""

from integrations.case.reconcile import NO_LONGER_WANTED
from integrations.case.wanted import WAITING_STATUSES
from integrations.clients.provider import ClientProvider
from integrations.core.verdict_code import VerdictCode
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.outbox.kind import (
    NOT_RECORDED,
    Author,
    Cancelled,
    Done,
    EffectKind,
    LeaseLost,
    Target,
    Words,
    has_started,
    known_author,
    may_be_written,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import NotePayload, ReportLinkPayload

#: The codes of notes that say what a candidate waits for.
WAITS = frozenset([*WAITING_STATUSES, VerdictCode.PAUSED])
WAIT_OVER = NO_LONGER_WANTED[Effect.Kind.LEAVE_NOTE]


def _still_waits(effect: Effect, code: str) -> bool:
    """Whether the candidate still waits for what a note that wasn't left yet says."""
    if effect.invitation_id is not None:
        waiting = Invitation.objects.filter(pk=effect.invitation_id, status=code, erased_at__isnull=True)
        return waiting.exists()
    latest = Candidate.objects.filter(delivery=effect.delivery_id, erased_at__isnull=True)
    return latest.filter(delivery__verdict=code).exists()


def _leave_note(effect: Effect, clients: ClientProvider) -> Done | Cancelled | LeaseLost:
    """Leave the note, unless it tells of a wait that is over; when it may have been left, read the notes first."""
    payload = LEAVE_NOTE.payload_of(effect)
    text = payload.text
    lever = clients.lever()
    if may_be_written(effect) and text in lever.notes(effect.opportunity_id):
        return Done()
    if payload.code in WAITS and not _still_waits(effect, payload.code):
        return Cancelled(WAIT_OVER)
    if not effect.mark_attempt_started():
        return LeaseLost()
    lever.add_note(effect.opportunity_id, text, known_author(effect))
    return Done()


def _note_goes_on_in_a_pause(effect: Effect) -> bool:
    return has_started(effect) or LEAVE_NOTE.payload_of(effect).code in WAITS


LEAVE_NOTE = EffectKind(
    kind=Effect.Kind.LEAVE_NOTE,
    target=Target.LEVER,
    payload=NotePayload,
    perform=_leave_note,
    author=Author.CONNECTED,
    repeats_show=True,
    goes_on_in_a_pause=_note_goes_on_in_a_pause,
    heading="Note",
    icon="info",
    to_write=lambda note, _: Words(text=note.text, missing="" if note.text else NOT_RECORDED),
    intended=str,
    failed="The note could not be left",
)


def _add_report_link(effect: Effect, clients: ClientProvider) -> Done | LeaseLost:
    """Add the report's address; when it may have been added already, read the links first."""
    url = ADD_REPORT_LINK.payload_of(effect).url
    lever = clients.lever()
    if may_be_written(effect) and url in lever.opportunity(effect.opportunity_id).links:
        return Done()
    if not effect.mark_attempt_started():
        return LeaseLost()
    lever.add_links(effect.opportunity_id, [url], known_author(effect))
    return Done()


ADD_REPORT_LINK = EffectKind(
    kind=Effect.Kind.ADD_REPORT_LINK,
    target=Target.LEVER,
    payload=ReportLinkPayload,
    perform=_add_report_link,
    author=Author.CONNECTED,
    repeats_show=True,
    heading="Link",
    icon="link",
    to_write=lambda link, _: Words(url=link.url, missing="" if link.url else NOT_RECORDED),
    failed="The report link could not be added",
)
