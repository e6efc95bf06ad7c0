"""How names that people write are compared with the names that the platforms list."""

import difflib
import unicodedata
from collections.abc import Iterable


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
