"""People with second factors, their codes, and a software security key that answers WebAuthn's questions."""

import hashlib
import json
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.test import Client
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from integrations.accounts.models.second_factors import AuthenticatorApp, RecoveryCode
from integrations.store import database

PASSWORD = "correct horse battery"
FLAG = AuthenticatorData.FLAG


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


def make_strong(client: Client, factor: str = "totp", ago: float = 0.0) -> None:
    """Let a client's session be one in which a second factor was given."""
    prove_now(client, "mfa", ago, type=factor)


def forget_proofs(client: Client, ago: float = 3600.0) -> None:
    """Let all that a client's person has proven be so many seconds ago."""
    session = client.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{**one, "at": time.time() - ago} for one in records]
    session.save()


def change_session(client: Client, **values: Any) -> None:
    session = client.session
    session.update(values)
    session.save()


def with_app(user: User) -> AuthenticatorApp:
    """Give the person a confirmed authenticator app."""
    return AuthenticatorApp.objects.create(user=user, confirmed_at=database.now())


def with_recovery_codes(user: User) -> list[str]:
    """Give the person a set of recovery codes, and return it."""
    return RecoveryCode.make_set(user)


def code_of(app: AuthenticatorApp, steps: int = 0, at: datetime | None = None) -> str:
    """Return the code that the app shows, so many steps of half a minute from now."""
    return app.code_at((at or database.now()) + timedelta(seconds=30 * steps))


def sign_in(client: Client, user: User, password: str = PASSWORD, next_url: str = "") -> Any:
    """Give the user name and the password."""
    return client.post("/accounts/login/", {"login": user.username, "password": password, "next": next_url})


class SecurityKey:
    """A security key in software; what it answers can be bent to play an attacker."""

    def __init__(self, origin: str, *, verifies: bool = True) -> None:
        self.origin, self.verifies = origin, verifies
        self.private_key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.user_handle, self.count = b"", 0

    def _flags(self) -> FLAG:
        return FLAG.UP | FLAG.UV if self.verifies else FLAG.UP

    def _client_data(self, kind: CollectedClientData.TYPE, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(kind, websafe_decode(challenge), self.origin)

    def make(self, options: dict[str, Any]) -> str:
        """Answer the question for a new passkey."""
        self.user_handle = websafe_decode(options["user"]["id"])
        public_key = ES256.from_cryptography_key(self.private_key.public_key())
        data = AuthenticatorData.create(
            hashlib.sha256(options["rp"]["id"].encode()).digest(),
            self._flags() | FLAG.AT,
            self.count,
            AttestedCredentialData.create(Aaguid.NONE, self.credential_id, public_key),
        )
        client_data = self._client_data(CollectedClientData.TYPE.CREATE, options["challenge"])
        return self._answer(
            clientDataJSON=client_data, attestationObject=AttestationObject.create("none", data, {})
        )

    def sign(self, options: dict[str, Any]) -> str:
        """Answer the question for a signature."""
        self.count += 1
        data = AuthenticatorData.create(
            hashlib.sha256(options["rpId"].encode()).digest(), self._flags(), self.count
        )
        client_data = self._client_data(CollectedClientData.TYPE.GET, options["challenge"])
        signature = self.private_key.sign(data + client_data.hash, ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=signature,
            userHandle=self.user_handle,
        )

    def _answer(self, **response: bytes) -> str:
        own_id = websafe_encode(self.credential_id)
        encoded = {name: websafe_encode(value) for name, value in response.items()}
        return json.dumps({"id": own_id, "rawId": own_id, "type": "public-key", "response": encoded})


def options_in(answer: Any) -> dict[str, Any]:
    """Return what a page gives its script for the browser."""
    context = answer.context
    return dict(
        json.loads(context["passkey_options"] if "passkey_options" in context else context["options"])
    )


def use_passkey_address(config: Any = settings) -> str:
    """Let the portal have an address for which browsers offer passkeys; return it."""
    config.PORTAL_URL = "https://portal.example"
    return str(config.PORTAL_URL)
