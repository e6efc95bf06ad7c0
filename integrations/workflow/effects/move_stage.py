"""Move a candidate in Lever when CodeScreen states Passed, unless a recruiter has acted since.

A score alone never moves a candidate, and no candidate is moved back.
"""

from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.lever.payloads import Opportunity
from integrations.models import Effect, Invitation, Organization, Stage
from integrations.workflow.catalog.lookup import stages_named
from integrations.workflow.catalog.stage_on_pass import unknown_target_message
from integrations.workflow.catalog.trigger_policy import trigger_policy
from integrations.workflow.effects.author import known_author
from integrations.workflow.outbox.outcome import Cancelled, Done, Failed, LeaseLost
from integrations.workflow.outbox.payloads import MoveStagePayload
from integrations.workflow.results.stage_on_pass import is_passed, notify_regrade

FIX = "Correct “Stage on pass” under Settings, then retry."


def move_stage(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | LeaseLost:
    """Move the candidate to the stage on pass, unless a recruiter has acted since.

    Safe to run twice. Lever offers no conditional move, so a recruiter who acts between the read and the call is only
    noticed at the next read.
    """
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a move without an invitation")
    if reason := _reason_to_cancel(effect, invitation):
        return Cancelled(reason)
    lever = clients.lever()  # first: while Lever isn't connected, the stage may yet be corrected
    target = _target(effect.organization, clients)
    if isinstance(target, Failed):
        return target
    opportunity = lever.opportunity(effect.opportunity_id)
    if opportunity.stage_id == target.external_id:
        note = "" if effect.attempt_started_at else f"The candidate was already in “{target.name}”."
        return Done(note, record=partial(_notify_if_regraded, invitation))
    if reason := _recruiter_acted(effect, invitation, opportunity):
        return Cancelled(reason)
    if not effect.mark_attempt_started(MoveStagePayload(target.name).to_json()):
        return LeaseLost()
    lever.move_stage(effect.opportunity_id, target.external_id, known_author(effect))
    return Done(record=partial(_notify_if_regraded, invitation))


def _notify_if_regraded(invitation: Invitation) -> None:
    """Tell people when the result changed while the candidate was being moved."""
    if not is_passed(invitation):
        notify_regrade(invitation, invitation.effects.filter(kind=Effect.Kind.WRITE_FEEDBACK).count())


def _reason_to_cancel(effect: Effect, invitation: Invitation) -> str:
    """Return why the move is no longer wanted, by the portal's own rows; empty when it is wanted."""
    moves = invitation.effects.filter(kind=effect.kind, state=Effect.State.DONE)
    if moves.exclude(pk=effect.pk).exists():
        return "The candidate was moved for this assessment before. Since then recruiters decide the stage."
    if not effect.organization.passed_stage.strip():
        return "The rules no longer have a stage for candidates who passed."
    if effect.attempt_started_at is None and not is_passed(invitation):
        return "CodeScreen no longer says Passed."
    if effect.attempt_started_at is None and invitation.later_rounds().exclude(instance_id="").exists():
        return "The candidate was invited again. The result of the later round decides."
    return ""


def _recruiter_acted(effect: Effect, invitation: Invitation, opportunity: Opportunity) -> str:
    """Return what a recruiter has done since the decision, which the portal must not undo; empty when nothing."""
    if opportunity.is_archived:
        return "The candidate was archived in Lever, so a recruiter has decided and nobody is moved."
    if not invitation.stage_id or opportunity.stage_id != invitation.stage_id:
        invited_from = (
            f"“{invitation.stage_name}”" if invitation.stage_name else "the stage they were invited from"
        )
        return f"The candidate has left {invited_from}. A recruiter has decided, so the portal doesn't move them."
    if (
        effect.attempt_started_at
        and opportunity.entered_at
        and opportunity.entered_at > effect.attempt_started_at
    ):
        return "A recruiter moved the candidate back, so the portal doesn't move them again."
    return "" if is_passed(invitation) else "CodeScreen no longer says Passed."


def _target(organization: Organization, clients: ClientProvider) -> Stage | Failed:
    """Return the stage that the policy means now; Failed when there is none, several, or one that would invite."""
    written = organization.passed_stage.strip()
    stages = stages_named(organization, written, clients)
    if not stages:
        return Failed(f"{unknown_target_message(organization)} {FIX}")
    if len(stages) > 1:
        return Failed(f"Lever has {len(stages)} stages called “{written}”. Use the id of one instead. {FIX}")
    [stage] = stages
    if trigger_policy(organization).is_trigger(stage.external_id, stage.name):
        return Failed(
            f"Moving candidates to “{stage.name}” would send them an assessment, so nobody is moved. {FIX}"
        )
    return stage
