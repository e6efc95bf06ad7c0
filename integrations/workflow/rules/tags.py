"""Which tags the portal sets in Lever, and what the tags that it reads there mean."""

from collections.abc import Iterable

from integrations.invitation_status import InvitationStatus
from integrations.vocabulary import ProgressTag, ResultOutcome
from integrations.workflow.rules.naming import normalize

TAG_WORD = "CodeScreen"


def choose_progress_tag(status: str, outcome: str = "") -> ProgressTag:
    """Return the progress tag of an invitation with this status and, once completed, this outcome of its result.

    Raises ValueError for a status in which nothing has been sent or CodeScreen is no longer asked.
    """
    if outcome == ResultOutcome.EXPIRED:
        return ProgressTag.EXPIRED
    if not (tags := InvitationStatus(status).record.tags):
        raise ValueError(f"{status} has no progress tag")
    return tags[0]


def choose_result_tag(written: str, assessment_name: str) -> str:
    """Return the customer's own tag for an outcome, from its wording in the policies, at most 100 characters.

    Empty where it would read as one of the portal's own.
    """
    tag = " ".join(written.replace("{assessment}", assessment_name).split())[:100]
    return "" if normalize(tag).startswith(normalize(TAG_WORD)) else tag


def assessment_tags(tags: Iterable[str], role_title: str = "") -> tuple[str, ...]:
    """Return the assessment names in `CodeScreen {name}` tags, each once.

    `CodeScreen: …` is a progress tag. Candidates inherit their role's title as a tag, so the title of a role that is
    itself called “CodeScreen …” doesn't name an assessment.
    """
    names: dict[str, str] = {}
    for tag in naming_tags(tags):
        if role_title and normalize(tag) == normalize(role_title):
            continue
        name = tag.strip()[len(TAG_WORD) :].strip()
        names.setdefault(normalize(name), name)
    return tuple(names.values())


def naming_tags(tags: Iterable[str]) -> list[str]:
    """Return the tags of the form `CodeScreen {name}`."""
    return [tag for tag in tags if _names_something(tag.split(maxsplit=2))]


def _names_something(words: list[str]) -> bool:
    return len(words) > 1 and words[0].casefold() == TAG_WORD.casefold() and not words[1].startswith(":")


def has_progress_tag(tags: Iterable[str]) -> bool:
    """Whether one of the tags is one of the portal's progress tags."""
    return any(map(is_progress_tag, tags))


def is_progress_tag(tag: str) -> bool:
    """Whether a tag is one of the portal's progress tags, however it is spelled."""
    return normalize(tag) in {normalize(progress_tag) for progress_tag in ProgressTag}
