"""The words of notes in Lever about a candidate, and of what the team is told."""

from typing import NamedTuple

from integrations.case.case import Case, Decided
from integrations.core.invitation_status import FollowingEnd
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.facts import Pause
from integrations.core.vocabulary import NOT_STATED, lower_first
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.notifications.models.email_kind import Fact, Line, Link, timeline_link
from integrations.organizations.models.organization import Organization
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import MoveStagePayload, NotePayload

MORE_MAY_FOLLOW = "No e-mail tells of others in the same half hour. All are under Candidates › Need you."


def note_on(opportunity_id: str, text: str, code: str) -> NotePayload:
    """Return a note with the address of the candidate's page: its reader may know only Lever."""
    return NotePayload(f"{text}\nDetails: {timeline_link(opportunity_id)}", code)


def pause_note(pause: Pause | None) -> str:
    """Return that the candidate waits, and what ends the wait."""
    pause = pause or Pause.BY_ADMIN
    return f"CodeScreen: nothing was sent yet. {pause.reason} {pause.end}"


def skipped_note(decided: Decided) -> str:
    """Return why no assessment was sent, and what to do."""
    return f"CodeScreen: no assessment was sent. {decided.explanation} {decided.next_step}"


def advice_note(invitation: Invitation, advice: str) -> str:
    """Return what a recruiter can do about an invitation that couldn't be sent."""
    return f"CodeScreen: “{invitation.assessment_name}” could not be sent. {advice}"


def cancelled_note(invitation: Invitation) -> str:
    """Return that an invitation was cancelled, and what brings it back."""
    if invitation.stopped_by_user:  # why, a person has written: it may name somebody
        cancelled = "was cancelled by an Admin"
    else:
        cancelled = f"was cancelled. {invitation.status_reason}".rstrip(" .")
    return f"CodeScreen: “{invitation.assessment_name}” {cancelled}. {what_brings_back(invitation)}"


def what_brings_back(invitation: Invitation) -> str:
    """Return whether a cancelled invitation was sent, and what brings it back."""
    way = "out of the stage and back in" if invitation.stopped_by_user else "into the stage again"
    if invitation.instance_id:
        has_it = "The candidate has it already and can still finish it."
        return f"{has_it} To get the result in Lever, move the candidate {way}."
    if invitation.first_call_at is not None:
        # it is never sent again automatically
        return (
            "It was possibly sent. Look for it in CodeScreen. If it isn't there, an Admin can invite again."
        )
    return f"Nothing was sent. To send it after all, move the candidate {way}."


def bounced_note(invitation: Invitation) -> str:
    """Return that the invitation's e-mail bounced, and what to do."""
    return (
        f"CodeScreen: the e-mail with “{invitation.assessment_name}” bounced: it couldn't be delivered. Correct "
        "the address in Lever. Then an Admin cancels the invitation on the candidate's page, and sends it again."
    )


def ended_note(organization: Organization, invitation: Invitation) -> str:
    """Return why no result comes any more."""
    sentence = end_sentence(organization, FollowingEnd(invitation.following_ended))
    return (
        f"CodeScreen: “{invitation.assessment_name}”: {lower_first(sentence)} No result comes any more. If "
        "you still need it, move the candidate out of the stage and back in."
    )


def end_sentence(organization: Organization, end: FollowingEnd) -> str:
    """Return why CodeScreen is no longer asked about an invitation."""
    return end.sentence.format(days=days_until(organization, end))


def days_until(organization: Organization, end: FollowingEnd) -> int:
    """Return after how many days following ends so."""
    return organization.no_show_days if end.days is None else end.days


def wait_note(invitation: Invitation) -> str:
    """Return what an invitation waits for."""
    status = Status(invitation.status)
    # why it is on hold was written by the rules; why it is uncertain may quote a platform
    reason = f" {invitation.status_reason}" if status == Status.HELD else ""
    return f"CodeScreen: “{invitation.assessment_name}” {status.record.wait_note}{reason}"


def result_lines(invitation: Invitation, result: Result) -> tuple[Line, ...]:
    """Return what members are told of a result."""
    facts = {
        "Assessment": invitation.assessment_name,
        "Score": result.score_text,
        "Result": lower_first(NOT_STATED) if result.said is None else result.headline,
        "Reason": result.failure_reason,
    }
    links = [Link("Report in CodeScreen", result.report_url)] if result.report_url else []
    return (*(Fact(label, value) for label, value in facts.items() if value), *links)


class Regraded(NamedTuple):
    """What is said, in Lever and to members, when a result changed after its candidate was moved."""

    in_lever: str
    to_members: tuple[Line, ...]


def regraded(case: Case, invitation: Invitation, result: Result) -> Regraded | None:
    """Return what is said when the candidate was moved, or may have been, and the result is no longer a pass."""
    moves = [
        move
        for move in case.moves([invitation])
        if move.attempt_started_at is not None and move.state != Effect.State.FAILED
    ]
    if not moves or result.counts_as_pass or invitation.status != Status.COMPLETED:
        return None
    stage = MoveStagePayload.from_json(moves[-1].payload).stage
    change = (
        f"The result of “{invitation.assessment_name}” changed after the candidate was moved to “{stage}”. Now it is: "
        f"{result.headline}. Nobody is moved back automatically."
    )
    return Regraded(
        f"CodeScreen: {change} Please decide which stage the candidate belongs in.",
        (change, "Decide in Lever which stage the candidate belongs in."),
    )
