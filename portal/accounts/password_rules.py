"""The rules that a new password has to follow, besides its length and Django's list of common passwords."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from zxcvbn import zxcvbn

#: A guesser that knows words, names, dates, keyboards and the usual ways to change them needs so many tries.
FEWEST_GUESSES = 10**9
#: The estimate looks at no more characters: for some long texts it takes very long.
CHARACTERS_LOOKED_AT = 32
LETTERS_BESIDES_KNOWN_WORDS = 8
#: One word with digits and signs around it: the word is a guess, and so are the few ways to adorn it.
_ONE_ADORNED_WORD = re.compile(r"[\W\d_]*[^\W\d_]{1,12}[\W\d_]*")
_LETTERS_ALONE = re.compile(r"[^\W\d_]+")
_WORDS_OF_THE_PORTAL = (
    "codescreen",
    "lever",
    "portal",
    "recruiting",
    "recruiter",
    "hiring",
    "candidate",
    "interview",
)

ADVICE = "Take four or more unrelated words, or let a password manager make one."


class HardToGuessValidator:
    """Refuses a password that a program would guess soon, also with what it knows about the person."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for a password that is too easy to guess, saying why."""
        if _ONE_ADORNED_WORD.fullmatch(password) and not _LETTERS_ALONE.fullmatch(password):
            message = (
                f"One word with digits and signs around it, such as a season and a year, is a guess. {ADVICE}"
            )
            raise ValidationError(message, code="password_one_word")
        words = _known_words(user)
        if _is_made_of(password.casefold(), words):
            message = f"It is made of what is known: your name or address, your organization or the portal. {ADVICE}"
            raise ValidationError(message, code="password_known_words")
        estimate = zxcvbn(password[:CHARACTERS_LOOKED_AT], user_inputs=words)
        if estimate["guesses"] < FEWEST_GUESSES:
            why = estimate["feedback"]["warning"] or "This password is easy to guess."
            raise ValidationError(f"{why} {ADVICE}", code="password_guessable")

    def get_help_text(self) -> str:
        """Return the rule in words."""
        return f"It must be hard to guess. {ADVICE}"


def _is_made_of(password: str, words: list[str]) -> bool:
    """Whether these words are in a password, and hardly anything besides."""
    rest = password
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, " ")
    return rest != password and sum(map(str.isalnum, rest)) < LETTERS_BESIDES_KNOWN_WORDS


def _known_words(user: User | None) -> list[str]:
    """Return the words that somebody would try for this person: names, address, organization, portal."""
    texts = [*_WORDS_OF_THE_PORTAL, urlsplit(settings.PORTAL_URL).hostname or ""]
    if user is not None:
        texts += [user.get_username(), user.email, user.first_name, user.last_name]
        if user.pk:
            memberships = user.memberships.select_related("organization")[:20]
            for membership in memberships:
                texts += [membership.organization.name, membership.organization.slug]
    words = {word for text in texts for word in re.split(r"[\W_]+", text.casefold()) if len(word) > 3}
    return sorted(words | {text.casefold() for text in texts if text})
