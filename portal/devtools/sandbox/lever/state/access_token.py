"""The JSON Web Token that a caller gets as its access token."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from portal.devtools.sandbox.ids import new_id
from portal.devtools.sandbox.json_values import JsonObject
from portal.devtools.sandbox.times import now_ms


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Signs access tokens; only this server can check them, as with Lever's."""

    issuer: str
    audience: str
    client_id: str
    key: bytes

    def sign(self, user_id: str, account_id: str, scopes: frozenset[str], seconds: int) -> str:
        """Return a token with the claims that Lever's tokens have."""
        now = now_ms() // 1000
        claims: JsonObject = {
            "https://oauth.lever.co/userId": user_id,
            "https://oauth.lever.co/accountId": account_id,
            "https://oauth.lever.co/clientId": self.client_id,
            "iss": self.issuer,
            "sub": f"lever|{user_id}",
            "aud": self.audience,
            "iat": now,
            "exp": now + seconds,
            "azp": self.client_id,
            "scope": " ".join(sorted(scopes)),
            "jti": new_id(),
        }
        head = _base64url(json.dumps({"alg": "HS512", "typ": "JWT"}).encode())
        signed = f"{head}.{_base64url(json.dumps(claims).encode())}"
        return f"{signed}.{_base64url(hmac.new(self.key, signed.encode(), hashlib.sha512).digest())}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
