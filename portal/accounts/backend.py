"""Find the account that a name or an address stands for, and check its password."""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from integrations.core import slots
from integrations.members.models.membership import folded


def find_account(login: str) -> User | None:
    """Return the account of that user name, else the one of that address; None if there is none, or no single one.

    Several accounts may have one address. It stands for the one whose person has proven it, which the database allows
    only one to have; while none has, for none of them: their people sign in with their user names.
    """
    proven = EmailAddress.objects.filter(user=OuterRef("pk"), email=folded(login), verified=True)
    found = User.objects.filter(Q(username__iexact=login) | Q(email__iexact=login)).annotate(
        is_proven=Exists(proven)
    )
    accounts = list(found[:100])
    for wanted in (
        [one for one in accounts if one.username == login],
        [one for one in accounts if one.username.lower() == login.lower()],
        [one for one in accounts if one.is_proven],
    ):
        if wanted:
            accounts = wanted
            break
    return accounts[0] if len(accounts) == 1 else None


class PasswordBackend(ModelBackend):
    """Checks a password against one account, or against none in the same time."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        """Return the active account of the name or address whose password it is, else None."""
        login = username or credentials.get("email")
        if not login or password is None:
            return None
        account = find_account(login)
        # Django's takes as long for a name that nobody has
        return super().authenticate(request, account.username if account else "", password)


class BoundedPasswordHasher(PBKDF2PasswordHasher):
    """Django's default, in a slot: verifying a password, and taking as long for an unknown name, encode it too."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash. Raises Busy in a request while others compute theirs, whether or not the name is known."""
        with slots.slot(slots.Work.PASSWORD):
            return super().encode(password, salt, iterations)
