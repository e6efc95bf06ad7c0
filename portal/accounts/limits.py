"""From where a request comes, and how many passwords may be tried: of an account from one network, and of either.

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
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from integrations.accounts.models.attempts import AttemptLimit, Limit, TooMany, keyed_digest, keyed_limits
from portal.accounts.backend import find_account

type Address = IPv4Address | IPv6Address

#: A provider gives each of its customers a whole network of so many bits: all addresses in it are one client.
IPV6_NETWORK_BITS = 64


def client_address(request: HttpRequest) -> Address | None:
    """Return the address of the client, None where the connection has none, as a Unix socket's.

    With TRUSTED_PROXIES it is what the outermost of our proxies wrote into `X-Forwarded-For`: so many entries from the
    end. Whatever a client itself wrote stands before that. A header with fewer entries didn't come through all of our
    proxies, so that none of its entries is believed, and the connection's own address counts.
    """
    hops: int = settings.TRUSTED_PROXIES
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    if 0 < hops <= len(entries) and (forwarded := parse_address(entries[-hops])):
        return forwarded
    return parse_address(request.META.get("REMOTE_ADDR", ""))


def client_network(request: HttpRequest) -> str:
    """Return the client's IPv4 address or IPv6 network as text, empty where the address is unknown."""
    address = client_address(request)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_NETWORK_BITS), strict=False))
    return str(address or "")


def parse_address(text: str) -> Address | None:
    """Return the address in the text, with or without a port, None if there is none.

    An IPv4 address in an IPv6 one's form is returned as IPv4, a link-local one without the name of its interface.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


# The limits.


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
