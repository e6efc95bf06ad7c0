"""Move a candidate in Lever who passed or meets the organization's bar, unless a recruiter has acted since.

A score that is compared with no bar never moves a candidate, and no candidate is moved back. The stage may be one that
sends another assessment; the same one isn't sent twice.
"""

from dataclasses import dataclass
from functools import partial

from integrations.catalog.lists import stages_named, unknown_target_message
from integrations.catalog.models.platform_lists import Stage
from integrations.catalog.models.role_mapping import rule_for
from integrations.clients.provider import ClientProvider
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.payloads import Opportunity
from integrations.notifications.models.email_kind import EmailTopic
from integrations.notifications.notify import notify_members
from integrations.organizations.models.policies import RULES
from integrations.outbox.kind import Author, EffectKind, Target, Words, kept_whole, known_author
from integrations.outbox.kinds.messages import enqueue_note
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload
from integrations.outbox.outcome import Cancelled, Done, Failed, LeaseLost

NO_LONGER_PASSED = "The result has changed since. It no longer leads to the next stage."
FIX = (
    f"Correct “{RULES['stage_on_pass'].verbose_name}” under Settings › Roles and rules, or in the role's mapping, then "
    "retry."
)


@dataclass(frozen=True)
class MoveStagePayload(Payload):
    """The stage to move the candidate to: as the rules write it, from the first attempt on as Lever names it."""

    stage: str = ""


def _stage_on_pass(invitation: Invitation) -> str:
    """Return the stage to which the rules move those who passed or meet the bar; empty for none."""
    return str(rule_for(invitation.organization, invitation.mapping, "stage_on_pass"))


def follow_result(invitation: Invitation, result: Result, key: str) -> None:
    """Enqueue the move after a pass, if the rules name a stage; notify people when a result changes after the move."""
    if not result.counts_as_pass:
        _notify_regrade(invitation, key)
    elif stage := _stage_on_pass(invitation):
        MOVE_STAGE.enqueue(invitation.organization_id, key, MoveStagePayload(stage), invitation=invitation)


def _notify_regrade(invitation: Invitation, key: str) -> None:
    """Notify people once, by a note in Lever and by e-mail, that a result changed after its candidate was moved."""
    moves = Effect.objects.filter(
        invitation=invitation,
        kind=Effect.Kind.MOVE_STAGE,
        attempt_started_at__isnull=False,
        # a cancelled move that was started may have taken effect before a recruiter moved the candidate on
        state__in=[Effect.State.DONE, Effect.State.DUE, Effect.State.CANCELLED],
    )
    move, latest = moves.order_by("-pk").first(), invitation.latest_result()
    if move is None or latest is None:
        return
    stage = MOVE_STAGE.payload_of(move).stage
    change = (
        f"The result of “{invitation.assessment_name}” changed after the candidate was moved to “{stage}”. Now it is: "
        f"{latest.headline}. Nobody is moved back automatically."
    )
    enqueue_note(
        invitation.organization,
        invitation.opportunity_id,
        f"regraded:{key}",
        f"CodeScreen: {change} Please decide which stage the candidate belongs in.",
        invitation=invitation,
    )
    notify_members(
        invitation.organization,
        EmailTopic.RESULT_CHANGED,
        key,
        subject="the result changed after the move",
        lines=[change, "Decide in Lever which stage the candidate belongs in."],
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
    notify_if_regraded = partial(_notify_if_regraded, effect, invitation)
    if opportunity.stage_id == target.external_id:
        if effect.attempt_started_at:
            return Done(record=notify_if_regraded)
        return Done(
            Effect.EndReason.ALREADY_THERE, record=notify_if_regraded, written=Words(stage=target.name)
        )
    if reason := _reason_not_to_move(effect, invitation, opportunity):
        return Cancelled(reason)
    if not effect.mark_attempt_started(MoveStagePayload(target.name).to_json()):
        return LeaseLost()
    lever.move_stage(effect.opportunity_id, target.external_id, known_author(effect))
    return Done(record=notify_if_regraded)


def _notify_if_regraded(effect: Effect, invitation: Invitation) -> None:
    """Tell people when the result changed while the candidate was being moved."""
    if not _is_passed(invitation):
        _notify_regrade(invitation, f"moved:{effect.pk}")


def _is_passed(invitation: Invitation) -> bool:
    """Whether the latest result states Passed, or meets the bar."""
    latest = invitation.latest_result()
    return latest is not None and latest.counts_as_pass is True


def _reason_to_cancel(effect: Effect, invitation: Invitation) -> str:
    """Return why the move is no longer wanted, by the portal's own rows; empty when it is wanted."""
    moves = Effect.objects.filter(
        organization=effect.organization_id,
        opportunity_id=effect.opportunity_id,
        kind=effect.kind,
        state=Effect.State.DONE,
        invitation__assessment_id=invitation.assessment_id,  # of any round: so a circle of stages ends
    )
    if moves.exclude(pk=effect.pk).exists():
        return "The candidate was moved for this assessment before. Since then recruiters decide the stage."
    if not _stage_on_pass(invitation):
        return "The rules no longer have a stage for candidates who passed."
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
    return "" if _is_passed(invitation) else NO_LONGER_PASSED


def _target(invitation: Invitation, clients: ClientProvider) -> Stage | Failed:
    """Return the stage that the rules mean now; Failed when there is none, or several."""
    organization, written = invitation.organization, _stage_on_pass(invitation)
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
    done=lambda effect, words: (
        f"The candidate was already in “{words.stage}”."
        if effect.end_reason
        else f"Moved into “{words.stage}” in Lever by the portal"
    ),
    failed="The candidate was not moved in Lever",
    kept_payload=kept_whole,
)
