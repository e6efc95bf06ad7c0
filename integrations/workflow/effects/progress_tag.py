"""Set the progress tag on the opportunity in Lever, and with it the tag of the result that led to it."""

from functools import partial

from django.db.models import QuerySet

from integrations.clients.provider import ClientProvider
from integrations.http.errors import PlatformError
from integrations.models import Effect
from integrations.models.prepared import prepared
from integrations.workflow.effects.result_tag import is_overtaken
from integrations.workflow.effects.tags import write_tags
from integrations.workflow.outbox.enqueue import LATER_PROGRESS, enqueue
from integrations.workflow.outbox.outcome import Cancelled, Done
from integrations.workflow.outbox.payloads import ProgressTagPayload

#: How Lever may answer to a tag that it doesn't accept, such as a new one where creating tags is restricted.
_REFUSED = frozenset({400, 403, 422})


def set_progress_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Leave exactly one progress tag on the opportunity, and the result tag that came with it.

    Safe to run twice, since tags are a set. The progress tag is left out when a later one has been enqueued, the result
    tag when CodeScreen has said something else since; cancelled when nothing remains. Where Lever refuses both
    together, the progress tag is set alone, and the result tag becomes an effect of its own, which says why.
    """
    has_later = _later_tags.exists(effect.organization_id, effect.opportunity_id, effect.pk)
    payload = ProgressTagPayload.from_json(effect.payload)
    result_tag = payload.result_tag
    if result_tag is not None and is_overtaken(effect, result_tag):
        result_tag = None
    if has_later and result_tag is None:
        return Cancelled(LATER_PROGRESS)
    progress_tag, lever = "" if has_later else payload.tag, clients.lever()
    try:
        written = write_tags(lever, effect, progress_tag, result_tag)
    except PlatformError as error:
        if result_tag is None or not (progress_tag and result_tag.tag) or error.status not in _REFUSED:
            raise
        written = write_tags(lever, effect, progress_tag, None)
        alone = partial(
            enqueue,
            effect.organization,
            Effect.Kind.SET_RESULT_TAG,
            f"alone:{effect.pk}",
            invitation=effect.invitation,
            payload=result_tag,
            priority=4,
        )
        return Done(record=alone, written=written)
    return Done(written=written)


@prepared
def _later_tags(organization_id: int, opportunity_id: str, pk: int) -> QuerySet[Effect, int]:
    rows = Effect.objects.filter(
        organization=organization_id,
        kind=Effect.Kind.SET_PROGRESS_TAG,
        opportunity_id=opportunity_id,
        pk__gt=pk,
    )
    return rows.exclude(state=Effect.State.FAILED).order_by().values_list("pk", flat=True)[:1]
