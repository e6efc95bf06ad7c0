"""Set the progress tag on the opportunity in Lever, and the customer's own tag for a result: mostly in the same calls.

Lever has no call that replaces a tag: there is at most one addition and one removal. The tags' texts are `ProgressTag`
in `core/vocabulary.py`.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

from integrations.clients.provider import ClientProvider
from integrations.core.invitation_status import InvitationStatus as Status
from integrations.core.rules.names import (
    all_progress_tags,
    choose_result_tag,
    is_progress_tag,
)
from integrations.core.vocabulary import ProgressTag
from integrations.http.json_values import JsonObject
from integrations.http.session import PlatformError
from integrations.invitations.models.invitation import Invitation
from integrations.invitations.models.result import Result
from integrations.lever.client import LeverClient
from integrations.outbox.kind import Author, EffectKind, Target, Words, kept_whole, known_author
from integrations.outbox.models.effect import Effect
from integrations.outbox.models.enqueue import Payload
from integrations.outbox.outcome import Cancelled, Done

#: The tags that say that a candidate hasn't started; none is set on one who has.
UNSTARTED_TAGS = frozenset({ProgressTag.NOT_STARTED_YET, ProgressTag.NOT_STARTED})
LATER_PROGRESS = "A later status replaced this one."
LATER_RESULT = "A later result replaced this one."
REMOVAL_NOT_RECORDED = "Which tags it replaced wasn't kept when this was written."
#: How Lever may answer to a tag that it doesn't accept, such as a new one where creating tags is restricted.
_REFUSED = frozenset({400, 403, 422})


@dataclass(frozen=True)
class ResultTagPayload(Payload):
    """The customer's tag to add, empty for none, the tags to remove, and what was said of the result."""

    tag: str = ""
    others: list[str] = field(default_factory=list)
    said: str = ""


@dataclass(frozen=True)
class ProgressTagPayload(Payload):
    """The progress tag that the opportunity is to have; `result` is the payload of a result tag set with it."""

    tag: str = ""
    result: JsonObject | None = None

    @property
    def result_tag(self) -> ResultTagPayload | None:
        """The result tag that is set in the same calls, None when there is none."""
        return None if self.result is None else ResultTagPayload.from_json(self.result)


def enqueue_progress_tag(
    invitation: Invitation,
    tag: str,
    result_tag: ResultTagPayload | None = None,
) -> bool:
    """Enqueue a progress tag, and cancel an earlier one for the same candidate that hasn't been set.

    `result_tag` is set in the same calls to Lever; one that waits with an earlier progress tag isn't cancelled.
    Return whether `result_tag` comes with it. The tag follows the latest round that was sent: for an earlier round
    nothing is enqueued.
    """
    if invitation.has_later_round_sent():
        return False
    waiting = Effect.objects.filter(
        organization=invitation.organization_id,
        kind=Effect.Kind.SET_PROGRESS_TAG,
        opportunity_id=invitation.opportunity_id,
        state=Effect.State.DUE,
        leased_until__isnull=True,
        payload__result=None,
    )
    waiting.update(state=Effect.State.CANCELLED, due_at=None, last_error=LATER_PROGRESS)
    SET_PROGRESS_TAG.enqueue(
        invitation.organization_id,
        f"{invitation.opportunity_id}:{uuid.uuid4().hex}",  # each change is an effect of its own
        ProgressTagPayload(tag, result_tag.to_json() if result_tag else None),
        invitation=invitation,
    )
    return result_tag is not None


def result_tag_of(invitation: Invitation, result: Result, *, is_first: bool) -> ResultTagPayload | None:
    """Return the customer's own tag for what is said of the result; both are removed when neither is said any more.

    None when there is nothing to add or to remove; after the first result of the first round nothing is removed alone.
    """
    rules = invitation.organization
    tags = {
        True: choose_result_tag(rules.passed_tag, invitation.assessment_name),
        False: choose_result_tag(rules.failed_tag, invitation.assessment_name),
    }
    given = tags[result.counts_as_pass] if result.counts_as_pass is not None else ""
    others = sorted({tag for tag in tags.values() if tag} - {given})
    if given or (others and (not is_first or invitation.round > 1)):
        return ResultTagPayload(given, others, result.said or "")
    return None


def _set_progress_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Leave exactly one progress tag on the opportunity, and the result tag that came with it.

    Safe to run twice, since tags are a set. The progress tag is left out when a later one has been enqueued, the result
    tag when CodeScreen has said something else since; cancelled when nothing remains. Where Lever refuses both
    together, the progress tag is set alone, and the result tag becomes an effect of its own, which says why.
    """
    payload = SET_PROGRESS_TAG.payload_of(effect)
    has_later = _has_later_progress_tag(effect) or _no_longer_holds(effect, payload.tag)
    result_tag = payload.result_tag
    if result_tag is not None and _is_overtaken(effect, result_tag):
        result_tag = None
    if has_later and result_tag is None:
        return Cancelled(LATER_PROGRESS)
    progress_tag, lever = "" if has_later else payload.tag, clients.lever()
    try:
        written = _write_tags(lever, effect, progress_tag, result_tag)
    except PlatformError as error:
        if result_tag is None or not (progress_tag and result_tag.tag) or error.status not in _REFUSED:
            raise
        written = _write_tags(lever, effect, progress_tag, None)
        alone = partial(
            SET_RESULT_TAG.enqueue,
            effect.organization_id,
            f"alone:{effect.pk}",
            result_tag,
            invitation=effect.invitation,
        )
        return Done(record=alone, written=written)
    return Done(written=written)


def _has_later_progress_tag(effect: Effect) -> bool:
    """Whether a progress tag was enqueued later that hasn't failed."""
    later = Effect.objects.filter(
        organization=effect.organization_id,
        opportunity_id=effect.opportunity_id,
        kind=Effect.Kind.SET_PROGRESS_TAG,
        pk__gt=effect.pk,
    )
    return later.exclude(state=Effect.State.FAILED).exists()


def _no_longer_holds(effect: Effect, tag: str) -> bool:
    """Whether a tag says that somebody hasn't started who has, or whose invitation was cancelled or followed anew."""
    if tag not in UNSTARTED_TAGS:
        return False
    invitation = effect.own_invitation
    return (invitation.status, invitation.unstarted_tag) != (Status.INVITED, tag)


def _set_result_tag(effect: Effect, clients: ClientProvider) -> Done | Cancelled:
    """Add the tag for the result and remove its opposite. Safe to run twice, since tags are a set.

    Cancelled when CodeScreen has said something else since.
    """
    payload = SET_RESULT_TAG.payload_of(effect)
    if _is_overtaken(effect, payload):
        return Cancelled(LATER_RESULT)
    return Done(written=_write_tags(clients.lever(), effect, "", payload))


def _is_overtaken(effect: Effect, payload: ResultTagPayload) -> bool:
    """Whether CodeScreen has said something else since, of the effect's round or of a later one."""
    invitation = effect.own_invitation
    latest = invitation.latest_result()
    if latest is None or (latest.said or "") != payload.said:
        return True
    return invitation.later_rounds().filter(results__isnull=False).exists()


def _write_tags(
    lever: LeverClient, effect: Effect, progress_tag: str, result_tag: ResultTagPayload | None
) -> Words:
    """Add the progress tag, if not empty, and the result tag, if given; then remove those that they replace.

    Return what was added and removed. The new ones are added first, so that the opportunity is never without a
    progress tag. Raises PlatformError.
    """
    result_tag = result_tag or ResultTagPayload()
    added = [tag for tag in (progress_tag, result_tag.tag) if tag]
    author = known_author(effect)
    present = lever.add_tags(effect.opportunity_id, added, author) if added else None
    replaced = _replaced(present, progress_tag, result_tag.others)
    if replaced:
        lever.remove_tags(effect.opportunity_id, replaced, author)
    return Words(tags=added, removed=replaced, is_removal_known=present is not None, is_kept=True)


def _replaced(present: Collection[str] | None, progress_tag: str, others: Collection[str]) -> list[str]:
    """Return the tags to remove: of those present, or all that there may be when Lever's answer doesn't list them."""
    if present is None:
        return [
            *([tag for tag in all_progress_tags() if tag != progress_tag] if progress_tag else []),
            *others,
        ]
    return [
        tag
        for tag in present
        if tag in others or (progress_tag and tag != progress_tag and is_progress_tag(tag))
    ]


def _progress_words(payload: ProgressTagPayload, _: Result | None) -> Words:
    tags = [payload.tag, payload.result_tag.tag if payload.result_tag else ""]
    return Words(tags=[tag for tag in tags if tag], missing=REMOVAL_NOT_RECORDED)


def _done(_: Effect, words: Words) -> str:
    if not words.tags:
        return "Tag removed in Lever"
    what = "Tag" if len(words.tags) == 1 else "Tags"
    return f"{what} set to {' and '.join(f'“{tag}”' for tag in words.tags)}"


SET_PROGRESS_TAG = EffectKind(
    kind=Effect.Kind.SET_PROGRESS_TAG,
    target=Target.LEVER,
    payload=ProgressTagPayload,
    perform=_set_progress_tag,
    priority=3,
    author=Author.CONNECTED,
    heading="Tags",
    icon="filter",
    to_write=_progress_words,
    done=_done,
    failed="The tag could not be set",
    kept_payload=kept_whole,
)
SET_RESULT_TAG = EffectKind(
    kind=Effect.Kind.SET_RESULT_TAG,
    target=Target.LEVER,
    payload=ResultTagPayload,
    perform=_set_result_tag,
    priority=4,
    author=Author.CONNECTED,
    heading="Tags",
    icon="filter",
    to_write=lambda payload, _: Words(tags=list(filter(None, [payload.tag])), missing=REMOVAL_NOT_RECORDED),
    done=_done,
    failed="The tag could not be set",
    kept_payload=kept_whole,
)
