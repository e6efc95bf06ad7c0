"""Enqueue the move to the stage on pass, and notify people when CodeScreen changes the result after the move."""

from integrations.models import Effect, EmailTopic, Invitation, Result
from integrations.workflow.email.blocks import OPEN
from integrations.workflow.email.links import candidate_link
from integrations.workflow.email.names import first_name
from integrations.workflow.email.notify import notify_members
from integrations.workflow.outbox.enqueue import enqueue, enqueue_note
from integrations.workflow.outbox.payloads import MoveStagePayload


def follow_result(invitation: Invitation, result: Result, number: int) -> None:
    """Enqueue the move when CodeScreen states Passed; notify people when it states something else after the move."""
    organization = invitation.organization
    if result.outcome != Result.Outcome.PASSED:
        notify_regrade(invitation, number)
    elif organization.passed_stage.strip():
        enqueue(
            organization,
            Effect.Kind.MOVE_STAGE,
            f"{invitation.pk}:{number}",
            invitation=invitation,
            payload=MoveStagePayload(organization.passed_stage.strip()),
        )


def notify_regrade(invitation: Invitation, number: int) -> None:
    """Notify people once, by a note in Lever and by e-mail, that a result changed after the candidate was moved."""
    moves = invitation.effects.filter(
        kind=Effect.Kind.MOVE_STAGE,
        attempt_started_at__isnull=False,
        # a cancelled move that was started may have taken effect before a recruiter moved the candidate on
        state__in=[Effect.State.DONE, Effect.State.DUE, Effect.State.CANCELLED],
    )
    move = moves.order_by("-pk").first()
    latest = invitation.latest_result()
    if move is None or latest is None:
        return
    now = f"Now it is {latest.outcome}" if latest.outcome else "Now CodeScreen doesn't state a result"
    stage = MoveStagePayload.from_json(move.payload).stage
    change = (
        f"The result of “{invitation.assessment_name}” changed. It was Passed, and the candidate was moved to "
        f"“{stage}”. {now}. The portal moves nobody back."
    )
    enqueue_note(
        invitation.organization,
        invitation.opportunity_id,
        f"regraded:{invitation.pk}:{number}",
        f"CodeScreen: {change} Please decide which stage the candidate belongs in.",
        invitation=invitation,
    )
    notify_members(
        invitation.organization,
        EmailTopic.RESULT_CHANGED,
        f"{invitation.pk}:{number}",
        subject=f"{first_name(invitation.candidate_name)}: the result changed after the move",
        lines=[
            change,
            "Decide in Lever which stage the candidate belongs in.",
            f"{OPEN}: {candidate_link(invitation)}",
        ],
        invitation=invitation,
    )


def is_passed(invitation: Invitation) -> bool:
    """Whether the latest result states Passed."""
    latest = invitation.latest_result()
    return latest is not None and latest.outcome == Result.Outcome.PASSED
