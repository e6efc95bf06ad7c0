"""What a candidate waits for, and how that ended, as two notes in Lever say it: read from the rows of now."""

from django.db.models import Exists, OuterRef, Q

from integrations.core.invitation_status import ON_THE_WAY, InvitationStatus
from integrations.core.verdict_code import INVITING_VERDICTS, WAITING_VERDICTS, Consequence, VerdictCode
from integrations.invitations.models.candidate import Candidate
from integrations.invitations.models.invitation import Invitation
from integrations.notifications.links import timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.models import Effect

#: The statuses of invitations that a note tells of.
WAITING_STATUSES = tuple(status for status in InvitationStatus if status.record.wait_note)


#: The code of notes that say how a wait ended.
END_OF_WAIT = "end_of_wait"
SEND_AGAIN = "An Admin can send it again."
#: The codes of notes that say what a candidate waits for.
WAITS = frozenset([*WAITING_STATUSES, *WAITING_VERDICTS])
#: Verdicts after which an invitation of the candidate says how the wait ended, where they have one.
_ENDING_IN_INVITATION = INVITING_VERDICTS | {VerdictCode.ALREADY_INVITED}


def candidate_of(effect: Effect) -> Candidate | None:
    """Return the row of the candidate that an effect is about, with invitation and delivery."""
    rows = Candidate.objects.with_standing().filter(opportunity_id=effect.opportunity_id)
    return rows.filter(organization=effect.organization_id).first()


def wait_of(invitation: Invitation, organization: Organization) -> str:
    """Return the code of what an invitation waits for: a status or a verdict; empty where no note says it."""
    if invitation.status in WAITING_STATUSES:
        return invitation.status
    if invitation.status != InvitationStatus.PENDING:
        return ""
    return organization.held_up_by or ""


def still_waits(effect: Effect) -> bool:
    """Whether the candidate still waits for what a note that wasn't left yet says.

    Not where its end was settled without it, or a later note tells of the candidate, such as before a failed one is
    tried again.
    """
    if effect.open_wait is None:
        return False
    if effect.invitation_id is not None:
        invitation = Invitation.objects.get(pk=effect.invitation_id)
        is_erased = invitation.erased_at is not None
        wait = wait_of(invitation, effect.organization)
        is_held_up = wait in WAITING_VERDICTS and effect.open_wait in WAITING_VERDICTS
        return not is_erased and (wait == effect.open_wait or is_held_up)
    candidate = candidate_of(effect)
    if candidate is None or candidate.erased_at is not None or candidate.delivery is None:
        return False
    return candidate.delivery.verdict in WAITING_VERDICTS


_undecided = Candidate.objects.filter(
    Q(delivery__verdict__in=[*WAITING_VERDICTS, ""])
    | Q(delivery__verdict__in=_ENDING_IN_INVITATION, invitation__status__in=ON_THE_WAY),
    organization=OuterRef("organization"),
    opportunity_id=OuterRef("opportunity_id"),
    erased_at__isnull=True,
)
#: Of effects with an open wait: whether it is over, or was before the note was left.
IS_OVER = (
    Q(invitation__isnull=False) & ~Q(invitation__status__in=ON_THE_WAY)
    | Q(invitation__isnull=True) & ~Exists(_undecided)
    | ~Q(end_reason="")
)


def text_of_wait(invitation: Invitation | None, code: str) -> str:
    """Return the note that says what a candidate waits for."""
    if invitation is None or code not in WAITING_STATUSES:
        return f"CodeScreen: {VerdictCode(code).record.wait_note}"
    # why it is on hold was written by the rules; why it is uncertain may quote a platform
    reason = f" {invitation.status_reason}" if code == InvitationStatus.HELD else ""
    return f"CodeScreen: “{invitation.assessment_name}” {InvitationStatus(code).record.wait_note}{reason}"


def text_of_end(told: Effect) -> str | None:
    """Return the note that says how a wait ended; empty where there is nothing to say, or it was said; None before."""
    if told.invitation is not None:
        return _end_of_invitation(told.invitation, told)
    candidate = candidate_of(told)
    if candidate is None or candidate.erased_at is not None or candidate.delivery is None:
        return ""
    delivery = candidate.delivery
    if delivery.verdict in ("", *WAITING_VERDICTS):
        return None
    code = VerdictCode(delivery.verdict)
    if code in _ENDING_IN_INVITATION and candidate.invitation is not None:
        return _end_of_invitation(candidate.invitation, told)
    if code in INVITING_VERDICTS:
        return ""
    # nobody may be named, and who isn't visible can't get a note
    if code.record.names_nobody or code == VerdictCode.NOT_VISIBLE:
        return ""
    if delivery.effects.filter(kind=Effect.Kind.LEAVE_NOTE, payload__code=code).exists():
        return ""
    has_it = code.record.consequence is Consequence.HAS_IT
    step = step_in_note(code.record.next_step, delivery.invitation, delivery.opportunity_id)
    return f"CodeScreen: {'' if has_it else 'no assessment was sent. '}{delivery.explanation} {step}"


def step_in_note(next_step: str, existing: Invitation | None, opportunity_id: str) -> str:
    """Return a verdict's next step as a note says it: with the page of the opportunity that has the invitation."""
    if existing is None or existing.opportunity_id == opportunity_id:
        return next_step
    return f"{next_step} That page: {timeline_link(existing.opportunity_id)}"


def _end_of_invitation(invitation: Invitation, told: Effect) -> str | None:
    if invitation.erased_at is not None:
        return ""
    if invitation.status in ON_THE_WAY:
        return None
    name = f"CodeScreen: “{invitation.assessment_name}”"
    if invitation.status == InvitationStatus.FAILED:
        is_said = told.organization.note_on_skip
        return "" if is_said else f"{name} could not be sent. The candidate's page says why. {SEND_AGAIN}"
    if invitation.status != InvitationStatus.WITHDRAWN:
        return text_of_sent(invitation)
    # after a restore the call may be unknown, but the first note said so
    return text_of_cancelled(invitation, was_uncertain=told.open_wait == InvitationStatus.UNCERTAIN)


def text_of_sent(invitation: Invitation) -> str:
    """Return what a note says of an invitation that was sent after another note."""
    again = " again" if invitation.round > 1 else ""
    return f"CodeScreen: “{invitation.assessment_name}” was sent to the candidate{again}."


def text_of_following_again(invitation: Invitation) -> str:
    """Return what a note says of a sent invitation that is followed again after another note."""
    has_it = "the candidate still has the invitation that was sent before. Nothing new was sent"
    return (
        f"CodeScreen: “{invitation.assessment_name}”: {has_it}. Once they finish, the result comes to Lever."
    )


def text_of_cancelled(invitation: Invitation, *, was_uncertain: bool) -> str:
    """Return what a note says of a cancelled invitation, and of what brings it back."""
    if invitation.stopped_by_user:  # why, a person has written: it may name somebody
        cancelled = "was cancelled by an Admin"
    else:
        cancelled = f"was cancelled. {invitation.status_reason}".rstrip(" .")
    sent = what_brings_back(invitation, was_uncertain=was_uncertain)
    return f"CodeScreen: “{invitation.assessment_name}” {cancelled}. {sent}"


def what_brings_back(invitation: Invitation, *, was_uncertain: bool = False) -> str:
    """Return whether a cancelled invitation was sent, and what brings it back."""
    way = "out of the stage and back in" if invitation.stopped_by_user else "into the stage again"
    move = f"move the candidate {way}"
    if invitation.instance_id:
        return f"The candidate has it already and can still finish it. To get the result in Lever, {move}."
    if invitation.first_call_at is not None or was_uncertain:
        return (
            f"It was possibly sent. Look for it in CodeScreen. If it isn't there, and is to be sent, {move}."
        )
    return f"Nothing was sent. To send it after all, {move}."
