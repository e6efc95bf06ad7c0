"""Set the customer's own tag for a result where no progress tag is set with it: a later round has that one."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.workflow.effects.tags import write_tags
from integrations.workflow.outbox.outcome import Cancelled, Done
from integrations.workflow.outbox.payloads import ResultTagPayload

LATER_RESULT = "A later result replaced this one."


def set_result_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Add the tag for the result and remove its opposite. Safe to run twice, since tags are a set.

    Cancelled when CodeScreen has said something else since.
    """
    payload = ResultTagPayload.from_json(effect.payload)
    if is_overtaken(effect, payload):
        return Cancelled(LATER_RESULT)
    return Done(written=write_tags(clients.lever(), effect, "", payload))


def is_overtaken(effect: Effect, payload: ResultTagPayload) -> bool:
    """Whether CodeScreen has said something else since, of the effect's round or of a later one."""
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a result tag without an invitation")
    latest = invitation.latest_result()
    if latest is None or latest.outcome != payload.outcome:
        return True
    return invitation.later_rounds().filter(results__isnull=False).exists()
