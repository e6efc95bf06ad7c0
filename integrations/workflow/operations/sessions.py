"""End the sessions of a person."""

from django.contrib.auth.models import User

from integrations.models import UserSession


def end_sessions(user: User, *, keep: int | None = None) -> int:
    """End all of the person's sessions but the one whose row is `keep`; return how many ended.

    Their next request is that of somebody who isn't signed in.
    """
    sessions = UserSession.objects.filter(user=user)
    return (sessions if keep is None else sessions.exclude(pk=keep)).end()
