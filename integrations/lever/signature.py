"""Verifies that a webhook came from Lever.

Source: https://hire.lever.co/developer/documentation#webhooks (Securing webhooks).
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping

from django.utils.crypto import constant_time_compare


def sign(token: str, triggered_at: int, signature_token: str) -> str:
    """Return the lower-case hex HMAC-SHA256 of `token` + `triggered_at` (milliseconds) under the signature token."""
    message = f"{token}{triggered_at}".encode()
    return hmac.new(signature_token.encode(), message, hashlib.sha256).hexdigest()


def matching_token(body: Mapping[str, object], signature_tokens: Iterable[str]) -> str | None:
    """Return the signature token that the body was signed with, None if it is none of these.

    Only `token` and `triggeredAt` are signed; the rest of the body isn't verified and is re-read from Lever.
    """
    token, triggered_at, signature = body.get("token"), body.get("triggeredAt"), body.get("signature")
    if not isinstance(token, str) or not isinstance(signature, str) or type(triggered_at) is not int:
        return None
    matching = None
    for candidate in signature_tokens:
        # every token is tried, so that the duration doesn't reveal which one matched
        if candidate and constant_time_compare(sign(token, triggered_at, candidate), signature):
            matching = candidate
    return matching
