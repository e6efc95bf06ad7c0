"""How many passwords may be tried: limits of an account from one network, of a network, and of an account.

They are counted in the database, in one statement each, so that guesses made at once over several processes are
counted all. An attempt with the right password counts for none. The account's own limit is wider than what one network
can reach: it takes many to make a person wait, who can still have a link sent to choose a new password, or use a
passkey.
"""

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.accounts.models.attempts import AttemptLimit, Limit, TooMany, keyed_digest, keyed_limits
from portal.accounts.backend import find_account
from portal.client_address import client_network

MINUTE = 60.0
#: Of each, some are free, and then one after each such time; a second limit holds over hours.
ACCOUNT_FROM_NETWORK = (Limit(5, MINUTE), Limit(30, 15 * MINUTE))
NETWORK = (Limit(20, MINUTE / 2), Limit(200, 5 * MINUTE))
ACCOUNT = (Limit(100, 10 * MINUTE),)
#: Questions for a passkey that one network may have put: each is stored in a session, which lasts so long.
PASSKEY_QUESTIONS = (Limit(30, MINUTE / 4),)
#: Sign-ins that one network may begin at a provider: each is stored so too, and the provider is asked where it answers.
PROVIDER_QUESTIONS = (Limit(60, MINUTE / 15),)
QUESTION_SECONDS = 600
#: What the pages that count in the cache say: most of their limits are of a minute.
USUAL_WAIT = TooMany(MINUTE)


@dataclass(frozen=True)
class Attempt:
    """One password that may be tried: for which account, if there is one, and which one it is in a row."""

    limits: dict[str, Limit]
    number: int

    def give_back(self) -> None:
        """Count it for no limit: the password was right, or wasn't looked at."""
        AttemptLimit.give_back(self.limits)


def begin_attempt(request: HttpRequest, login: str) -> Attempt | TooMany:
    """Return the attempt to give a password with this name or address, or after how many seconds one may be made."""
    account, network = find_account(login), client_network(request)
    # what was typed may be a password, and is stored nowhere
    name = f"account:{account.pk}" if account else f"name:{_folded(login)}"
    own = keyed_limits(f"{name}:{network}", ACCOUNT_FROM_NETWORK)
    limits = own | keyed_limits(f"network:{network}", NETWORK) | keyed_limits(name, ACCOUNT)
    outcome = AttemptLimit.take(limits)
    return outcome if isinstance(outcome, TooMany) else Attempt(limits, max(outcome[key] for key in own))


def is_first_refusal(request: HttpRequest, login: str) -> bool:
    """Whether no attempt with this name from this network was refused within the hour."""
    key = keyed_digest(f"refused:{_folded(login)}:{client_network(request)}")
    return AttemptLimit.refusal({key: Limit(1, 60 * MINUTE)}) is None


def _folded(login: str) -> str:
    return unicodedata.normalize("NFKC", login).casefold()


def with_few_questions(
    view: Callable[..., HttpResponse], method: str = "GET", limits: tuple[Limit, ...] = PASSKEY_QUESTIONS
) -> Callable[..., HttpResponse]:
    """Let the view, which by this method puts a question to nobody in particular, answer few of one network at once."""

    @wraps(view)
    def limited(request: HttpRequest, **kwargs: str) -> HttpResponse:
        if request.method == method and not request.user.is_authenticated:
            own = keyed_limits(f"{view.__module__}:{client_network(request)}", limits)
            if refusal := AttemptLimit.refusal(own):
                return too_many(request, refusal)
            request.session.set_expiry(QUESTION_SECONDS)
        return view(request, **kwargs)

    return limited


def too_many(request: HttpRequest, refusal: TooMany = USUAL_WAIT) -> HttpResponse:
    """Return the page that says how long to wait, a 429 with Retry-After."""
    response = render(request, "429.html", {"wait": refusal.in_words}, status=429)
    response["Retry-After"] = str(math.ceil(refusal.seconds))
    return response
