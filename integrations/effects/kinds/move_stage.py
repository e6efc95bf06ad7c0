"""Move a candidate in Lever who passed or meets the organization's bar, unless a recruiter has acted since.

A score that is compared with no bar never moves a candidate, and no candidate is moved back.
"""

from dataclasses import dataclass
from functools import partial

from integrations.catalog.lists import stages_named, stages_on_pass, trigger_policy, unknown_target_message
from integrations.catalog.models.platform_lists import Stage
from integrations.clients.provider import ClientProvider
from integrations.effects.further import (
    all_related,
    are_passed,
    cancel_next,
    follow_with_next,
    is_last,
    related_invitations,
    sent_next,
    state_key,
)
from integrations.effects.kind import Author, EffectKind, Target, Words, kept_whole, known_author
from integrations.effects.kinds.messages import enqueue_note
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.invitations.rules import role_rules_of
from integrations.lever.payloads import Opportunity
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import first_name, notify_members
from integrations.organizations.models.policies import STAGE_ON_PASS_LABEL
from integrations.outbox.enqueue import Payload
from integrations.outbox.models import Effect
from integrations.outbox.outcome import Cancelled, Done, Failed, LeaseLost

NO_LONGER_PASSED = "The result has changed since. It no longer leads to the next stage."
FIX = (
    f"Correct “{STAGE_ON_PASS_LABEL}” under Settings › Roles and rules, or in the role's mapping, then retry."
)


@dataclass(frozen=True)
class MoveStagePayload(Payload):
    """The stage to move the candidate to: as the rules write it, from the first attempt on as Lever names it."""

    stage: str = ""


def follow_result(invitation: Invitation, result: Result) -> None:
    """Enqueue what follows a pass: the next assessment, else the move; notify people when it is taken back after that.

    The move follows the last assessment of the mapping. What wasn't sent yet isn't sent after a pass that is none.
    """
    if not result.counts_as_pass:
        cancel_next(invitation)
        _notify_regrade(invitation)
        return
    follow_with_next(invitation)
    if is_last(invitation) and (stage := role_rules_of(invitation).stage_on_pass.strip()):
        MOVE_STAGE.enqueue(
            invitation.organization_id,
            state_key(invitation),
            MoveStagePayload(stage),
            invitation=invitation,
        )


def _notify_regrade(invitation: Invitation) -> None:
    """Notify people once, by a note in Lever and by e-mail, that a result changed after what followed from a pass."""
    moves = Effect.objects.filter(
        invitation__in=related_invitations(invitation),
        kind=Effect.Kind.MOVE_STAGE,
        attempt_started_at__isnull=False,
        # a cancelled move that was started may have taken effect before a recruiter moved the candidate on
        state__in=[Effect.State.DONE, Effect.State.DUE, Effect.State.CANCELLED],
    )
    move = moves.order_by("-pk").first()
    latest = invitation.latest_result()
    following = sent_next(invitation) if move is None else None
    if latest is None:
        return
    if move is not None:
        done = f"the candidate was moved to “{MOVE_STAGE.payload_of(move).stage}”"
        left = "Nobody is moved back automatically."
        ask = "which stage the candidate belongs in"
    elif following is not None:
        sent = "was sent" if following.instance_id else "was sent or is being sent"
        done = f"“{following.assessment_name}” {sent} to the candidate"
        left = "What was sent isn't taken back."
        ask = "whether it still counts"
    else:
        return
    key = state_key(invitation)
    change = f"The result of “{invitation.assessment_name}” changed after {done}. Now it is: {latest.headline}. {left}"
    enqueue_note(
        invitation.organization,
        invitation.opportunity_id,
        f"regraded:{key}",
        f"CodeScreen: {change} Please decide {ask}.",
        invitation=invitation,
    )
    notify_members(
        invitation.organization,
        EmailTopic.RESULT_CHANGED,
        key,
        subject=f"{first_name(invitation.candidate_name)}: the result changed after "
        f"{'the move' if move else 'what followed'}",
        lines=[change, f"Decide {'in Lever ' if move else ''}{ask}."],
        invitation=invitation,
    )


def _move_stage(effect: Effect, clients: ClientProvider) -> Done | Cancelled | Failed | LeaseLost:
    """Move the candidate to the stage on pass, unless a recruiter has acted since.

    Safe to run twice. Lever offers no conditional move, so a recruiter who acts between the read and the call is only
    noticed at the next read.
    """
    invitation = effect.own_invitation
    invitation.organization = effect.organization
    if reason := _reason_to_cancel(effect, invitation):
        return Cancelled(reason)
    lever = clients.lever()  # first: while Lever isn't connected, the stage may yet be corrected
    target = _target(invitation, clients)
    if isinstance(target, Failed):
        return target
    opportunity = lever.opportunity(effect.opportunity_id)
    if opportunity.stage_id == target.external_id:
        if effect.attempt_started_at:
            return Done(record=partial(_notify_if_regraded, invitation))
        return Done(
            Effect.EndReason.ALREADY_THERE,
            record=partial(_notify_if_regraded, invitation),
            written=Words(stage=target.name),
        )
    if reason := _reason_not_to_move(effect, invitation, opportunity) or _moved_there_before(effect, target):
        return Cancelled(reason)
    if not effect.mark_attempt_started(MoveStagePayload(target.name).to_json()):
        return LeaseLost()
    lever.move_stage(effect.opportunity_id, target.external_id, known_author(effect))
    return Done(record=partial(_notify_if_regraded, invitation))


def _notify_if_regraded(invitation: Invitation) -> None:
    """Tell people when the result changed while the candidate was being moved."""
    if not are_passed(invitation):
        _notify_regrade(invitation)


def _reason_to_cancel(effect: Effect, invitation: Invitation) -> str:
    """Return why the move is no longer wanted, by the portal's own rows; empty when it is wanted."""
    moves = Effect.objects.filter(
        invitation__in=all_related(invitation), kind=effect.kind, state=Effect.State.DONE
    )
    if moves.exclude(pk=effect.pk).exists():
        return "The candidate was moved for this assessment before. Since then recruiters decide the stage."
    if not role_rules_of(invitation).stage_on_pass.strip():
        return "The rules no longer have a stage for candidates who passed."
    if effect.attempt_started_at is None and not are_passed(invitation):
        return NO_LONGER_PASSED
    if effect.attempt_started_at is None and invitation.has_later_round_sent():
        return "The candidate was invited again. The result of the later round decides."
    return ""


def _reason_not_to_move(effect: Effect, invitation: Invitation, opportunity: Opportunity) -> str:
    """Return why the candidate isn't moved: a recruiter acted, or it is no longer Passed; empty when they are."""
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
    return "" if are_passed(invitation) else NO_LONGER_PASSED


def _moved_there_before(effect: Effect, target: Stage) -> str:
    """Return that a stage that invites isn't entered twice by the portal, which ends a circle that no check finds."""
    if not trigger_policy(effect.organization).is_trigger(target.external_id, target.name):
        return ""
    moves = Effect.objects.filter(
        organization=effect.organization_id,
        opportunity_id=effect.opportunity_id,
        kind=effect.kind,
        state=Effect.State.DONE,
        payload__stage=target.name,
    )
    if not moves.exclude(pk=effect.pk).exists():
        return ""
    return (
        f"The portal moved the candidate into “{target.name}” before. Since then recruiters decide the stage."
    )


def _target(invitation: Invitation, clients: ClientProvider) -> Stage | Failed:
    """Return the stage that the rules mean now; Failed when there is none, or several.

    A mapping's own may invite, if that ends somewhere; the general one would lead to itself.
    """
    organization, written = invitation.organization, role_rules_of(invitation).stage_on_pass.strip()
    stages = stages_named(organization, written, clients)
    if not stages:
        return Failed(f"{unknown_target_message(organization, written)} {FIX}")
    if len(stages) > 1:
        return Failed(f"Lever has {len(stages)} stages called “{written}”. Use the id of one instead. {FIX}")
    [stage] = stages
    mapping = invitation.mapping
    if mapping is not None and mapping.stage_on_pass.strip():
        circle = stages_on_pass(organization).why_circle(mapping.rule)
        return Failed(f"{circle} {FIX}") if circle else stage
    if trigger_policy(organization).is_trigger(stage.external_id, stage.name):
        return Failed(
            f"Moving candidates to “{stage.name}” would send them an assessment, so nobody is moved. {FIX}"
        )
    return stage


MOVE_STAGE = EffectKind(
    kind=Effect.Kind.MOVE_STAGE,
    target=Target.LEVER,
    payload=MoveStagePayload,
    perform=_move_stage,
    author=Author.CONNECTED,
    heading="Stage",
    icon="play",
    to_write=lambda payload, _: Words(stage=payload.stage),
    done=lambda effect, words: (
        f"The candidate was already in “{words.stage}”."
        if effect.end_reason
        else f"Moved into “{words.stage}” in Lever by the portal"
    ),
    failed="The candidate was not moved in Lever",
    kept_payload=kept_whole,
)
