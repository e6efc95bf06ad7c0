"""Whether a session was begun with a second factor, and whether that is enough for an organization."""

from django.http import HttpRequest

from integrations.models import Organization
from integrations.vocabulary import SecondFactor

#: The session's key for the second factor that was given, a SecondFactor; absent when none was.
SECOND_FACTOR_SESSION_KEY = "second_factor"


def is_strong(request: HttpRequest) -> bool:
    """Whether a second factor was given in this session."""
    return hasattr(request, "session") and bool(request.session.get(SECOND_FACTOR_SESSION_KEY))


def has_given_own_factor(request: HttpRequest) -> bool:
    """Whether the second factor of this session is the person's own, not one that an organization's provider asked for.

    Who runs that provider can sign in as any of its people, and must not reach what is the person's alone.
    """
    return (
        is_strong(request) and request.session[SECOND_FACTOR_SESSION_KEY] != SecondFactor.SINGLE_SIGN_ON.value
    )


def is_admitted(request: HttpRequest, organization: Organization) -> bool:
    """Whether this session may see the organization, as far as its policy about second factors goes."""
    return not organization.requires_second_factor or is_strong(request)


def mark_strong(request: HttpRequest, factor: SecondFactor) -> None:
    """Store in the session which second factor was given."""
    request.session[SECOND_FACTOR_SESSION_KEY] = factor.value


def mark_weak(request: HttpRequest) -> None:
    """Store in the session that no second factor stands behind it any more."""
    request.session.pop(SECOND_FACTOR_SESSION_KEY, None)
