"""What follows a pass that waited for another assessment of the same mapping."""

from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import choose_progress_tag
from integrations.effects.further import (
    is_last,
    lock_first,
    open_beside,
    passed_after,
    sent_together,
    state_key,
)
from integrations.effects.kinds.move_stage import follow_result
from integrations.effects.kinds.tags import SET_RESULT_TAG, enqueue_progress_tag, result_tag_of
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result


def follow_without(cancelled: Invitation, *, may_return: bool = False) -> None:
    """Enqueue the progress tag of those before it or sent together with it, and what follows a pass that waited for it.

    Called in the transaction that cancels it, with those sent together locked. A next one is over once a person has
    cancelled it; else it may be sent yet, as may any that wasn't sent to a candidate who `may_return` to the stage.
    """
    lock_first(cancelled)
    if cancelled.after is None and cancelled.together_id is None:
        return
    left = cancelled.after or cancelled
    if cancelled.instance_id:  # the tag may have been its own
        result, others = _latest_result(left), open_beside(left)
        if result is not None:
            enqueue_progress_tag(result.invitation, choose_progress_tag(Status.COMPLETED, result.outcome))
        elif others:
            enqueue_progress_tag(*others[0])
    is_over = cancelled.after is None or cancelled.stopped_by_user
    if is_over and (cancelled.instance_id or not may_return):
        follow_pass(left)


def follow_pass(invitation: Invitation) -> None:
    """Enqueue what follows a pass once it waits no longer: for this invitation, or others of the same mapping.

    Called in the transaction that ends the wait; safe to run twice.
    """
    lock_first(invitation)
    result = _latest_result(invitation)
    if result is None or not result.counts_as_pass:
        return
    latest = result.invitation
    if is_last(latest) and (tag := result_tag_of(latest, result, is_first=True)):
        key = f"waited:{state_key(latest)}"
        SET_RESULT_TAG.enqueue(latest.organization_id, key, tag, invitation=latest)
    follow_result(latest, result)
    if (last := passed_after(latest)) is not None:
        follow_pass(last)


def _latest_result(invitation: Invitation) -> Result | None:
    """Return the result of the one completed last of those sent together, none of an earlier round than was sent."""
    completed = sent_together(invitation).filter(status=Status.COMPLETED).order_by("-completed_at", "-pk")
    latest = next((one for one in completed if not one.has_later_round_sent()), None)
    return latest.latest_result() if latest else None
