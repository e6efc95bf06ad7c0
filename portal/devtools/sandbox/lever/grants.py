"""What lets a caller in: grants of the app with their codes and tokens, and API keys that customers made."""

import secrets
from dataclasses import dataclass, field
from threading import RLock

import jwt

from portal.devtools.sandbox.lever.account import LeverAccount
from portal.devtools.sandbox.lever.records import User
from portal.devtools.sandbox.messages import HttpError
from portal.devtools.sandbox.values import JsonObject, new_id, now_ms

_READ_ONLY = (
    "applications archive_reasons audit_events diversity_surveys eeo_responses eeo_responses_pii offers "
    "referrals resumes roles sources stages tags tasks"
)
_READ_WRITE = (
    "contact feedback feedback_templates files forms form_templates groups interviews notes "
    "opportunities panels permissions postings requisitions requisition_fields roles users webhooks"
)
SCOPES = (
    {"offline_access", "confidential:access:admin", "uploads:write:admin"}
    | {f"{name}:read:admin" for name in f"{_READ_ONLY} {_READ_WRITE}".split()}
    | {f"{name}:write:admin" for name in _READ_WRITE.split()}
)


def has_scope(granted: frozenset[str], wanted: str) -> bool:
    """Return whether scopes cover one, given without `:admin`; writing includes reading."""
    if f"{wanted}:admin" in granted:
        return True
    name, _, verb = wanted.rpartition(":")
    return verb == "read" and f"{name}:write:admin" in granted


CODE_MS = 10 * 60 * 1000
ACCESS_SECONDS = 3600


@dataclass
class Client:
    """The registered application."""

    id: str
    secret: str
    name: str
    redirect_uris: tuple[str, ...]


@dataclass
class Grant:
    """One customer's consent; refresh tokens change, the grant stays."""

    account: str
    user: str
    scopes: frozenset[str]
    id: str = field(default_factory=new_id)
    created_at: int = field(default_factory=now_ms)
    used_at: int = field(default_factory=now_ms)
    refresh_token: str = ""
    revoked_at: int | None = None


@dataclass(slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    expires_at: int


@dataclass(slots=True)
class ApiKey:
    """A key that a Super Admin made; Lever shows it once, and it works until it is revoked."""

    account: str
    name: str
    scopes: frozenset[str]
    key: str = field(default_factory=lambda: secrets.token_hex(32))
    id: str = field(default_factory=new_id)
    created_at: int = field(default_factory=now_ms)


class Grants:
    """Every code, access token, refresh token and API key of the server."""

    def __init__(self, url: str, client: Client) -> None:
        self.url = url
        self.client = client
        self.grants: list[Grant] = []
        self._signing_key = secrets.token_bytes(64)  # only this server can check its tokens, as with Lever's
        self._lock = RLock()
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, tuple[Grant, int]] = {}  # with the time at which the token expires
        self._refresh: dict[str, Grant] = {}
        self._keys: dict[str, ApiKey] = {}

    def make_key(self, account: str, name: str, scopes: frozenset[str]) -> ApiKey:
        """Make an API key that allows what these scopes do."""
        with self._lock:
            made = ApiKey(account, name, scopes)
            self._keys[made.key] = made
            return made

    def key(self, key: str) -> ApiKey | None:
        """Return the API key, None once it is revoked."""
        return self._keys.get(key)

    def keys_of(self, account: str) -> list[ApiKey]:
        """Return an account's API keys."""
        with self._lock:
            return [key for key in self._keys.values() if key.account == account]

    def revoke_keys(self, account: str, key_id: str = "") -> int:
        """Revoke the API key with that id, or all of an account's; return how many."""
        revoked = [key for key in self.keys_of(account) if key_id in ("", key.id)]
        with self._lock:
            for key in revoked:
                self._keys.pop(key.key, None)
        return len(revoked)

    def covering(self, account: str, scopes: frozenset[str]) -> Grant | None:
        """Return a grant in force that covers these scopes."""
        return next((grant for grant in self.of_account(account) if scopes <= grant.scopes), None)

    def of_account(self, account: str) -> list[Grant]:
        """Return an account's grants in force."""
        with self._lock:
            return [item for item in self.grants if item.account == account and item.revoked_at is None]

    def grant(self, account: LeverAccount, user: User, scopes: frozenset[str]) -> Grant:
        """Record a consent."""
        with self._lock:
            made = Grant(account.slug, user.id, scopes)
            self.grants.append(made)
            return made

    def code(self, grant: Grant, redirect_uri: str) -> str:
        """Return a single-use code for a grant, good for ten minutes."""
        with self._lock:
            code = secrets.token_urlsafe(24)
            self._codes[code] = _Code(grant, redirect_uri, now_ms() + CODE_MS)
            return code

    def redeem(self, code: str, redirect_uri: str) -> Grant:
        """Return the grant behind a code and use the code up; raises a 403 HttpError."""
        with self._lock:
            entry = self._codes.pop(code, None)
        if entry is None or entry.expires_at < now_ms() or entry.grant.revoked_at is not None:
            raise HttpError(403, "Invalid authorization code", "invalid_grant")
        if entry.redirect_uri != redirect_uri:
            raise HttpError(403, "The redirect URI is wrong", "invalid_grant")
        return entry.grant

    def refresh(self, token: str, accounts: dict[str, LeverAccount]) -> Grant:
        """Return the grant behind a refresh token; raises a 403 HttpError."""
        invalid = HttpError(403, "Unknown or invalid refresh token.", "invalid_grant")
        with self._lock:
            grant = self._refresh.get(token)
            if grant is None or grant.revoked_at is not None or grant.account not in accounts:
                raise invalid
            return grant

    def issue(self, grant: Grant, account: LeverAccount) -> JsonObject:
        """Return a token answer for a grant, with a new refresh token in place of the old one."""
        with self._lock:
            now, scope = now_ms(), " ".join(sorted(grant.scopes))
            token = self._sign(grant, account, now // 1000, scope)
            self._access[token] = grant, now + ACCESS_SECONDS * 1000
            answer: JsonObject = {"access_token": token}
            if "offline_access" in grant.scopes:
                self._refresh.pop(grant.refresh_token, None)
                grant.refresh_token = f"v1.{secrets.token_urlsafe(32)}"
                self._refresh[grant.refresh_token] = grant
                answer["refresh_token"] = grant.refresh_token
            grant.used_at = now
            return answer | {"token_type": "Bearer", "scope": scope, "expires_in": ACCESS_SECONDS}

    def _sign(self, grant: Grant, account: LeverAccount, now: int, scope: str) -> str:
        """Return an access token with the claims that Lever's have."""
        claims: JsonObject = {
            "https://oauth.lever.co/userId": grant.user,
            "https://oauth.lever.co/accountId": account.id,
            "https://oauth.lever.co/clientId": self.client.id,
            "iss": f"{self.url}/",
            "sub": f"lever|{grant.user}",
            "aud": f"{self.url}/v1/",
            "iat": now,
            "exp": now + ACCESS_SECONDS,
            "azp": self.client.id,
            "scope": scope,
            "jti": new_id(),
        }
        return jwt.encode(claims, self._signing_key, "HS512")

    def access(self, token: str) -> Grant | None:
        """Return the grant behind an access token, or None once either is over."""
        grant, expires_at = self._access.get(token, (None, 0))
        return grant if grant and expires_at > now_ms() and grant.revoked_at is None else None

    def account_of_refresh_token(self, refresh_token: str) -> str:
        """Return the account behind a refresh token, valid or not, or an empty string."""
        grant = self._refresh.get(refresh_token)
        return grant.account if grant else ""

    def revoke(self, account: str) -> int:
        """End an account's grants and return how many; the next API call and the next refresh fail."""
        with self._lock:
            grants = self.of_account(account)
            for grant in grants:
                grant.revoked_at = now_ms()
            return len(grants)
