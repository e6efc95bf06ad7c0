"""An organization's provider of single sign-on: stored, tried, removed, and checked again by the clock."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from social_django.models import Association, Nonce

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.http import public_web
from integrations.notifications.account_notices import tell_single_sign_on_changed
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.acts.discovery import check_provider
from integrations.single_sign_on.acts.domains import check_domain
from integrations.single_sign_on.models import IdentityProvider, SignInDomain

Mode = IdentityProvider.Mode

TRY_FIRST = "Try it first: press “Try it” and sign in at your provider."
CHANGED = "single sign-on was changed"
PROVE_FIRST = (
    "Verify an e-mail domain first: single sign-on signs in people with an address in a verified domain."
)
#: The actor of what is found out by the clock.
ACTOR = "portal"
#: Rows of sign-ins that were begun and never finished are kept this long; they count for minutes only.
KEEP_UNFINISHED = timedelta(days=1)


@dataclass(frozen=True)
class ProviderSettings:
    """What a Super Admin enters of the provider; an empty secret keeps the stored one."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    counts_as_second_factor: bool = True


def provider_of(organization: Organization) -> IdentityProvider | None:
    """Return the organization's provider as it is stored now."""
    return IdentityProvider.objects.filter(organization=organization).first()


def _locked(organization: Organization) -> IdentityProvider | None:
    rows = IdentityProvider.objects.select_for_update(of=("self",))
    return rows.filter(organization=organization).first()


def save_provider(organization: Organization, wanted: ProviderSettings, actor: Actor) -> Changes:
    """Store the provider; return what changed. Raises ValidationError by field.

    Another issuer or client is another provider: nobody is bound to it, and it is off until it has been tried.
    """
    issuer, client_id, secret = wanted.issuer.strip(), wanted.client_id.strip(), wanted.client_secret.strip()
    _check(issuer, client_id, secret)
    with transaction.atomic():
        stored = _locked(organization)
        provider = stored or IdentityProvider(organization=organization)
        after = {
            "issuer": issuer,
            "client_id": client_id,
            "client_secret": secret or provider.client_secret,
            "counts_as_second_factor": wanted.counts_as_second_factor,
        }
        changes: dict[str, tuple[object, object]] = {
            name: (getattr(provider, name), value)
            for name, value in after.items()
            if stored is None or getattr(provider, name) != value
        }
        if not changes:
            return {}
        if stored and changes.keys() & {"issuer", "client_id"}:
            provider.identities.all().delete()
            if provider.is_on:
                changes["mode"] = (provider.mode, Mode.OFF.value)
            provider.mode, provider.tried_at = Mode.OFF, None
        for name, value in after.items():
            setattr(provider, name, value)
        provider.checked_at, provider.failure = None, ""
        provider.save()
        _change(provider, actor, changes, CHANGED if stored else "the provider of single sign-on was added")
    return changes


def set_mode(organization: Organization, mode: str, actor: Actor) -> bool:
    """Store whether members may or must use the provider; return whether that is a change. Raises ValidationError."""
    with transaction.atomic():
        provider = _locked(organization)
        if provider is None:
            raise ValidationError("Enter the provider first.")
        if mode not in Mode.values:
            raise ValidationError(f"There is no such choice. Known are: {', '.join(Mode.values)}.")
        if mode == provider.mode:
            return False
        if mode != Mode.OFF and provider.tried_at is None:
            raise ValidationError(TRY_FIRST)
        if mode != Mode.OFF and not SignInDomain.objects.proven().filter(organization=organization).exists():
            raise ValidationError(PROVE_FIRST)
        changes = {"mode": (provider.mode, mode)}
        provider.mode = Mode(mode)
        provider.save(update_fields=["mode"])
        _change(provider, actor, changes, CHANGED)
    return True


def note_try(provider: IdentityProvider, actor: Actor, at: datetime) -> None:
    """Record that these settings signed somebody in who could use single sign-on."""
    with transaction.atomic():
        same = IdentityProvider.objects.filter(
            pk=provider.pk, issuer=provider.issuer, client_id=provider.client_id
        )
        if same.update(tried_at=at, checked_at=at, failure=""):
            audit(provider, actor, AuditAction.TRY_SINGLE_SIGN_ON)


def remove_provider(organization: Organization, actor: Actor) -> bool:
    """Delete the provider and who is bound to it; return whether there was one. Passwords open everything again."""
    with transaction.atomic():
        provider = _locked(organization)
        if provider is None:
            return False
        changes = {"issuer": (provider.issuer, ""), "mode": (provider.mode, "")}
        IdentityProvider.objects.filter(pk=provider.pk).delete()
        _change(provider, actor, changes, "the provider of single sign-on was removed")
    return True


def _change(provider: IdentityProvider, actor: Actor, changes: Changes, what: str) -> None:
    """Tell the Super Admins of a change, by the names of the settings, and record it."""
    names = ", ".join(sorted(name.replace("_", " ") for name in changes))
    line = f"Settings of the provider {provider.issuer} that differ now: {names}."
    tell_single_sign_on_changed(provider.organization, what, line, actor)
    audit(provider, actor, AuditAction.CHANGE_SINGLE_SIGN_ON, changes)


def _check(issuer: str, client_id: str, secret: str) -> None:
    errors: dict[str, str] = {}
    try:
        public_web.check_address(issuer)
    except public_web.AddressRefused as error:
        errors["issuer"] = str(error)
    else:
        if len(issuer) > 500 or urlsplit(issuer).query or urlsplit(issuer).fragment:
            errors["issuer"] = "Copy the issuer alone: without “?”, “#” and what follows them."
    if not _is_plain(client_id, 300) or not client_id:
        errors["client_id"] = (
            "Copy the whole client id from the provider: plain characters, without line breaks."
        )
    if not _is_plain(secret, 1000):
        errors["client_secret"] = (
            "Copy the whole secret from the provider: plain characters, without line breaks."
        )
    if errors:
        raise ValidationError(errors)


def _is_plain(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isascii() and (text.isprintable() or not text)


def check_single_sign_on(organization: Organization) -> None:
    """Look up the record of each proven domain, and read the provider's discovery document; store what that showed."""
    for domain in SignInDomain.objects.proven().filter(organization=organization):
        check_domain(domain, ACTOR)
    provider = IdentityProvider.objects.filter(organization=organization).first()
    if provider is not None:
        check_provider(provider)
        delete_unfinished(provider)


def backend_name(provider: IdentityProvider) -> str:
    """Return what social-core calls the provider in its rows and in sessions: one provider's state is no other's."""
    return f"single-sign-on-{provider.pk}"


def delete_unfinished(provider: IdentityProvider) -> None:
    """Delete the rows of sign-ins by the provider that were begun long ago and never finished."""
    before = int(time.time() - KEEP_UNFINISHED.total_seconds())
    scope = f"social_core.oauth2.{backend_name(provider)}"
    Nonce.objects.filter(server_url=scope, timestamp__lt=before).delete()
    Association.objects.filter(issued__lt=before).delete()  # OpenID Connect alone makes them
