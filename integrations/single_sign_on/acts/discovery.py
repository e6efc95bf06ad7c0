"""The discovery document of an OpenID Connect provider.

Source: https://openid.net/specs/openid-connect-discovery-1_0.html
"""

import json
from dataclasses import dataclass

import requests
from django.utils import timezone

from integrations.http import public_web
from integrations.http.json_values import JsonObject
from integrations.single_sign_on.models import IdentityProvider

DISCOVERY_PATH = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True)
class Undiscovered:
    """The provider can't be used; `reason` says why, and what to do."""

    reason: str


def discover(provider: IdentityProvider) -> JsonObject | Undiscovered:
    """Return the provider's discovery document, with every address in it checked; else why there is none to use.

    The portal may call each of these addresses. Raises TooManyCalls.
    """
    address = provider.issuer.rstrip("/") + DISCOVERY_PATH
    try:
        answer = public_web.call("GET", address, provider.organization_id)
    except public_web.AddressRefused as error:
        return Undiscovered(str(error))
    except requests.RequestException as error:
        return Undiscovered(f"The provider didn't answer ({type(error).__name__}). Check the issuer.")
    if answer.status != 200:
        return Undiscovered(
            f"The issuer has no discovery document: it answered {answer.status}. Check the issuer."
        )
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return Undiscovered("The issuer's discovery document can't be read: it isn't a JSON object.")
    return _checked(document, provider.issuer)


def _checked(document: JsonObject, issuer: str) -> JsonObject | Undiscovered:
    """Return the document if it is the issuer's and complete: another's document would let that one sign people in."""
    named = document.get("issuer")
    if named != issuer:
        shown = str(named)[:200] if isinstance(named, str) else "none"
        return Undiscovered(f"The discovery document names another issuer: {shown}. Copy the issuer exactly.")
    for name in _ENDPOINTS:
        address = document.get(name)
        if not isinstance(address, str):
            return Undiscovered(f"The discovery document has no {name}.")
        try:
            public_web.check_address(address)
        except public_web.AddressRefused as error:
            return Undiscovered(f"{name} of the discovery document: {error}")
    return document


def check_provider(provider: IdentityProvider) -> JsonObject | Undiscovered:
    """Discover the provider, and store whether it can be used; return what was found. Raises TooManyCalls."""
    found = discover(provider)
    failure = found.reason if isinstance(found, Undiscovered) else ""
    same = IdentityProvider.objects.filter(pk=provider.pk, issuer=provider.issuer)
    same.update(checked_at=timezone.now(), failure=failure)
    return found
