"""The authentication backend that checks passwords, no faster than the limits of attempts allow."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from integrations.models.attempt_limit import TooMany
from portal.accounts.sign_in_entries import record_failure, record_refusal
from portal.accounts.single_sign_on.password_refusal import PasswordRefusal
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
        user = _user_with(request, username, password)
        if user is None:
            record_failure(request, username, attempt)
            raise PermissionDenied
        attempt.succeed()
        return user


def _user_with(request: HttpRequest, username: str, password: str) -> AbstractBaseUser | None:
    """Return the user whose password it is, None for one who may not use a password: the limits tell no difference."""
    try:
        PasswordRefusal().authenticate(request, username, password)
    except PermissionDenied:
        return None
    return ModelBackend().authenticate(request, username, password)


def refusal_of(request: HttpRequest) -> TooMany | None:
    """Return why the password that came with the request wasn't looked at; None if it was."""
    refusal = getattr(request, _REFUSAL, None)
    return refusal if isinstance(refusal, TooMany) else None
