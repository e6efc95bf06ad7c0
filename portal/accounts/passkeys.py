"""Passkeys: WebAuthn's two ceremonies, and signing in with a passkey alone."""

import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.generic import View
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from integrations.accounts.models.second_factors import ISSUER, Passkey
from integrations.accounts.models.sessions import AttemptLimit
from integrations.core.vocabulary import SecondFactor
from integrations.pages.access import return_url
from integrations.store import database
from portal.accounts.completion import SignInMethod, complete_sign_in
from portal.accounts.throttle import passkey_questions

CHALLENGE_SESSION_KEY = "passkey_challenge"
_HANDLE = "handle"
LONGEST_ANSWER = 20_000
_DEFAULT_PORTS = {"https": 443, "http": 80}
#: What the library raises for an answer that isn't what WebAuthn describes, besides its own errors.
_MALFORMED = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError)


def are_possible() -> bool:
    """Whether browsers offer passkeys for PORTAL_URL: a name, not a number, over HTTPS or on this very machine."""
    parts = urlsplit(settings.PORTAL_URL)
    host = parts.hostname or ""
    return host == "localhost" or (parts.scheme == "https" and not _is_number(host))


def registration_options(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the browser needs to make a passkey for the person, and keep the challenge."""
    handle = Passkey.handle_of(user)
    options, state = _server().register_begin(
        PublicKeyCredentialUserEntity(
            id=bytes.fromhex(handle), name=user.get_username(), display_name=str(user)
        ),
        credentials=_descriptors(user),
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    request.session[CHALLENGE_SESSION_KEY] = {**state, _HANDLE: handle}
    return dict(dict(options)["publicKey"])


def registered(request: HttpRequest, user: User, *, name: str, answer: str) -> Passkey | None:
    """Return the new passkey, not stored yet; None when the browser's answer doesn't fit the challenge."""
    state = request.session.pop(CHALLENGE_SESSION_KEY, None)
    try:
        data = _server().register_complete(state, _parsed(answer))
        handle = str(state[_HANDLE])
    except _MALFORMED:
        return None
    credential = data.credential_data
    if credential is None or len(credential.credential_id) > 1023:
        return None
    return Passkey(
        user=user,
        name=name,
        credential_id=websafe_encode(credential.credential_id),
        credential=bytes(credential),
        user_handle=handle,
        sign_count=data.counter,
    )


def signing_options(request: HttpRequest, user: User | None) -> dict[str, Any]:
    """Return what the browser needs to sign with a passkey, and keep the challenge.

    With a person, as the second factor, it is one of theirs. Without one it is the only proof: any passkey that this
    portal knows, which must then verify its person by a PIN, a fingerprint or the like.
    """
    verification = UserVerificationRequirement.PREFERRED if user else UserVerificationRequirement.REQUIRED
    options, state = _server().authenticate_begin(
        _descriptors(user) if user else None, user_verification=verification
    )
    request.session[CHALLENGE_SESSION_KEY] = state
    return dict(dict(options)["publicKey"])


def signed_by(request: HttpRequest, user: User | None, answer: str, at: datetime) -> Passkey | None:
    """Return the passkey that signed the challenge; None when the answer is wrong, old, another's or a copy's.

    Without a person, the passkey itself says whose it is.
    """
    state = request.session.pop(CHALLENGE_SESSION_KEY, None)
    try:
        if user is None and state["user_verification"] != UserVerificationRequirement.REQUIRED:
            return None  # the question was put for a second factor, where possession is enough
        response = AuthenticationResponse.from_dict(_parsed(answer))
        known = Passkey.objects.select_related("user").filter(credential_id=websafe_encode(response.raw_id))
        passkey = (known.filter(user=user) if user else known).first()
        if passkey is None:
            return None
        handle = response.response.user_handle
        if handle and handle.hex() != passkey.user_handle:
            return None
        if not handle and user is None:  # nothing says whose passkey this is
            return None
        credential = AttestedCredentialData(bytes(passkey.credential))
        _server().authenticate_complete(state, [credential], response)
        count = response.response.authenticator_data.counter
    except _MALFORMED:
        return None
    return passkey if passkey.note_use(count, at) else None


def _descriptors(user: User) -> Sequence[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            type=PublicKeyCredentialType.PUBLIC_KEY,
            id=AttestedCredentialData(bytes(passkey.credential)).credential_id,
        )
        for passkey in Passkey.objects.filter(user=user)
    ]


def _parsed(answer: str) -> dict[str, Any]:
    """Return the browser's answer as an object. Raises ValueError."""
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("longer than any passkey's answer")
    parsed = json.loads(answer)
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return parsed


def _server() -> Fido2Server:
    """Return the library's server for PORTAL_URL. It accepts answers from that very origin only."""
    parts = urlsplit(settings.PORTAL_URL)
    host = parts.hostname or ""
    is_default = parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)}
    origin = f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{parts.port}"
    return Fido2Server(
        PublicKeyCredentialRpEntity(id=host, name=ISSUER),
        attestation=None,
        verify_origin=lambda stated: stated == origin,
    )


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


NOT_SIGNED_IN = (
    "That passkey doesn't open an account here, or it took too long. Try again, or give your user name and "
    "password."
)


QUESTION_LASTS = timedelta(minutes=10)


@method_decorator(login_not_required, name="dispatch")
class PasskeyOptionsView(View):
    """What the browser needs to sign in with a passkey. Asked for by POST, so that only this site's pages can."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Return the options as JSON, with a challenge for this session; 429 when there were too many.

        A session in which nobody is signed in is stored for the challenge alone, and no longer than it is of use.
        """
        if refusal := AttemptLimit.refusal(passkey_questions(request)):
            return JsonResponse(
                {"wait": refusal.in_words}, status=429, headers={"Retry-After": math.ceil(refusal.seconds)}
            )
        if not request.user.is_authenticated:
            request.session.set_expiry(QUESTION_LASTS)
        return JsonResponse(signing_options(request, None))


@method_decorator(login_not_required, name="dispatch")
class PasskeySignInView(View):
    """Sign a person in by a passkey."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        """Begin the session of the passkey's person, or return to the sign-in page and say why not."""
        answer = request.POST.get("passkey", "")
        passkey = signed_by(request, None, answer, database.now())
        if passkey is None or not passkey.user.is_active:
            messages.error(request, NOT_SIGNED_IN)
            return redirect("login")
        AttemptLimit.give_back(passkey_questions(request))
        next_url = return_url(request, "/")
        return complete_sign_in(
            request, passkey.user, SignInMethod.PASSKEY, next_url, second_factor=SecondFactor.PASSKEY
        )
