"""Short texts in Lever: notes and links."""

from dataclasses import dataclass

from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus
from integrations.core.verdict_code import VerdictCode
from integrations.inbox.models.delivery import Delivery
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.links import timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.kind import (
    NOT_RECORDED,
    Author,
    EffectKind,
    Target,
    Words,
    has_started,
    known_author,
    may_be_written,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload
from integrations.outbox.outcome import Cancelled, Done, LeaseLost

LONGEST_SHOWN = 120
#: The statuses of invitations that a note tells of.
WAITING_STATUSES = tuple(status for status in InvitationStatus if status.record.wait_note)
#: The codes of notes that say what a candidate waits for.
WAITS = frozenset([*WAITING_STATUSES, VerdictCode.PAUSED])
WAIT_OVER = "The candidate no longer waited for this."


@dataclass(frozen=True)
class NotePayload(Payload):
    """The text of a note, and what it is about: a verdict, a wait, or a code of the caller's."""

    text: str = ""
    code: str = ""


def note_on(opportunity_id: str, text: str, code: str) -> NotePayload:
    """Return a note with the address of the candidate's page: its reader may know only Lever."""
    where = (
        f"The candidate's page in the CodeScreen integration, for its Admins: {timeline_link(opportunity_id)}"
    )
    return NotePayload(f"{text}\n{where}", code)


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
        note_on(opportunity_id, text, code),
        opportunity_id=opportunity_id,
        invitation=invitation,
        delivery=delivery,
    )


def tell_cancelled(invitation: Invitation, *, was_uncertain: bool = False) -> None:
    """Enqueue a note about a cancelled invitation, and what brings it back."""
    if not invitation.organization.note_on_skip:
        return
    if invitation.stopped_by_user:  # why, a person has written: it may name somebody
        cancelled = "was cancelled by an Admin"
    else:
        cancelled = f"was cancelled. {invitation.status_reason}".rstrip(" .")
    sent = what_brings_back(invitation, was_uncertain=was_uncertain)
    enqueue_note(
        invitation.organization,
        invitation.opportunity_id,
        f"cancelled:{invitation.pk}:{invitation.changed_at.isoformat()}",
        f"CodeScreen: “{invitation.assessment_name}” {cancelled}. {sent}",
        invitation=invitation,
    )


def what_brings_back(invitation: Invitation, *, was_uncertain: bool = False) -> str:
    """Return whether a cancelled invitation was sent, and what brings it back."""
    way = "out of the stage and back in" if invitation.stopped_by_user else "into the stage again"
    if invitation.instance_id:
        has_it = "The candidate has it already and can still finish it."
        return f"{has_it} To get the result in Lever, move the candidate {way}."
    if invitation.first_call_at is not None or was_uncertain:
        # it is never sent again automatically
        return (
            "It was possibly sent. Look for it in CodeScreen. If it isn't there, an Admin can invite again."
        )
    return f"Nothing was sent. To send it after all, move the candidate {way}."


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


def _note_left(_: Effect, words: Words) -> str:
    text = words.text
    short = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN].rstrip()}…"
    return f"Note left in Lever: “{short}”" if text else "Note left in Lever"


LEAVE_NOTE = EffectKind(
    kind=Effect.Kind.LEAVE_NOTE,
    target=Target.LEVER,
    payload=NotePayload,
    perform=_leave_note,
    priority=6,
    author=Author.CONNECTED,
    repeats_show=True,
    goes_on_in_a_pause=_note_goes_on_in_a_pause,
    heading="Note",
    icon="info",
    to_write=lambda note, _: Words(text=note.text, missing="" if note.text else NOT_RECORDED),
    intended=str,
    done=_note_left,
    failed="The note could not be left",
)


@dataclass(frozen=True)
class ReportLinkPayload(Payload):
    """The address of CodeScreen's report; empty when it was erased."""

    url: str = ""


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
    priority=4,
    author=Author.CONNECTED,
    repeats_show=True,
    heading="Link",
    icon="link",
    to_write=lambda link, _: Words(url=link.url, missing="" if link.url else NOT_RECORDED),
    done=lambda _effect, _words: "Report link added in Lever",
    failed="The report link could not be added",
    is_key_personal=True,
)
