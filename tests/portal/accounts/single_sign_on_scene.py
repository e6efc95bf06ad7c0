"""Organizations with single sign-on, and a browser that goes through it."""

import re
from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import IdentityProvider, SignInDomain
from tests.support.identity_provider import PORTAL_SECRET, Provider


def prove(organization: Organization, domain: str = "acme.example") -> SignInDomain:
    """Give the organization a proven domain."""
    return SignInDomain.objects.create(organization=organization, domain=domain, proven_at=timezone.now())


def set_up(
    organization: Organization, provider: Provider, mode: str = "offered", **columns: Any
) -> IdentityProvider:
    """Store the provider for the organization, as tried."""
    return IdentityProvider.objects.create(
        organization=organization,
        issuer=provider.issuer,
        client_id=provider.client_id,
        client_secret=PORTAL_SECRET,
        mode=mode,
        tried_at=timezone.now(),
        **columns,
    )


def begin(client: Client, address: str = "carol@acme.example", **data: str) -> str:
    """Type an address on the page and return the provider's address that it leads to."""
    answer = client.post("/sso/login/", {"email": address, **data})
    assert answer.status_code == 200
    found = re.search(r'class="button primary" href="([^"]+)"', answer.content.decode())
    assert found, answer.content.decode()[:3000]
    target = unescape(found.group(1))
    assert answer["Refresh"] == f"0; url={target}"
    return target


def sign_in(client: Client, provider: Provider, address: str = "carol@acme.example", **data: str) -> Any:
    """Sign in through the provider; return the answer to the person's return."""
    back = provider.authorize(begin(client, address, **data))
    return client.get(back.removeprefix("http://testserver"))


def is_signed_in(client: Client) -> bool:
    """Whether the client has a session."""
    return "_auth_user_id" in client.session
