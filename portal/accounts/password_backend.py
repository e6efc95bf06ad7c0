"""Check passwords within the limits of attempts, count refused ones, and refuse new ones that are easy to guess."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest
from zxcvbn import zxcvbn

from integrations.accounts.models.sessions import TooMany
from portal.accounts.completion import record_failure, record_refusal
from portal.accounts.throttle import begin_attempt

_REFUSAL = "_refused_sign_in"


class ThrottledPasswordBackend:
    """Checks a name and a password that came with a request; Django's own backend, behind it, holds the rest."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None
    ) -> AbstractBaseUser | None:
        """Return the user whose password it is. Raises PermissionDenied, which ends the search, if it is nobody's.

        Without a request there is nobody to limit, and Django's own backend checks.
        """
        if request is None or username is None or password is None:
            return None
        attempt = begin_attempt(request, username)
        if isinstance(attempt, TooMany):
            setattr(request, _REFUSAL, attempt)
            record_refusal(request, username)
            raise PermissionDenied
        user = ModelBackend().authenticate(request, username, password)
        if user is None:
            record_failure(request, username, attempt)
            raise PermissionDenied
        attempt.succeed()
        return user


def refusal_of(request: HttpRequest) -> TooMany | None:
    """Return why the password that came with the request wasn't looked at; None if it was."""
    refusal = getattr(request, _REFUSAL, None)
    return refusal if isinstance(refusal, TooMany) else None


# The rules that a new password has to follow, besides its length and Django's list of common passwords.


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
                f"One word with digits and signs, such as a season and a year, is easy to guess. {ADVICE}"
            )
            raise ValidationError(message, code="password_one_word")
        words = _known_words(user)
        if _is_made_of(password.casefold(), words):
            message = f"Your name or address, your organization and the portal are easy to guess. {ADVICE}"
            raise ValidationError(message, code="password_known_words")
        estimate = zxcvbn(password[:CHARACTERS_LOOKED_AT], user_inputs=words)
        if estimate["guesses"] < FEWEST_GUESSES:
            why = estimate["feedback"]["warning"] or "This password is easy to guess."
            raise ValidationError(f"{why} {ADVICE}", code="password_guessable")

    def get_help_text(self) -> str:
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
