"""People with second factors, their codes, and sessions in which something was proven."""

import time
from base64 import b32decode, b32encode
from secrets import token_bytes, token_hex
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from integrations.accounts.acts.second_factors import context_of
from integrations.store.encryption import decrypt, encrypt
from portal.accounts.second_factor import secrets_of

PASSWORD = "correct horse battery"


def prove_now(client: Client, method: str = "password", ago: float = 0.0, **details: Any) -> None:
    """Let a client's person have given this proof just now, or so many seconds ago, beside what they gave before."""
    session = client.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        *records,
        {"method": method, "at": time.time() - ago, **details},
    ]
    session[f"{AUTHENTICATION_METHODS_SESSION_KEY}_user"] = session[SESSION_KEY]
    session.save()


def signed_in(user: User) -> Client:
    """Return a client in which the user has signed in just now."""
    client = Client()
    client.force_login(user, backend="portal.accounts.backend.PasswordBackend")
    prove_now(client)
    return client


def make_strong(client: Client, factor: str = "totp", ago: float = 0.0) -> None:
    """Let a client's session be one in which a second factor was given."""
    prove_now(client, "mfa", ago, type=factor)


def forget_proofs(client: Client, ago: float = 3600.0) -> None:
    """Let all that a client's person has proven be so many seconds ago."""
    session = client.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{**one, "at": time.time() - ago} for one in records]
    session.save()


def with_app(user: User) -> Authenticator:
    """Give the person an authenticator app."""
    secret = b32encode(token_bytes(20)).decode()
    data = {"secret": encrypt(secret, context=context_of(user.pk))}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)


def with_recovery_codes(user: User) -> list[str]:
    """Give the person a set of recovery codes, and return it."""
    data = {"seed": encrypt(token_hex(40), context=context_of(user.pk)), "used_mask": 0}
    codes = Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data=data)
    with secrets_of(user):
        return list(codes.wrap().get_unused_codes())


def with_passkey(user: User) -> Authenticator:
    """Give the person a passkey, whose private key nobody has."""
    key = ES256.from_cryptography_key(generate_private_key(SECP256R1()).public_key())
    credential = AttestedCredentialData.create(bytes(16), token_bytes(16), key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    proof = AuthenticatorData.create(bytes(32), flags, 0, credential)
    registered = {
        "id": websafe_encode(credential.credential_id),
        "rawId": websafe_encode(credential.credential_id),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(
                CollectedClientData.create("webauthn.create", b"challenge", "http://testserver")
            ),
            "attestationObject": websafe_encode(AttestationObject.create("none", proof, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }
    data = {"name": "Key", "credential": registered}
    return Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data=data)


def code_of(app: Authenticator | str, steps: int = 0) -> str:
    """Return the code that the app, or one with this secret, shows so many steps of half a minute from now."""
    secret = app if isinstance(app, str) else decrypt(app.data["secret"], context=context_of(app.user_id))
    return TOTP(b32decode(secret), 6, SHA1(), 30).generate(int(time.time()) + 30 * steps).decode()


def sign_in(client: Client, user: User, password: str = PASSWORD, next_url: str = "") -> Any:
    """Give the user name and the password."""
    return client.post("/accounts/login/", {"login": user.username, "password": password, "next": next_url})
