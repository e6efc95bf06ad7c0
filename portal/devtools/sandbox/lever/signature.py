"""How Lever signs a webhook: over the token and the time, not over the data."""

import hashlib
import hmac


def sign(signature_token: str, token: str, triggered_at: int) -> str:
    """Return the signature of a webhook body, in lower-case hexadecimal."""
    message = f"{token}{triggered_at}".encode()
    return hmac.new(signature_token.encode(), message, hashlib.sha256).hexdigest()
