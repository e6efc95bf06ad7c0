"""Look again, by the clock, whether an organization's domains are still its own and its provider can be used."""

import time
from datetime import timedelta

from django.utils import timezone
from social_django.models import Association, Nonce

from integrations.models import IdentityProvider, Organization, SignInDomain
from integrations.workflow.operations.single_sign_on.discovery import Undiscovered, discover
from integrations.workflow.operations.single_sign_on.domains import check_domain

#: The actor of what is found out by the clock.
ACTOR = "portal"
#: Rows of sign-ins that were begun and never finished are kept this long; they count for minutes only.
KEEP_UNFINISHED = timedelta(days=1)


def check_single_sign_on(organization: Organization) -> None:
    """Look up the record of each proven domain, and read the provider's discovery document; store what that showed."""
    for domain in SignInDomain.objects.proven().filter(organization=organization):
        check_domain(domain, ACTOR)
    provider = IdentityProvider.objects.filter(organization=organization).first()
    if provider is not None:
        check_provider(provider)
        delete_unfinished(provider)


def check_provider(provider: IdentityProvider) -> str:
    """Read the provider's discovery document and store why it can't be used; return that, empty when it can.

    Raises TooManyCalls.
    """
    found = discover(provider)
    failure = found.reason if isinstance(found, Undiscovered) else ""
    same = IdentityProvider.objects.filter(pk=provider.pk, issuer=provider.issuer)
    same.update(checked_at=timezone.now(), failure=failure)
    return failure


def backend_name(provider: IdentityProvider) -> str:
    """Return what social-core calls the provider in its rows and in sessions: one provider's state is no other's."""
    return f"single-sign-on-{provider.pk}"


def delete_unfinished(provider: IdentityProvider) -> None:
    """Delete the rows of sign-ins by the provider that were begun long ago and never finished."""
    before = int(time.time() - KEEP_UNFINISHED.total_seconds())
    scope = f"social_core.oauth2.{backend_name(provider)}"
    Nonce.objects.filter(server_url=scope, timestamp__lt=before).delete()
    Association.objects.filter(issued__lt=before).delete()  # OpenID Connect alone makes them
