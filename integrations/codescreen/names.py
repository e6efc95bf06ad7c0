"""From Lever's one name to the first and last name that CodeScreen requires and greets the person by."""

from collections.abc import Sequence
from itertools import takewhile

#: In lower case and without dots, as the words are compared.
TITLES = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof"})
SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "phd", "md", "mba", "esq"})
NO_FIRST_NAME, NO_LAST_NAME = "Candidate", "-"


def split_name(name: str) -> tuple[str, str]:
    """Return a first and a last name, neither of them empty.

    The last word is the last name, with the suffixes after it (II, Jr.). A title in front is left out, and so is what
    follows a comma, such as a profession, unless it is a suffix.
    """
    parts = [part.split() for part in name.split(",")]
    words = next((part for part in parts if part), [])
    after_comma = parts[parts.index(words) + 1 :]
    suffixes = [word for part in takewhile(_are_suffixes, after_comma) for word in part]
    if len(words) > 2 and _plain(words[0]) in TITLES:
        words = words[1:]
    while len(words) > 2 and _plain(words[-1]) in SUFFIXES:
        suffixes.insert(0, words.pop())
    if not words:
        return NO_FIRST_NAME, NO_LAST_NAME
    if len(words) == 1:
        return words[0], " ".join(suffixes) or NO_LAST_NAME
    return " ".join(words[:-1]), " ".join([words[-1], *suffixes])


def _are_suffixes(words: Sequence[str]) -> bool:
    return all(_plain(word) in SUFFIXES for word in words)


def _plain(word: str) -> str:
    return word.replace(".", "").casefold()
