"""What a person can do about a verdict, as a sentence."""

from integrations.models import Invitation
from integrations.workflow.rules import next_steps


def next_step(verdict: str, invitation: Invitation | None = None) -> str:
    """Return the next step for a verdict and the invitation it led to; empty while there is no verdict."""
    return next_steps.next_step(verdict, invitation.status if invitation else None)
