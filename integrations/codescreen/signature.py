"""Verifies that a webhook came from CodeScreen, by Standard Webhooks 1.0.0 (https://www.standardwebhooks.com)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from django.utils.crypto import constant_time_compare

from integrations.core.vocabulary import RejectionCode

TOLERANCE_SECONDS = 300
PREFIX = "whsec_"


class BadSignature(Exception):
    """The signature isn't valid. `code` names the part that failed, never what would have been right."""

    def __init__(self, code: RejectionCode) -> None:
        super().__init__(code)
        self.code = code


def decode_secret(secret: str) -> bytes:
    """Return the key of a `whsec_<base64>` secret. Raises ValueError, with the fix, when it isn't one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("A webhook secret looks like whsec_ followed by base64.") from error
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("A webhook secret is whsec_ followed by the base64 of 24 to 64 bytes.")
    return key


def sign(message_id: str, timestamp: str, body: bytes, secret: str) -> str:
    """Return the `v1,<base64>` signature of the raw body."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(decode_secret(secret), signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> str:
    """Verify a request and return its message id. Raises BadSignature.

    `now` is in Unix seconds; a timestamp that is more than TOLERANCE_SECONDS off either way is refused.
    """
    message_id = headers.get("webhook-id") or ""
    timestamp = headers.get("webhook-timestamp") or ""
    signatures = headers.get("webhook-signature") or ""
    if not message_id or not timestamp or not signatures:
        raise BadSignature(RejectionCode.SIGNATURE_MISSING)
    # the digits are what was signed, so only the plain form is accepted
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12) or len(message_id) > 200:
        raise BadSignature(RejectionCode.SIGNATURE_MALFORMED)
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature(RejectionCode.TIMESTAMP_OUT_OF_RANGE)
    expected = sign(message_id, timestamp, body, secret)
    matches = [constant_time_compare(expected, candidate) for candidate in signatures.split(" ")]
    if not any(matches):
        raise BadSignature(RejectionCode.SIGNATURE_MISMATCH)
    return message_id
