"""Refuses the passwords of people whose organizations all demand single sign-on."""

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from integrations.models.open_memberships import may_use_password


class PasswordRefusal:
    """An authentication backend before Django's: it signs nobody in, and stops the search for some."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **_: object,
    ) -> None:
        """Raise PermissionDenied for a person who may not use a password: the answer is that to an unknown name."""
        if not username or password is None:
            return
        user = User.objects.filter(username=username).first()
        if user is not None and not may_use_password(user):
            make_password(password)  # takes as long as an unknown name's
            raise PermissionDenied
