"""Set the progress tag on the opportunity in Lever, and the customer's own tag for a result.

Lever has no call that replaces a tag: there is at most one addition and one removal. The tags' texts are `ProgressTag`
in `core/vocabulary.py`.
"""

from collections.abc import Callable, Sequence

from integrations.case.reconcile import NO_LONGER_WANTED, is_replaced
from integrations.clients.provider import ClientProvider
from integrations.core.rules.names import all_progress_tags, is_progress_tag
from integrations.http.session import PlatformError
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.outbox.kind import (
    Author,
    Cancelled,
    Done,
    EffectKind,
    Target,
    Words,
    kept_whole,
    known_author,
)
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import ProgressTagPayload, ResultTagPayload

REMOVAL_NOT_RECORDED = "Which tags it replaced wasn't kept when this was written."
#: An account may let only some people make tags; then Lever refuses a tag that it doesn't have yet.
WHERE_LOCKED = (
    "Where tags are locked in Lever, a person with the permission Manage tags creates them there first"
)


def _set_progress_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Leave exactly one progress tag on the opportunity. Safe to run twice, since tags are a set.

    Cancelled when another one is wanted by now.
    """
    if is_replaced(effect):
        return Cancelled(NO_LONGER_WANTED[effect.kind])
    tag = SET_PROGRESS_TAG.payload_of(effect).tag
    others = [other for other in all_progress_tags() if other != tag]
    words = _write_tag(
        clients.lever(), effect, tag, others, lambda present: present != tag and is_progress_tag(present)
    )
    return Done(written=words)


def _set_result_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Add the tag for the result and remove its opposite. Safe to run twice, since tags are a set.

    Cancelled when CodeScreen has said something else since.
    """
    if is_replaced(effect):
        return Cancelled(NO_LONGER_WANTED[effect.kind])
    payload = SET_RESULT_TAG.payload_of(effect)
    return Done(
        written=_write_tag(clients.lever(), effect, payload.tag, payload.others, payload.others.__contains__)
    )


def _write_tag(
    lever: LeverClient, effect: Effect, tag: str, others: Sequence[str], is_other: Callable[[str], bool]
) -> Words:
    """Add the tag, if not empty; then remove those that it replaces: of those present, else all of `others`.

    Return what was added and removed. The new one is added first, so that the opportunity is never without a progress
    tag. Raises PlatformError.
    """
    added, author = [tag] if tag else [], known_author(effect)
    present = _added(lever, effect.opportunity_id, tag, author) if tag else None
    replaced = list(others) if present is None else [one for one in present if is_other(one)]
    if replaced:
        lever.remove_tags(effect.opportunity_id, replaced, author)
    return Words(tags=added, removed=replaced, is_removal_known=present is not None, is_kept=True)


def _added(lever: LeverClient, opportunity_id: str, tag: str, author: str) -> tuple[str, ...] | None:
    """Add a tag; return the tags there are then. Raises PlatformError, which says what to do about a refusal."""
    try:
        return lever.add_tags(opportunity_id, [tag], author)
    except PlatformError as error:
        if error.status != 403:
            raise
        advice = f"{error}. {WHERE_LOCKED}: “{tag}”. Then retry."
        raise PlatformError(advice, permanent=error.permanent, status=403, body=error.body) from error


def _words(payload: ProgressTagPayload | ResultTagPayload, _: Result | None) -> Words:
    return Words(tags=[payload.tag] if payload.tag else [], missing=REMOVAL_NOT_RECORDED)


SET_PROGRESS_TAG = EffectKind(
    kind=Effect.Kind.SET_PROGRESS_TAG,
    target=Target.LEVER,
    payload=ProgressTagPayload,
    perform=_set_progress_tag,
    author=Author.CONNECTED,
    heading="Tags",
    icon="filter",
    to_write=_words,
    failed="The tag could not be set",
    kept_payload=kept_whole,
)
SET_RESULT_TAG = EffectKind(
    kind=Effect.Kind.SET_RESULT_TAG,
    target=Target.LEVER,
    payload=ResultTagPayload,
    perform=_set_result_tag,
    author=Author.CONNECTED,
    heading="Tags",
    icon="filter",
    to_write=_words,
    failed="The tag could not be set",
    kept_payload=kept_whole,
)
