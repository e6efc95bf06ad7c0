"""Look again, by the clock, whether an organization's domains are still its own and its provider can be used."""

from django.utils import timezone

from integrations.models import IdentityProvider, Organization, SignInDomain
from integrations.workflow.operations.single_sign_on.discovery import Undiscovered, discover
from integrations.workflow.operations.single_sign_on.domains import check_domain

#: The actor of what is found out by the clock.
ACTOR = "portal"


def check_single_sign_on(organization: Organization) -> None:
    """Look up the record of each proven domain, and read the provider's discovery document; store what that showed."""
    for domain in SignInDomain.objects.proven().filter(organization=organization):
        check_domain(domain, ACTOR)
    provider = IdentityProvider.objects.filter(organization=organization).first()
    if provider is not None:
        check_provider(provider)


def check_provider(provider: IdentityProvider) -> str:
    """Read the provider's discovery document and store why it can't be used; return that, empty when it can."""
    found = discover(provider.issuer)
    failure = found.reason if isinstance(found, Undiscovered) else ""
    same = IdentityProvider.objects.filter(pk=provider.pk, issuer=provider.issuer)
    same.update(checked_at=timezone.now(), failure=failure)
    return failure
