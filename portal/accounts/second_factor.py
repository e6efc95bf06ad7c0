"""Second factors by django-allauth: what it asks of this site, and what is recorded of them."""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from allauth.core import context
from allauth.mfa import signals
from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from integrations.accounts.acts.accounts import record_for_person
from integrations.accounts.acts.fresh_proof import forget_factors, has_second_factor, note_factor
from integrations.accounts.acts.second_factors import (
    NAMES,
    context_of,
    in_words,
    record_recovery_code,
    record_wrong_code,
)
from integrations.accounts.models.attempts import AttemptLimit, Limit, keyed_limits
from integrations.audit.models.entry import AuditAction
from integrations.pages.access import memberships_of, own_page
from integrations.store.encryption import CannotDecrypt, decrypt, encrypt
from portal.accounts.entries import record_wrong_passkey

#: Who gives a code while nobody is signed in yet.
_asked: ContextVar[User | None] = ContextVar("asked", default=None)


@contextmanager
def secrets_of(user: User) -> Iterator[None]:
    """Let the adapter open this person's secrets; elsewhere it opens those of who is signed in."""
    token = _asked.set(user)
    try:
        yield
    finally:
        _asked.reset(token)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts the secrets of apps and recovery codes, each for its person alone, and names passkeys."""

    def encrypt(self, text: str) -> str:
        return encrypt(text, context=self._context())

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret. Raises CannotDecrypt for one that no key opens, and for another person's."""
        return decrypt(encrypted_text, context=self._context())

    @staticmethod
    def _context() -> str:
        return context_of((_asked.get() or context.request.user).pk)

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002 - theirs
        """Return the name that is proposed for the person's next passkey."""
        count = Authenticator.objects.filter(user=user, type=type).count()
        return f"Passkey {count + 1}" if count else "Passkey"


# The codes of an app, and recovery codes. The cache of one process doesn't know what the others accepted, so attempts
# and used codes are counted in the database.

#: The attempts of one person: some are free, then the wait grows from 30 seconds to 15 minutes.
ATTEMPTS = (Limit(5, 30.0), Limit(7, 120.0), Limit(9, 900.0))
#: For longer than an app's code is valid.
USED_SECONDS = 60.0


def _accepted_once(user: User, check: Callable[[], str]) -> str:
    """Return the code that `check` accepts. Raises ValidationError for a wrong or used one, and for too many."""
    attempts = keyed_limits(f"second_factor:person:{user.pk}", ATTEMPTS)
    if refusal := AttemptLimit.refusal(attempts):
        raise ValidationError(
            f"Too many wrong codes. Wait {refusal.in_words}, then try again; "
            "a code that you enter earlier isn't checked."
        )
    try:
        with secrets_of(user):
            code = check()
    except CannotDecrypt as error:
        raise ValidationError(
            "The portal can't read your second factor any more. Ask its operator to reset it."
        ) from error
    digits = "".join(filter(str.isalnum, code))
    if AttemptLimit.refusal(
        keyed_limits(f"second_factor:used:{user.pk}:{digits}", (Limit(1, USED_SECONDS),))
    ):
        raise ValidationError("This code was used already. Wait for the next one.")
    AttemptLimit.forget(attempts)
    return code


class CodeForm(AuthenticateForm):
    """Takes a code at sign-in."""

    def clean_code(self) -> str:
        return _accepted_once(self.user, super().clean_code)


class FreshCodeForm(ReauthenticateForm):
    """Takes a code of a person who is signed in."""

    def clean_code(self) -> str:
        return _accepted_once(self.user, super().clean_code)


class Readable(forms.Form):
    """Takes what a browser says for a passkey. What can't be read is a wrong answer, not a failure of the portal."""

    def full_clean(self) -> None:
        try:
            super().full_clean()
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError, struct.error):
            self.data = {}  # to show it again takes reading it
            self.add_error("credential", get_adapter().validation_error("incorrect_code"))


class Recorded(Readable):
    """Records a wrong passkey: of the person who is asked for it, or of nobody where it was to sign in alone."""

    user: User | None

    def full_clean(self) -> None:
        super().full_clean()
        if not self.has_error("credential", "incorrect_code"):
            return
        if self.user is None:  # whose it is said to be proves nothing
            record_wrong_passkey(context.request)
        else:
            record_wrong_code(self.user, NAMES[Authenticator.Type.WEBAUTHN])


class PasskeySignInForm(Recorded, LoginWebAuthnForm):
    """Takes a passkey alone."""


class PasskeyCodeForm(Recorded, AuthenticateWebAuthnForm):
    """Takes a passkey after the password."""


class FreshPasskeyForm(Recorded, ReauthenticateWebAuthnForm):
    """Takes a passkey of a person who is signed in."""


class PasskeyForm(Readable, AddWebAuthnForm):
    """Adds a passkey, by default one that signs in without a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].help_text = "By which you know it again, such as “work laptop” or “blue key”."
        without_password = self.fields["passwordless"]
        without_password.initial = True
        without_password.label = "Sign in without a password"
        without_password.help_text = (
            "Turn it off for a key that can't hold passkeys: it then follows the password."
        )


class SecondFactorsView(IndexView):
    """Show the person's second factors, and who requires one of them."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = cast(User, self.request.user)
        requiring = memberships_of(self.request).filter(organization__requires_second_factor=True)
        context: dict[str, Any] = super().get_context_data(
            requiring=[membership.organization for membership in requiring],
            is_operator=user.is_superuser and settings.OPERATORS_NEED_SECOND_FACTOR,
            next=own_page(self.request, self.request.GET.get("next", ""), ""),
            **kwargs,
        )
        return context


# What django-allauth says of second factors goes into the audit log.


@receiver(post_save, sender=Authenticator)
def record_made(instance: Authenticator, created: bool, **_: object) -> None:
    """Record a factor or recovery codes that a person made here, in the transaction that stores them."""
    if not created or context.request is None:
        return
    if instance.type == Authenticator.Type.RECOVERY_CODES:
        record_for_person(instance.user, AuditAction.MAKE_RECOVERY_CODES)
    else:
        record_for_person(instance.user, AuditAction.ADD_SECOND_FACTOR, {"factor": ("", in_words(instance))})


@receiver(signals.authenticator_added)
def follow_added(request: HttpRequest, authenticator: Authenticator, **_: object) -> None:
    """Note that this session has proven the factor that was added."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        note_factor(request, authenticator)


@receiver(signals.authenticator_removed)
def record_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: object) -> None:
    """Record a factor that its person removed; without one, no session has proven one."""
    if not has_second_factor(user):
        forget_factors(request)
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        record_for_person(user, AuditAction.REMOVE_SECOND_FACTOR, {"factor": (in_words(authenticator), "")})


@receiver(signals.authentication_failed)
def record_wrong(user: User, authenticator: Authenticator, **_: object) -> None:
    """Record a wrong code."""
    record_wrong_code(user, in_words(authenticator))


@receiver(signals.authenticator_used)
def record_used(user: User, authenticator: Authenticator, **_: object) -> None:
    """Record that a recovery code was used, and tell the person."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        authenticator.refresh_from_db()  # the code was marked as used on another copy
        with secrets_of(user):
            record_recovery_code(user, len(authenticator.wrap().get_unused_codes()))
