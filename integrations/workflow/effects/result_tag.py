"""Set the customer's own tag for a result on the opportunity in Lever."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect, Invitation
from integrations.workflow.effects.author import known_author
from integrations.workflow.outbox.outcome import Cancelled, Done
from integrations.workflow.outbox.payloads import ResultTagPayload

LATER_RESULT = "A later result took its place."


def set_result_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Add the tag for the result and remove its opposite. Safe to run twice, since tags are a set.

    Cancelled when CodeScreen has said something else since, of this round or a later one.
    """
    payload = ResultTagPayload.from_json(effect.payload)
    invitation = effect.invitation
    if invitation is None:
        raise TypeError("a result tag without an invitation")
    if _is_overtaken(invitation, payload.outcome):
        return Cancelled(LATER_RESULT)
    lever = clients.lever()
    if payload.tag:
        lever.add_tags(effect.opportunity_id, [payload.tag], known_author(effect))
    if payload.others:
        lever.remove_tags(effect.opportunity_id, payload.others, known_author(effect))
    return Done()


def _is_overtaken(invitation: Invitation, outcome: str) -> bool:
    latest = invitation.latest_result()
    if latest is None or latest.outcome != outcome:
        return True
    return invitation.later_rounds().filter(results__isnull=False).exists()
