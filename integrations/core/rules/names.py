"""What names and tags mean: as people write them, and as the platforms list them."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integrations.core.invitation_status import InvitationStatus
from integrations.core.vocabulary import FORMER_PROGRESS_TAGS, ProgressTag, ResultOutcome


def normalize(text: str) -> str:
    """Return text for comparing: trimmed, spaces collapsed, case folded, in one form of Unicode.

    What looks equal is equal, whether an accent is a letter of its own or not.
    """
    return unicodedata.normalize("NFC", " ".join(text.split()).casefold())


def is_named(written: str, identifier: str, name: str) -> bool:
    """Whether what a person wrote means the object with this id and name."""
    written = written.strip()
    return bool(written) and (written == identifier or (bool(name) and normalize(written) == normalize(name)))


def closest_name(written: str, names: Iterable[str]) -> str:
    """Return the name that was probably meant, empty when none is similar."""
    by_key = {normalize(name): name for name in names}
    similar = difflib.get_close_matches(normalize(written), by_key, n=1, cutoff=0.6)
    return by_key[similar[0]] if similar else ""


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
    for tag in tags:
        is_role = bool(role_title) and normalize(tag) == normalize(role_title)
        if is_role or not _names_something(tag.split(maxsplit=2)):
            continue
        name = tag.strip()[len(TAG_WORD) :].strip()
        names.setdefault(normalize(name), name)
    return tuple(names.values())


def _names_something(words: list[str]) -> bool:
    return len(words) > 1 and words[0].casefold() == TAG_WORD.casefold() and not words[1].startswith(":")


def has_progress_tag(tags: Iterable[str]) -> bool:
    """Whether one of the tags is one of the portal's progress tags."""
    return any(map(is_progress_tag, tags))


def is_progress_tag(tag: str) -> bool:
    """Whether a tag is one of the portal's progress tags, however it is spelled, or was one."""
    return normalize(tag) in {normalize(progress_tag) for progress_tag in all_progress_tags()}


def all_progress_tags() -> list[str]:
    """Return the progress tags, and those of a former wording, which may still stand on candidates in Lever."""
    return [*ProgressTag, *FORMER_PROGRESS_TAGS]


@dataclass(frozen=True)
class KnownAssessment:
    """An assessment that CodeScreen lists."""

    id: str
    name: str


def matching_assessments(written: str, assessments: Sequence[KnownAssessment]) -> tuple[KnownAssessment, ...]:
    """Return the assessments that a name or id means: by id, else by exact name, else by normalized name."""
    written = written.strip()
    for matches in (
        [assessment for assessment in assessments if assessment.id == written],
        [assessment for assessment in assessments if assessment.name == written],
        [assessment for assessment in assessments if normalize(assessment.name) == normalize(written)],
    ):
        if matches:
            return tuple(matches)
    return ()
