"""Move a candidate in Lever who passed or meets the organization's bar, unless a recruiter has acted since.

A score that is compared with no bar never moves a candidate, and no candidate is moved back. The stage may be one that
sends another assessment; the same one isn't sent twice.
"""

from functools import partial

from integrations.case.case import Case
from integrations.case.reconcile import NO_LONGER_WANTED, changing
from integrations.case.wanted import stage_on_pass
from integrations.catalog.lists import stages_named, unknown_target_message
from integrations.catalog.models import Stage
from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.invitations.models.invitation import Invitation
from integrations.lever.payloads import Opportunity
from integrations.organizations.models.policies import RULES
from integrations.outbox.kind import (
    Author,
    Cancelled,
    Done,
    EffectKind,
    Failed,
    LeaseLost,
    Target,
    Words,
    kept_whole,
    known_author,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import MoveStagePayload
from integrations.store.database import with_retry

FIX = (
    f"Correct “{RULES['stage_on_pass'].verbose_name}” under Roles and rules, or in the role's mapping, then "
    "retry."
)


def _move_stage(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | LeaseLost:
    """Move the candidate to the stage on pass, unless a recruiter has acted since.

    Safe to run twice. Lever offers no conditional move, so a recruiter who acts between the read and the call is only
    noticed at the next read.
    """
    invitation = effect.own_invitation
    invitation.organization = effect.organization
    case = Case.read(effect.organization, effect.opportunity_id)
    reason = _why_no_move(effect, case)
    if effect.attempt_started_at is None:  # else Lever says whether they were moved
        reason = reason or _why_not_passed(effect, case)
    if reason:
        return Cancelled(reason)
    lever = clients.lever()  # first: while Lever isn't connected, the stage may yet be corrected
    target = _target(invitation, clients)
    if isinstance(target, Failed):
        return target
    opportunity = lever.opportunity(effect.opportunity_id)
    if opportunity.stage_id == target.external_id:
        if effect.attempt_started_at:
            return Done()
        return Done(Effect.EndReason.ALREADY_THERE, written=Words(stage=target.name))
    if reason := _reason_not_to_move(effect, invitation, opportunity):
        return Cancelled(reason)
    if (not_begun := with_retry(partial(_begin, effect, target))) is not None:
        return not_begun
    lever.move_stage(effect.opportunity_id, target.external_id, known_author(effect))
    return Done()


def _begin(effect: Effect, target: Stage) -> Cancelled | LeaseLost | None:
    """Commit that the candidate is about to be moved, if they still are to be; return None then.

    With the candidate's rows locked: a result that changes afterwards finds that they may have been moved, and says so.
    """
    with changing(effect.organization, effect.opportunity_id) as case:
        if reason := _why_no_move(effect, case) or _why_not_passed(effect, case):
            # Lever has just shown that no earlier attempt moved them
            effect.change_fenced(attempt_started_at=None)
            return Cancelled(reason)
        if not effect.mark_attempt_started(MoveStagePayload(target.name).to_json()):
            return LeaseLost()
    return None


def _why_no_move(effect: Effect, case: Case) -> str:
    """Return why nobody is moved for this assessment, whatever the result; empty when they may be."""
    invitation = case.invitation(effect.own_invitation.pk)
    same = [one for one in case.invitations if one.assessment_id == invitation.assessment_id]
    # of any round: so a circle of stages ends
    if any(move.state == Effect.State.DONE for move in case.moves(same) if move.pk != effect.pk):
        return "The candidate was moved for this assessment before. Since then recruiters decide the stage."
    return "" if stage_on_pass(invitation) else "The rules no longer have a stage for candidates who passed."


def _why_not_passed(effect: Effect, case: Case) -> str:
    """Return why the latest result of the latest round doesn't lead to the move; empty when it does."""
    invitation = case.invitation(effect.own_invitation.pk)
    result = case.results.get(invitation.pk)
    if case.is_overtaken(invitation):
        return "The candidate was invited again. The result of the later round decides."
    is_passed = invitation.status == Status.COMPLETED and result is not None and result.counts_as_pass
    return "" if is_passed else NO_LONGER_WANTED[Effect.Kind.MOVE_STAGE]


def _reason_not_to_move(effect: Effect, invitation: Invitation, opportunity: Opportunity) -> str:
    """Return why the candidate isn't moved: a recruiter acted; empty when they are."""
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
    return ""


def _target(invitation: Invitation, clients: ClientProvider) -> Stage | Failed:
    """Return the stage that the rules mean now; Failed when there is none, or several."""
    organization, written = invitation.organization, stage_on_pass(invitation)
    stages = stages_named(organization, written, clients)
    if not stages:
        return Failed(f"{unknown_target_message(organization, written)} {FIX}")
    if len(stages) > 1:
        return Failed(f"Lever has {len(stages)} stages called “{written}”. Use the id of one instead. {FIX}")
    return stages[0]


MOVE_STAGE = EffectKind(
    kind=Effect.Kind.MOVE_STAGE,
    target=Target.LEVER,
    payload=MoveStagePayload,
    perform=_move_stage,
    author=Author.CONNECTED,
    heading="Stage",
    icon="play",
    to_write=lambda payload, _: Words(stage=payload.stage),
    failed="The candidate was not moved in Lever",
    kept_payload=kept_whole,
)
