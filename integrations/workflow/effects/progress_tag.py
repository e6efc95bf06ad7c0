"""Set the progress tag on the opportunity in Lever, and with it the tag of the result that led to it."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.workflow.effects.result_tag import is_overtaken
from integrations.workflow.effects.tags import write_tags
from integrations.workflow.outbox.enqueue import LATER_PROGRESS
from integrations.workflow.outbox.outcome import Cancelled, Done
from integrations.workflow.outbox.payloads import ProgressTagPayload


def set_progress_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Leave exactly one progress tag on the opportunity, and the result tag that came with it.

    Safe to run twice, since tags are a set. The progress tag is left out when a later one has been enqueued, the result
    tag when CodeScreen has said something else since; cancelled when nothing remains.
    """
    later = Effect.objects.filter(
        organization=effect.organization_id,
        kind=effect.kind,
        opportunity_id=effect.opportunity_id,
        pk__gt=effect.pk,
    )
    has_later = later.exclude(state=Effect.State.FAILED).exists()
    payload = ProgressTagPayload.from_json(effect.payload)
    result_tag = payload.result_tag
    if result_tag is not None and is_overtaken(effect, result_tag):
        result_tag = None
    if has_later and result_tag is None:
        return Cancelled(LATER_PROGRESS)
    write_tags(clients.lever(), effect, "" if has_later else payload.tag, result_tag)
    return Done()
