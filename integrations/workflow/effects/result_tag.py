"""Set the customer's own tag for a result on the opportunity in Lever."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.workflow.effects.author import known_author
from integrations.workflow.outbox.outcome import Done
from integrations.workflow.outbox.payloads import ResultTagPayload


def set_result_tag(effect: Effect, clients: ClientProvider) -> Done:
    """Add the tag for the result and remove its opposite. Safe to run twice, since tags are a set."""
    payload = ResultTagPayload.from_json(effect.payload)
    lever = clients.lever()
    if payload.tag:
        lever.add_tags(effect.opportunity_id, [payload.tag], known_author(effect))
    if payload.others:
        lever.remove_tags(effect.opportunity_id, payload.others, known_author(effect))
    return Done()
