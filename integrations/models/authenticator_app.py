"""A person's authenticator app: the secret it shares with the portal, from which both make codes (TOTP, RFC 6238)."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Self

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models.functions import Now

from integrations.models.encrypted_field import EncryptedTextField

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

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator_apps"
    )
    secret = EncryptedTextField(default=make_secret)
    last_step = models.BigIntegerField(
        default=0, help_text="The time step of the last code that was accepted; no earlier code is."
    )
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

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
        """Return the code that the app shows at that time."""
        return self._totp.generate(int(at.timestamp())).decode()

    def accept(self, code: str, at: datetime) -> bool:
        """Whether the code is right at that time; if so it is used up, and every earlier one with it.

        The clock of the phone may be DRIFT_STEPS off. Of two requests with the same code one is accepted.
        """
        step = self._step_of(code, int(at.timestamp()))
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
