"""Limits of sign-ins by name, client and device."""

import math
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string
from django.views.generic import TemplateView

from integrations.accounts.models.sessions import (
    AttemptLimit,
    Limit,
    PasswordLinkRequest,
    TooMany,
    UserSession,
    keyed_digest,
    keyed_limits,
)
from portal.client_address import client_network

# Digests of user names as they are typed: what was typed may be a password, and is stored nowhere.


def name_digest(username: str) -> str:
    """Return the digest of a user name, the same for names that look alike, under the portal's secret key."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return keyed_digest(f"name:{folded}")


# The cookie of a browser in which people signed in before, so that strangers who guess can't keep them out.


COOKIE_DAYS = 180
#: The people who signed in last are remembered.
MAX_PEOPLE = 10
_SALT = "portal.known-device"


def remember_device(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Store in the browser that this person signed in with it."""
    device, earlier = _read(request)
    person = name_digest(username)
    people = [person, *(known for known in earlier if known != person)][:MAX_PEOPLE]
    response.set_cookie(
        _cookie_name(),
        signing.dumps([device or get_random_string(22), people], salt=_SALT),
        max_age=COOKIE_DAYS * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _cookie_name() -> str:
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"


def _read(request: HttpRequest) -> tuple[str | None, tuple[str, ...]]:
    """Return what the cookie says, nothing of one that isn't ours or is too old.

    It is the browser's random name, and the digests of the user names that signed in with it, the last first.
    """
    try:
        device_id, people = signing.loads(
            request.COOKIES.get(_cookie_name(), ""), salt=_SALT, max_age=COOKIE_DAYS * 24 * 3600
        )
    except signing.BadSignature:
        return None, ()
    return str(device_id), tuple(str(person) for person in people)


# How many passwords may be tried: limits for a client's address, a name, and a browser that is known.
#
# A browser in which a person signed in before has a limit of its own, which nobody without its cookie can use up.
# From anywhere else an attempt counts for the client's address, for the name at that address, and, unless the person
# signed in from there before, for the name. The name's limit is wider than what one address can reach, so that it
# takes many addresses to make a person wait in a new browser; the link by e-mail helps then.


MINUTE = 60.0

#: For each of these two limits hold: of a few at once, and of many over hours.
DEVICE = (Limit(10, MINUTE), Limit(30, 15 * MINUTE))
NAME_AT_ADDRESS = (Limit(10, MINUTE), Limit(30, 15 * MINUTE))
ADDRESS = (Limit(20, MINUTE / 2), Limit(200, 5 * MINUTE))
#: One address can't use it up: its own limit for the name lets it try fewer, at first and in the long run.
NAME = (Limit(100, 10 * MINUTE),)

#: Requests for a link to choose a password: from one network, and for one address, which gets an e-mail in 15 minutes.
LINKS_FROM_NETWORK = (Limit(10, MINUTE),)
LINKS_TO_ADDRESS = (Limit(2, 15 * MINUTE),)
#: Questions for a passkey that one address may have put: each is stored in a session.
PASSKEY_QUESTIONS = (Limit(30, MINUTE / 2),)


@dataclass(frozen=True)
class Attempt:
    """One password that may be tried: which one it is in a row there, and whether the browser is a known one."""

    limits: dict[str, Limit]
    number: int
    is_known_device: bool

    def succeed(self) -> None:
        """Record that the password was right: it counts for no limit."""
        AttemptLimit.give_back(self.limits)


def begin_attempt(request: HttpRequest, username: str) -> Attempt | TooMany:
    """Return the attempt to sign in with this name, or after how many seconds one may be made."""
    device, people = _read(request)
    name, network = name_digest(username), client_network(request)
    is_known = name in people
    if is_known:
        own, others = keyed_limits(f"device:{device}:{name}", DEVICE), {}
    else:
        own = keyed_limits(f"name:{name}:{network}", NAME_AT_ADDRESS)
        others = keyed_limits(f"address:{network}", ADDRESS)
        if not has_signed_in_from(username, network):
            others |= keyed_limits(f"name:{name}", NAME)
    limits = own | others
    outcome = AttemptLimit.take(limits)
    if isinstance(outcome, TooMany):
        return outcome
    return Attempt(limits, max(outcome[key] for key in own), is_known)


def passkey_questions(request: HttpRequest) -> dict[str, Limit]:
    """Return the limit of the questions for a passkey; one whose answer is right counts for no limit."""
    return keyed_limits(f"passkey:{client_network(request)}", PASSKEY_QUESTIONS)


def request_link(request: HttpRequest, address: str) -> TooMany | None:
    """Have a worker send a link to the address if a member has it. Return how long to wait first; nothing is done then.

    An address for which it was asked often has got its e-mail: nothing is stored, and the answer is the same.
    """
    if refusal := AttemptLimit.refusal(
        keyed_limits(f"links_from:{client_network(request)}", LINKS_FROM_NETWORK)
    ):
        return refusal
    to_address = keyed_limits(f"links_to:{address.casefold()}", LINKS_TO_ADDRESS)
    if not AttemptLimit.refusal(to_address):
        PasswordLinkRequest.objects.create(address=address)
    return None


# What a person reads who has to wait, and whether a network is known to be theirs.


def too_many(request: HttpRequest, refusal: TooMany, *, what: str = "") -> HttpResponse:
    """Return the page that says how long to wait, a 429 with Retry-After; `what` says of what, if not of passwords."""
    context = {"wait": refusal.in_words, "what": what}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(math.ceil(refusal.seconds))
    return response


def make_wait(view: TemplateView, refusal: TooMany) -> HttpResponse:
    """Return the page that asks for a second factor, a 429 with Retry-After: it says how long to wait."""
    error = (
        f"Too many wrong codes. Wait {refusal.in_words}, then try again; "
        "a code that you enter earlier isn't checked."
    )
    response = view.render_to_response(view.get_context_data(error=error), status=429)
    response["Retry-After"] = str(math.ceil(refusal.seconds))
    return response


def has_signed_in_from(username: str, network: str) -> bool:
    """Whether the person of this name signed in from this network lately, by their own proof and not a provider's."""
    rows = UserSession.objects.filter(user__username=username, network=network)
    return bool(network) and rows.exists()


def too_many_in_words(refusal: TooMany) -> str:
    """Return what a signed-in person reads instead of an answer to their present password."""
    return f"Too many wrong passwords were tried. Wait {refusal.in_words}."
