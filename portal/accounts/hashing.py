"""Passwords' hashes: Django's own, computed by few requests at once."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from integrations.core import slots


class BoundedPasswordHasher(PBKDF2PasswordHasher):
    """Django's default, in a slot: verifying a password, and taking as long for an unknown name, encode it too."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Return the hash. Raises Busy in a request while others compute theirs, whether or not the name is known."""
        with slots.slot(slots.Work.PASSWORD):
            return super().encode(password, salt, iterations)
