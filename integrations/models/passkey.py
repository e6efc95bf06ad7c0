"""A person's passkeys: the public halves of keys that a phone, a computer or a security key holds (WebAuthn)."""

import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Now

#: More would make the browser's list of known keys too long, and nobody has them.
MOST_PASSKEYS = 20
_HANDLE_BYTES = 32
#: WebAuthn's limit of 1023 bytes, in base64.
_LONGEST_ID = 1364


class Passkey(models.Model):
    """One passkey."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys")
    name = models.CharField(max_length=60)
    credential_id = models.CharField(
        max_length=_LONGEST_ID, unique=True, help_text="The passkey's own id, in URL-safe base64."
    )
    credential = models.BinaryField(
        help_text="The attested credential data of WebAuthn, with the public key."
    )
    user_handle = models.CharField(
        max_length=64,
        help_text="What the passkey knows its person by: random, the same for all of a person's.",
    )
    sign_count = models.BigIntegerField(
        default=0, help_text="How often it has signed, by its own count; 0 where it doesn't count."
    )
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="passkey_name_once_per_person",
                violation_error_message="You have a passkey of that name. Choose another name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def handle_of(cls, user: User) -> str:
        """Return the handle of the person's passkeys, as hexadecimal digits; a new one where there is none yet."""
        known = cls.objects.filter(user=user).values_list("user_handle", flat=True).first()
        return known or secrets.token_hex(_HANDLE_BYTES)

    def note_use(self, sign_count: int, at: datetime) -> bool:
        """Store that it has signed. Return False, storing nothing, for a count that shows a copy of the key.

        A key that counts never shows the same count again; one that doesn't count always shows 0.
        """
        earlier = Passkey.objects.filter(pk=self.pk)
        fresh = earlier.filter(sign_count__lt=sign_count) if sign_count or self.sign_count else earlier
        return fresh.update(sign_count=sign_count, last_used_at=at) == 1
