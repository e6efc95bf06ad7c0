"""A person's second factors: authenticator app, passkeys and recovery codes."""

import base64
import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from textwrap import wrap
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.crypto import get_random_string

from integrations.core.vocabulary import SecondFactor
from integrations.store.columns import EncryptedTextField, moment
from integrations.store.personal import Holds, about_user, harmless

# A person's authenticator app: the secret it shares with the portal, from which both make codes (TOTP, RFC 6238).


CODE_LENGTH = 6
STEP_SECONDS = 30
#: How many steps a phone's clock may be off, either way.
DRIFT_STEPS = 1
#: A secret that wasn't confirmed within this time is no longer accepted.
SET_UP_WITHIN = timedelta(minutes=15)
SECRET_BYTES = 20  # what RFC 4226 recommends
ISSUER = "CodeScreen–Lever portal"


def make_secret() -> str:
    """Return a random secret in base32, as authenticator apps take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()


class AuthenticatorAppQuerySet(models.QuerySet["AuthenticatorApp"]):
    """Apps by whether a code has confirmed them."""

    def confirmed(self) -> Self:
        """Apps that have given a right code: only these count as a second factor."""
        return self.filter(confirmed_at__isnull=False)


class AuthenticatorApp(models.Model):
    """The shared secret of one app. A person has one confirmed app, and one that is being set up."""

    HOLDS = Holds(
        "members' authenticator apps",
        "until its person removes it, or as long as the account",
    )

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator_apps"
    )
    secret = about_user(
        "the app's secret, encrypted", EncryptedTextField(default=make_secret, bound_to=["user_id"])
    )
    last_step = models.BigIntegerField(
        default=0, help_text="The time step of the last code that was accepted; no earlier code is."
    )
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = moment()
    last_used_at = moment()

    objects = AuthenticatorAppQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=False),
                name="authenticator_app_one_confirmed",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(confirmed_at__isnull=True),
                name="authenticator_app_one_being_set_up",
            ),
        ]

    def __str__(self) -> str:
        return f"Authenticator app of {self.user}"

    @classmethod
    def begin_set_up(cls, user: User, at: datetime) -> "AuthenticatorApp":
        """Return a new app with a new secret, in place of one that was being set up."""
        app, _ = cls.objects.update_or_create(
            user=user, confirmed_at=None, defaults={"secret": make_secret(), "last_step": 0, "created_at": at}
        )
        return app

    @classmethod
    def being_set_up(cls, user: User) -> "AuthenticatorApp | None":
        """Return the person's app that no code has confirmed yet."""
        return cls.objects.filter(user=user, confirmed_at=None).first()

    @property
    def address(self) -> str:
        """The otpauth address that a QR code carries: the secret, the person's user name and the portal's name."""
        return self._totp.get_provisioning_uri(self.user.get_username(), ISSUER)

    @property
    def _totp(self) -> TOTP:
        return TOTP(base64.b32decode(self.secret), CODE_LENGTH, SHA1(), STEP_SECONDS)  # noqa: S303

    def code_at(self, at: datetime) -> str:
        return self._totp.generate(int(at.timestamp())).decode()

    def accept(self, code: str, at: datetime) -> bool:
        """Whether the code is right at that time; if so it is used up, and every earlier one with it.

        Spaces don't matter. The clock of the phone may be DRIFT_STEPS off. Of two requests with the same code one is
        accepted.
        """
        step = self._step_of("".join(code[:LONGEST_TYPED].split()), int(at.timestamp()))
        if step is None:
            return False
        unused = AuthenticatorApp.objects.filter(pk=self.pk, last_step__lt=step)
        return unused.update(last_step=step, last_used_at=at) == 1

    def _step_of(self, code: str, at: int) -> int | None:
        """Return the time step within the allowed drift that the code belongs to; None for a wrong code."""
        if len(code) != CODE_LENGTH or not (code.isascii() and code.isdigit()):
            return None
        totp = self._totp
        found = None
        for drift in range(
            -DRIFT_STEPS, DRIFT_STEPS + 1
        ):  # every step is looked at, so that time tells nothing
            moment = at + drift * STEP_SECONDS
            try:
                totp.verify(code.encode(), moment)
            except InvalidToken:
                continue
            found = moment // STEP_SECONDS
        return found

    def confirm(self, code: str, at: datetime) -> bool:
        """Whether the code is right; if so the app is the person's second factor, in place of an earlier one."""
        if at - self.created_at > SET_UP_WITHIN:
            return False
        with transaction.atomic():
            if not self.accept(code, at):
                return False
            AuthenticatorApp.objects.confirmed().filter(user=self.user_id).exclude(pk=self.pk).delete()
            AuthenticatorApp.objects.filter(pk=self.pk).update(confirmed_at=at)
        return True


# A person's passkeys: the public halves of keys that a phone, a computer or a security key holds (WebAuthn).


#: More would make the browser's list of known keys too long, and nobody has them.
MOST_PASSKEYS = 20
_HANDLE_BYTES = 32
#: WebAuthn's limit of 1023 bytes, in base64.
_LONGEST_ID = 1364


class Passkey(models.Model):
    """One passkey."""

    HOLDS = Holds("members' passkeys", "until its person removes it, or as long as the account")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="passkeys")
    name = about_user("what the person calls it", models.CharField(max_length=60))
    credential_id = about_user(
        "the passkey's id",
        models.CharField(
            max_length=_LONGEST_ID, unique=True, help_text="The passkey's own id, in URL-safe base64."
        ),
    )
    credential = about_user(
        "its public key and the model of its device",
        models.BinaryField(help_text="The attested credential data of WebAuthn, with the public key."),
    )
    user_handle = about_user(
        "the random number by which it knows the person",
        models.CharField(
            max_length=64,
            help_text="What the passkey knows its person by: random, the same for all of a person's.",
        ),
    )
    sign_count = models.BigIntegerField(
        default=0, help_text="How often it has signed, by its own count; 0 where it doesn't count."
    )
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = moment()

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="passkey_name_once_per_person",
                violation_error_message="You have a passkey of that name. Choose another name.",
            )
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


# Codes for a person whose phone or key is lost: each works once, and only hashes of them are stored.


RECOVERY_CODES_IN_A_SET = 10
#: Letters and digits that nobody mistakes for one another: 32 of them, 5 bits each.
ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789"
RECOVERY_CODE_LENGTH = 16  # 80 bits
GROUP_LENGTH = 4
LONGEST_TYPED = 100
_SALT_BYTES = 16
#: scrypt's cost parameter; 80 random bits need no higher one. No row says it: a new cost voids all issued codes.
HASHING_COST = 2**14


def _digest(code: str, salt: str) -> str:
    """Return scrypt's hash of a code."""
    return hashlib.scrypt(code.encode(), salt=bytes.fromhex(salt), n=HASHING_COST, r=8, p=1, dklen=32).hex()


class RecoveryCode(models.Model):
    """One code of a person's set. A set shares its salt, so that one hash finds out whether a code is in it."""

    HOLDS = Holds(
        "hashes of people's recovery codes, and when each was used",
        "until its person makes new ones, or as long as the account",
    )

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    salt = harmless(models.CharField(max_length=2 * _SALT_BYTES))
    digest = harmless(models.CharField(max_length=64))
    created_at = models.DateTimeField(db_default=Now())
    used_at = moment()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once_per_person")
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.user}"

    @classmethod
    def make_set(cls, user: User) -> list[str]:
        """Store a new set in place of the person's earlier codes. Return the codes, which nothing can show again."""
        codes = [get_random_string(RECOVERY_CODE_LENGTH, ALPHABET) for _ in range(RECOVERY_CODES_IN_A_SET)]
        salt = secrets.token_hex(_SALT_BYTES)
        rows = [RecoveryCode(user=user, salt=salt, digest=_digest(code, salt)) for code in codes]
        with transaction.atomic():
            # two sets made at once would both stay
            User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
            cls.objects.filter(user=user).delete()
            RecoveryCode.objects.bulk_create(rows)
        return ["-".join(wrap(code, GROUP_LENGTH)) for code in codes]

    @classmethod
    def accept(cls, user: User, typed: str, at: datetime) -> bool:
        """Whether it is an unused code of the person; if so it is used up. Case, spaces and hyphens don't matter."""
        code = re.sub(r"[\s-]", "", typed[:LONGEST_TYPED]).lower()
        newest = cls.objects.filter(user=user).first()
        # of any length: codes that were issued stay good when RECOVERY_CODE_LENGTH changes
        if newest is None or not code:
            return False
        digest = _digest(code, newest.salt)
        unused = cls.objects.filter(user=user, used_at__isnull=True)
        found = [row.pk for row in unused if hmac.compare_digest(row.digest, digest)]
        return unused.filter(pk__in=found).update(used_at=at) == 1


# Which second factors a person has.


def has_second_factor(user: User) -> bool:
    """Whether the person has an authenticator app or a passkey. Recovery codes alone don't count."""
    return (
        AuthenticatorApp.objects.confirmed().filter(user=user).exists()
        or Passkey.objects.filter(user=user).exists()
    )


def factors_in_words(user: User) -> list[str]:
    """Return what second factors the person has, as the audit log and e-mails name them."""
    factors = [
        factor_in_words(SecondFactor.PASSKEY, passkey.name) for passkey in Passkey.objects.filter(user=user)
    ]
    if AuthenticatorApp.objects.confirmed().filter(user=user).exists():
        factors.insert(0, factor_in_words(SecondFactor.AUTHENTICATOR_APP))
    return factors


def factor_in_words(factor: SecondFactor, name: str = "") -> str:
    """Return a second factor as the audit log and e-mails name it."""
    return f"{factor.label}: {name}" if name else factor.label
