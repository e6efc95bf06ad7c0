"""Write tags to an opportunity in Lever, which has no call that replaces one: at most one addition and one removal."""

from collections.abc import Collection

from integrations.lever.client import LeverClient
from integrations.models import Effect
from integrations.vocabulary import ProgressTag
from integrations.workflow.effects.author import known_author
from integrations.workflow.outbox.payloads import ResultTagPayload
from integrations.workflow.outbox.written import TagsWritten
from integrations.workflow.rules.tags import is_progress_tag


def write_tags(
    lever: LeverClient, effect: Effect, progress_tag: str, result_tag: ResultTagPayload | None
) -> TagsWritten:
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
    return TagsWritten(added, replaced, is_removal_known=present is not None)


def _replaced(present: Collection[str] | None, progress_tag: str, others: Collection[str]) -> list[str]:
    """Return the tags to remove: of those present, or all that there may be when Lever's answer doesn't list them."""
    if present is None:
        return [*([tag for tag in ProgressTag if tag != progress_tag] if progress_tag else []), *others]
    return [
        tag
        for tag in present
        if tag in others or (progress_tag and tag != progress_tag and is_progress_tag(tag))
    ]
