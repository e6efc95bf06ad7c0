"""Clients of this process in which a person is signed in: runs press buttons and read pages with them."""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client


def sign_in(client: Client, user: User) -> None:
    """Begin a session in which the person has given their password just now, as the sign-in page does."""
    client.force_login(user, backend="portal.accounts.backend.PasswordBackend")
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = session[SESSION_KEY]
    session.save()
    UserSession.objects.create(user=user, session_key=session.session_key, ip="127.0.0.1")
