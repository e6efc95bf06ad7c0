"""Whether members can sign in by the organization's provider: by what the regular check last found."""

from collections.abc import Iterator

from integrations.finding_code import FindingCode, Level
from integrations.models import IdentityProvider, Organization, SignInDomain
from integrations.workflow.health.findings import SINGLE_SIGN_ON, Finding
from integrations.workflow.health.wording import day


def check_single_sign_on(organization: Organization) -> Iterator[Finding]:
    """Yield a missing secret, a provider that can't be used, no proven domain, and records that are gone."""
    provider = IdentityProvider.objects.filter(organization=organization).first()
    if provider is not None and provider.is_on:
        yield from _check_provider(organization, provider)
    for domain in SignInDomain.objects.filter(organization=organization, missing_since__isnull=False):
        yield Finding(
            organization.slug,
            FindingCode.SIGN_IN_DOMAIN_GONE,
            Level.WARNING,
            f"The TXT record that proves that {domain} is yours is gone.",
            f"Add it again by {day(domain.lapses_at)}. After that, people with these addresses lose single sign-on."
            if domain.lapses_at
            else "Add it again.",
            SINGLE_SIGN_ON,
        )


def _check_provider(organization: Organization, provider: IdentityProvider) -> Iterator[Finding]:
    if not provider.client_secret:
        yield Finding(
            organization.slug,
            FindingCode.SINGLE_SIGN_ON_SECRET_MISSING,
            Level.ERROR,
            "The client secret for single sign-on is missing or can't be read, so nobody can sign in with it.",
            "Ask a Super Admin to enter it again under Settings › Single sign-on.",
            SINGLE_SIGN_ON,
        )
    if provider.failure:
        yield Finding(
            organization.slug,
            FindingCode.SINGLE_SIGN_ON_FAILING,
            Level.ERROR,
            f"Single sign-on doesn't work: {provider.failure}",
            "Check the provider, then press “Try it” under Settings › Single sign-on.",
            SINGLE_SIGN_ON,
        )
    if not SignInDomain.objects.proven().filter(organization=organization).exists():
        yield Finding(
            organization.slug,
            FindingCode.SINGLE_SIGN_ON_WITHOUT_DOMAIN,
            Level.ERROR,
            "Single sign-on is on, but no e-mail domain is proven, so nobody can sign in with it.",
            "Prove a domain under Settings › Single sign-on.",
            SINGLE_SIGN_ON,
        )
