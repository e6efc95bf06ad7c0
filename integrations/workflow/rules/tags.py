"""What the tags on a candidate or a role mean: the name of an assessment, or the portal's own progress."""

from collections.abc import Iterable

from integrations.vocabulary import ProgressTag
from integrations.workflow.rules.naming import normalize

TAG_WORD = "CodeScreen"


def assessment_tags(tags: Iterable[str], role_title: str = "") -> tuple[str, ...]:
    """Return the assessment names in `CodeScreen {name}` tags, each once.

    `CodeScreen: …` is a progress tag. Candidates inherit their role's title as a tag, so the title of a role that is
    itself called “CodeScreen …” doesn't name an assessment.
    """
    names: dict[str, str] = {}
    for tag in tags:
        words = tag.split()
        if len(words) < 2 or words[0].casefold() != TAG_WORD.casefold() or words[1].startswith(":"):
            continue
        if role_title and normalize(tag) == normalize(role_title):
            continue
        name = tag.strip()[len(TAG_WORD) :].strip()
        names.setdefault(normalize(name), name)
    return tuple(names.values())


def is_progress_tag(tag: str) -> bool:
    """Whether a tag is one of the portal's progress tags, however it is spelled."""
    return normalize(tag) in {normalize(progress_tag) for progress_tag in ProgressTag}


def begins_with_tag_word(tag: str) -> bool:
    """Whether a tag would read as one of the portal's own or as naming an assessment."""
    return normalize(tag).startswith(normalize(TAG_WORD))
