"""The single_sign_on table of a configuration, compared with the stored provider and domains. Nobody is called.

Whether single sign-on is used isn't in the file: it is chosen on the page, after the provider was tried there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from integrations.configuration.contents import SingleSignOnTable
from integrations.configuration.load import ConfigurationError
from integrations.configuration.plan import ACTOR, Change, Line, Sign, changed_secret, changed_value
from integrations.models import IdentityProvider, Organization
from integrations.workflow.operations.single_sign_on.domains import add_domain, normal_domain
from integrations.workflow.operations.single_sign_on.provider_settings import (
    ProviderSettings,
    provider_of,
    save_provider,
)

_PATH = "single_sign_on"


@dataclass(frozen=True)
class ProviderChanged:
    """What differs of the provider."""

    before: IdentityProvider = field(repr=False)
    after: ProviderSettings

    path = _PATH

    @property
    def lines(self) -> list[Line]:
        """Each value before and after; of the secret only that it changes."""
        found = []
        for name in ("issuer", "client_id"):
            before, after = getattr(self.before, name), getattr(self.after, name)
            if before != after:
                sign = Sign.between(before, after)
                found.append(Line(sign, f"{_PATH}.{name}", changed_value(before or None, after)))
        if self.after.client_secret:
            before = self.before.client_secret
            sign = Sign.between(before, self.after.client_secret)
            found.append(
                Line(sign, f"{_PATH}.client_secret", changed_secret(before, self.after.client_secret))
            )
        was, will_be = self.before.counts_as_second_factor, self.after.counts_as_second_factor
        if was != will_be:
            found.append(Line(Sign.CHANGED, f"{_PATH}.counts_as_second_factor", changed_value(was, will_be)))
        return found

    def apply(self, organization: Organization) -> None:
        """Store it."""
        save_provider(organization, self.after, ACTOR)


@dataclass(frozen=True)
class DomainAdded:
    """A domain that is new; proving it is left to the page."""

    domain: str

    path = f"{_PATH}.domains"

    @property
    def lines(self) -> list[Line]:
        """The domain."""
        return [Line(Sign.ADDED, self.path, self.domain)]

    def apply(self, organization: Organization) -> None:
        """Store it, unproven."""
        add_domain(organization, self.domain, ACTOR)


def compare_single_sign_on(wanted: SingleSignOnTable, organization: Organization) -> Iterator[Change]:
    """Yield what differs of the provider, and the domains that are new. Raises ConfigurationError.

    A stored domain that the file leaves out stays.
    """
    yield from _compare_provider(wanted, organization)
    known = set[str]()
    if organization.pk is not None:
        known = set(organization.sign_in_domains.values_list("domain", flat=True))
    for number, text in enumerate(wanted.get("domains", []), start=1):
        if not isinstance(text, str):
            raise ConfigurationError(f"{_PATH}.domains must be texts in brackets.")
        try:
            domain = normal_domain(text)
        except ValidationError as error:
            raise ConfigurationError(f"{_PATH}.domains[{number}]: {error.messages[0]}") from error
        if domain not in known:
            known.add(domain)
            yield DomainAdded(domain)


def _compare_provider(wanted: SingleSignOnTable, organization: Organization) -> Iterator[Change]:
    if not wanted.keys() - {"domains"}:
        return
    stored = provider_of(organization) if organization.pk is not None else None
    before = stored or IdentityProvider()
    secret = wanted.get("client_secret", "").strip()
    after = ProviderSettings(
        issuer=wanted.get("issuer", before.issuer).strip(),
        client_id=wanted.get("client_id", before.client_id).strip(),
        client_secret=secret if secret != before.client_secret else "",
        counts_as_second_factor=wanted.get("counts_as_second_factor", before.counts_as_second_factor),
    )
    for name in ("issuer", "client_id"):
        if not getattr(after, name):
            raise ConfigurationError(f"{_PATH}.{name} is missing.")
    change = ProviderChanged(before, after)
    if change.lines:
        yield change
