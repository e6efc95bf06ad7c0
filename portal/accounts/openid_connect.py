"""social-core's OpenID Connect client, set up from an organization's row instead of the settings.

social-core makes and checks state, nonce and PKCE, and validates the ID token: signature by the provider's keys, `iss`,
`aud`, `azp`, `exp`, `nbf`, `iat`, `at_hash`. What it leaves open is closed here: calls go to public addresses alone,
the discovery document must be the issuer's, keys are read for each sign-in and never from an old copy, UserInfo must
name its subject, and the answer's `iss` parameter (RFC 9207) is compared where there is one.

It isn't among AUTHENTICATION_BACKENDS: no address of social-auth reaches it, and no account is made by its pipeline.
"""

import hashlib
import io
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from social_core.backends.open_id_connect import OpenIdConnectAuth
from social_core.exceptions import (
    AuthConfigurationError,
    AuthProviderError,
    AuthResponseError,
    SocialAuthBaseException,
)
from social_django.models import DjangoStorage
from social_django.strategy import DjangoStrategy

from integrations import signed_cache
from integrations.http import public_web
from integrations.http.json_values import JsonObject
from integrations.single_sign_on.acts.discovery import Undiscovered, discover
from integrations.single_sign_on.acts.identities import Claims
from integrations.single_sign_on.acts.provider import backend_name
from integrations.single_sign_on.models import IdentityProvider

LONGEST_SUBJECT = 255
#: How long a discovery document is kept; it names addresses, and no keys.
DISCOVERY_SECONDS = 600
#: How long a failure to read the document is kept.
UNDISCOVERED_SECONDS = 60


class SignInFailed(Exception):
    """The provider could not be used, or proved nobody's identity; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SingleSignOnBackend(OpenIdConnectAuth[HttpResponse]):
    """One organization's provider, for one request."""

    REDIRECT_STATE = False
    DEFAULT_USE_PKCE = True
    DEFAULT_SCOPE = ["openid", "email"]
    # no symmetric ones: the client's secret is no key of the provider
    JWT_ALGORITHMS = ["RS256", "PS256", "ES256"]
    STATE_LIFETIME = NONCE_LIFETIME = 900

    def __init__(self, request: HttpRequest, provider: IdentityProvider) -> None:
        self.name = backend_name(provider)
        self.provider = provider
        # where the provider sends people back: each organization has its own address
        path = reverse("single-sign-on-complete", kwargs={"slug": provider.organization.slug})
        strategy = DjangoStrategy(DjangoStorage, request)
        super().__init__(strategy, redirect_uri=f"{settings.PORTAL_URL}{path}")

    # what social-core reads from the settings

    def setting(self, name: str, default: Any = None) -> Any:
        """Return social-core's default: the settings of the portal's other backends don't concern this one."""
        return default

    def get_key_and_secret(self) -> tuple[str, str]:
        return self.provider.client_id, self.provider.client_secret

    def id_token_issuer(self) -> str:
        """Return the issuer that a Super Admin entered."""
        return self.provider.issuer

    def oidc_config(self) -> JsonObject:
        """Return the checked discovery document. Raises AuthProviderError and TooManyCalls.

        A failure is kept too, for a shorter time: people who try again don't wait for a provider that doesn't answer.
        """
        document = signed_cache.get(self._discovery_key(), DISCOVERY_SECONDS)
        if document is None:
            found = discover(self.provider)
            document = {} if isinstance(found, Undiscovered) else found
            seconds = DISCOVERY_SECONDS if document else UNDISCOVERED_SECONDS
            signed_cache.store(self._discovery_key(), document, seconds)
        if not document:
            raise AuthProviderError(self, code="connection_failed")
        return document

    def forget_discovery(self) -> None:
        """Have the discovery document read again."""
        cache.delete(self._discovery_key())

    def _discovery_key(self) -> str:
        digest = hashlib.sha256(self.provider.issuer.encode()).hexdigest()
        return f"single-sign-on:{self.provider.pk}:{digest}"

    def auth_url(self) -> str:
        """Return the provider's address with every parameter encoded: social-core leaves `&` and `+` as they are."""
        state = self.get_or_create_state()
        parts = urlsplit(self.authorization_url())
        params: dict[str, str] = self.auth_params(state)  # type: ignore[no-untyped-call]
        scope = self.SCOPE_SEPARATOR.join(self.get_scope())
        added = urlencode({**params, "scope": scope})
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, added)))))

    def get_jwks_keys(self) -> list[dict[str, Any]]:
        """Return the provider's keys as they are now: one that was withdrawn ends at once."""
        return self.get_remote_jwks_keys()

    def request(self, url: str, **options: Any) -> requests.Response:
        """Call a public address of the provider. Raises AuthProviderError and AuthConfigurationError."""
        stage = options.get("stage", "user_info")
        try:
            answer = public_web.call(
                options.get("method", "GET"),
                url,
                self.provider.organization_id,
                headers=options.get("headers"),
                form=options.get("data"),
                auth=options.get("auth"),
            )
        except public_web.AddressRefused as error:
            raise AuthConfigurationError(
                self, code="invalid_setting", parameter="url", stage=stage
            ) from error
        except requests.Timeout as error:
            raise AuthProviderError(self, code="timeout", stage=stage) from error
        except requests.RequestException as error:
            raise AuthProviderError(self, code="connection_failed", stage=stage) from error
        if not 200 <= answer.status < 300:
            raise AuthProviderError(self, code="http_error", stage=stage, status_code=answer.status)
        response = requests.Response()
        response.status_code, response.raw = answer.status, io.BytesIO(answer.body)
        return response

    # what the portal asks for

    def authorization_address(self, address: str = "", *, anew: bool = False) -> str:
        """Return the provider's address to send a person to, and remember the attempt in their session.

        `address` is the e-mail address that they typed, to spare them typing it again. `anew`: ask that they prove who
        they are, whatever session they have there. Raises SignInFailed.
        """
        if not self.provider.client_secret:
            raise SignInFailed("secret_missing")
        self.LOGIN_HINT = address or None
        if anew:
            self.PROMPT, self.MAX_AGE = "login", 0  # which obliges the provider to say when they did
        try:
            return str(self.auth_url())
        except SocialAuthBaseException as error:
            raise SignInFailed(error.code) from error

    def claims(self) -> Claims:
        """Exchange the code of the request and return what the provider's token says. Raises SignInFailed."""
        try:
            return self._claims()
        except SocialAuthBaseException as error:
            raise SignInFailed(error.code) from error
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            OverflowError,
            NotImplementedError,
            UnsupportedAlgorithm,
        ) as error:
            # a token or key of a shape that the libraries don't expect
            raise SignInFailed("malformed_response") from error

    def do_auth(self, access_token: str, *args: object, **kwargs: object) -> None:
        """Read UserInfo where the ID token has no address, and stop: accounts are found elsewhere."""
        token = self.id_token or {}
        self._details = token
        if not token.get("email") and self.oidc_config().get("userinfo_endpoint"):
            details = self.user_data(access_token)
            if not isinstance(details, dict) or details.get("sub") != token.get("sub"):
                raise AuthResponseError(self, code="invalid_claim", claim="sub", stage="user_info")
            self._details = details

    def _claims(self) -> Claims:
        named = self.data.get("iss")
        if named is not None and named != self.provider.issuer:
            raise AuthResponseError(self, code="invalid_claim", claim="iss", stage="callback")
        self.auth_complete()
        subject, address = (self.id_token or {}).get("sub"), self._details.get("email")
        if (
            not isinstance(subject, str)
            or not 0 < len(subject) <= LONGEST_SUBJECT
            or not subject.isprintable()
        ):
            raise AuthResponseError(self, code="invalid_claim", claim="sub", stage="token_validation")
        return Claims(
            subject,
            address.strip() if isinstance(address, str) and address.isprintable() else "",
            _is_verified(self._details),
            _seconds_since_proof(self.id_token or {}),
        )


def _is_verified(details: JsonObject) -> bool:
    """Whether the provider says that the address is the person's; Entra has a claim of its own for it."""
    if "email_verified" in details:
        return details["email_verified"] in (True, "true")
    return details.get("xms_edov") in (True, "true", "1")


def _seconds_since_proof(token: JsonObject) -> float | None:
    """Return for how many seconds the person had been signed in when the token was made; None where it isn't said."""
    issued_at, authenticated_at = token.get("iat"), token.get("auth_time")
    if not isinstance(issued_at, int | float) or not isinstance(authenticated_at, int | float):
        return None
    return float(issued_at) - float(authenticated_at)
