"""The cookie of a browser in which people signed in before, so that strangers who guess can't keep them out."""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string

from portal.accounts.name_digests import name_digest

COOKIE_DAYS = 180
#: The people who signed in last are remembered.
MAX_PEOPLE = 10
_SALT = "portal.known-device"


@dataclass(frozen=True)
class Device:
    """A browser by a random name, and the digests of the user names that signed in with it, the last first."""

    id: str
    people: tuple[str, ...]


def known_device(request: HttpRequest, username: str) -> str | None:
    """Return the random name of the browser if this person signed in with it before, else None."""
    device = _read(request)
    return device.id if device and name_digest(username) in device.people else None


def remember_device(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """Store in the browser that this person signed in with it."""
    device = _read(request) or Device(get_random_string(22), ())
    person = name_digest(username)
    people = [person, *(known for known in device.people if known != person)][:MAX_PEOPLE]
    response.set_cookie(
        _cookie_name(),
        signing.dumps([device.id, people], salt=_SALT),
        max_age=COOKIE_DAYS * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _cookie_name() -> str:
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"


def _read(request: HttpRequest) -> Device | None:
    """Return what the cookie says, None for one that isn't ours or is too old."""
    try:
        device_id, people = signing.loads(
            request.COOKIES.get(_cookie_name(), ""), salt=_SALT, max_age=COOKIE_DAYS * 24 * 3600
        )
    except signing.BadSignature:
        return None
    return Device(str(device_id), tuple(str(person) for person in people))
