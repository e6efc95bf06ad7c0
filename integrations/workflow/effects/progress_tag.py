"""Set the progress tag on the opportunity in Lever."""

from integrations.clients.provider import ClientProvider
from integrations.models import Effect
from integrations.vocabulary import ProgressTag
from integrations.workflow.effects.author import known_author
from integrations.workflow.outbox.enqueue import LATER_PROGRESS
from integrations.workflow.outbox.outcome import Cancelled, Done
from integrations.workflow.outbox.payloads import ProgressTagPayload
from integrations.workflow.rules.tags import is_progress_tag


def set_progress_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Leave exactly one progress tag on the opportunity: the new one is added first, then the others are removed.

    Safe to run twice, since tags are a set. Cancelled when a later progress tag has been enqueued.
    """
    later = Effect.objects.filter(
        organization=effect.organization_id,
        kind=effect.kind,
        opportunity_id=effect.opportunity_id,
        pk__gt=effect.pk,
    )
    if later.exclude(state=Effect.State.FAILED).exists():
        return Cancelled(LATER_PROGRESS)
    tag = ProgressTagPayload.from_json(effect.payload).tag
    lever = clients.lever()
    author = known_author(effect)
    present = lever.add_tags(effect.opportunity_id, [tag], author)
    if present is None:
        others: list[str] = [known for known in ProgressTag if known != tag]
    else:
        others = [known for known in present if known != tag and is_progress_tag(known)]
    if others:
        lever.remove_tags(effect.opportunity_id, others, author)
    return Done()
