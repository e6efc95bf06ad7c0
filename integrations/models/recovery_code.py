"""Codes for a person whose phone or key is lost: each works once, and only hashes of them are stored."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models.functions import Now

CODES = 10
#: Letters and digits that nobody mistakes for one another: 32 of them, 5 bits each.
ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789"
CODE_LENGTH = 16  # 80 bits
GROUP_LENGTH = 4
LONGEST_TYPED = 100
_SALT_BYTES = 16
#: scrypt's cost parameter; 80 random bits need no higher one.
HASHING_COST = 2**14


def _digest(code: str, salt: str) -> str:
    """Return scrypt's hash of a code."""
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), n=HASHING_COST, r=8, p=1, dklen=32).hex()


def _make_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def _grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP_LENGTH] for start in range(0, CODE_LENGTH, GROUP_LENGTH))


class RecoveryCode(models.Model):
    """One code of a person's set. A set shares its salt, so that one hash finds out whether a code is in it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    salt = models.CharField(max_length=2 * _SALT_BYTES)
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.user}"

    @classmethod
    def make_set(cls, user: User) -> list[str]:
        """Store a new set in place of the person's earlier codes. Return the codes, which nothing can show again."""
        codes = [_make_code() for _ in range(CODES)]
        salt = secrets.token_hex(_SALT_BYTES)
        rows = [RecoveryCode(user=user, salt=salt, digest=_digest(code, salt)) for code in codes]
        with transaction.atomic():
            # two sets made at once would both stay
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
            cls.objects.filter(user=user).delete()
            RecoveryCode.objects.bulk_create(rows)
        return [_grouped(code) for code in codes]

    @classmethod
    def accept(cls, user: User, typed: str, at: datetime) -> bool:
        """Whether it is an unused code of the person; if so it is used up. Case, spaces and hyphens don't matter."""
        code = re.sub(r"[\s-]", "", typed[:LONGEST_TYPED]).lower()
        newest = cls.objects.filter(user=user).first()
        if newest is None or len(code) != CODE_LENGTH:
            return False
        digest = _digest(code, newest.salt)
        unused = cls.objects.filter(user=user, used_at__isnull=True)
        found = [row.pk for row in unused if hmac.compare_digest(row.digest, digest)]
        return unused.filter(pk__in=found).update(used_at=at) == 1
