"""A pretend OpenID Connect provider on the wire, strict where a real one is, with one person at it."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
import requests
import responses
from allauth.socialaccount.models import SocialApp
from django.test import Client

from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import SingleSignOn

SECRET = "client-secret-of-the-portal"


def make_provider(
    name: str = "acme", organization: Organization | None = None, **values: Any
) -> SingleSignOn:
    """Store a provider as the operator enters it."""
    application = SocialApp.objects.create(
        provider="openid_connect",
        provider_id=name,
        name=f"{name.title()} ID",
        client_id="portal",
        settings={"server_url": f"https://{name}.id.example"},
    )
    return SingleSignOn.objects.create(
        application=application, organization=organization, client_secret=SECRET, **values
    )


@dataclass
class Provider:
    """One provider. `claims` alters the ID token, `person` what UserInfo says."""

    wire: responses.RequestsMock
    name: str = "acme"
    claims: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=dict)
    #: What the portal sent with the last authorization.
    asked: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.issuer = f"https://{self.name}.id.example"
        document = {
            "issuer": self.issuer,
            **{
                f"{kind}_endpoint": f"{self.issuer}/{kind}" for kind in ("authorization", "token", "userinfo")
            },
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.wire.get(f"{self.issuer}/.well-known/openid-configuration", json=document)
        self.wire.add_callback("POST", f"{self.issuer}/token", self._token)
        self.wire.add_callback(
            "GET", f"{self.issuer}/userinfo", lambda _: (200, {}, json.dumps(self._person()))
        )

    def sign_in(self, client: Client, address: str = "", query: str = "", **back: str) -> Any:
        """Begin in the client's browser, sign the person in at the provider, and return the portal's answer."""
        begun = client.post(f"/accounts/oidc/{self.name}/login/{query}")
        assert begun.status_code == 200
        target = urlsplit(begun["Refresh"].removeprefix("0; url="))
        assert target.geturl().startswith(f"{self.issuer}/authorization?")
        self.asked = dict(parse_qsl(target.query))
        self.person = {"email": address, **self.person} if address else self.person
        path = urlsplit(self.asked["redirect_uri"]).path
        return client.get(f"{path}?{urlencode({'code': 'code-1', 'state': self.asked['state'], **back})}")

    def _person(self) -> dict[str, Any]:
        return {"sub": "subject-1", "email_verified": True, **self.person}

    def _token(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        form = dict(parse_qsl(str(request.body)))
        digest = hashlib.sha256(form.pop("code_verifier").encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.asked["code_challenge"]
        assert form == {
            "grant_type": "authorization_code",
            "code": "code-1",
            "redirect_uri": self.asked["redirect_uri"],
            "client_id": "portal",
            "client_secret": SECRET,
        }
        claims = {"iss": self.issuer, "aud": "portal", "exp": time.time() + 300, "sub": "subject-1"}
        token = jwt.encode({**claims, **self.claims}, "unused" * 8, algorithm="HS256")
        answer = {"access_token": "access", "token_type": "Bearer", "id_token": token}
        return 200, {"Content-Type": "application/json"}, json.dumps(answer)
