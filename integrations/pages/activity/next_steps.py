"""What a person can do about a verdict, as a sentence."""

from integrations.models import Invitation
from integrations.vocabulary import INVITING_VERDICTS
from integrations.workflow.rules import next_steps


def next_step(verdict: str, invitation: Invitation | None = None) -> str:
    """Return the next step for a verdict and the invitation it led to; empty while there is no verdict."""
    if verdict in INVITING_VERDICTS and invitation is not None and invitation.has_ended_without_result:
        return next_steps.FOLLOWED_IN_VAIN
    if invitation is None:
        return next_steps.next_step(verdict)
    return next_steps.next_step(verdict, invitation.status, is_bounced=invitation.is_bounced)
