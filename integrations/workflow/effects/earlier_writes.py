"""Whether what an effect writes to Lever may be there already, so that Lever is looked at first.

Looking costs a call for each candidate, so it is done only where the rows can't know.
"""

from integrations.models import Effect, Invitation


def may_be_written(effect: Effect) -> bool:
    """Whether an earlier try may have written it, or the portal whose rows were lost by a restore."""
    if effect.attempt_started_at is not None:
        return True
    if effect.organization.rows_lost_until is None:
        return False
    if effect.invitation is not None:
        return effect.organization.has_lost_rows_since(effect.invitation.created_at)
    since = effect.delivery.received_at if effect.delivery is not None else effect.created_at
    return effect.organization.has_lost_rows_since(since)


def may_be_written_of(invitation: Invitation, kind: str) -> bool:
    """Whether any of the invitation's effects of this kind may have been written."""
    if invitation.organization.has_lost_rows_since(invitation.created_at):
        return True
    return invitation.effects.filter(kind=kind, attempt_started_at__isnull=False).exists()
