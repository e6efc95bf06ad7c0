"""An organization's provider and e-mail domains: stored, proven, read, and checked again by the clock."""

import json
import re
import time
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from social_django.models import Association, Nonce

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.core.vocabulary import LabelledEnum
from integrations.http import public_web
from integrations.http.shapes import JsonObject
from integrations.notifications.account_notices import tell_single_sign_on_changed
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import LAPSES_AFTER, IdentityProvider, SignInDomain

Mode = IdentityProvider.Mode

TRY_FIRST = "Try it first: press “Try it” and sign in at your provider."
CHANGED = "single sign-on was changed"
PROVE_FIRST = (
    "Prove an e-mail domain first: single sign-on signs in people with an address in a proven domain."
)


def provider_of(organization: Organization) -> IdentityProvider | None:
    """Return the organization's provider as it is stored now."""
    return IdentityProvider.objects.filter(organization=organization).first()


def _locked(organization: Organization) -> IdentityProvider | None:
    rows = IdentityProvider.objects.select_for_update(of=("self",))
    return rows.filter(organization=organization).first()


def save_provider(organization: Organization, wanted: IdentityProvider, actor: Actor) -> Changes:
    """Store what a Super Admin enters of the provider; return what changed. An empty secret keeps the stored one.

    Raises ValidationError by field.

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


# The e-mail domains of an organization: adding, proving by a TXT record, removing.


#: With LOOKUP_SECONDS of `http/public_web.py` for each, the regular check stays within a duty's lease.
MOST_DOMAINS = 20
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\.(?!\d+$){_LABEL}")


class DomainCheck(LabelledEnum):
    """What a look-up of a domain's TXT record showed."""

    FOUND = "found", "The record is there: the domain is proven."
    MISSING = (
        "missing",
        "There is no such record yet. Check its name and text; a new one may take an hour to be seen.",
    )
    UNKNOWN = "unknown", "No name server answered. Try again in some minutes."
    TAKEN = (
        "taken",
        "Another organization of this portal has proven this domain. One of the two has to remove it first.",
    )


def normal_domain(text: str) -> str:
    """Return a domain as it is stored: in small letters, other scripts in their ASCII form. Raises ValidationError."""
    domain = text.strip().removeprefix("@").rstrip(".").lower()
    try:
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        domain = ""
    if len(domain) > 230 or not _DOMAIN.fullmatch(domain):
        raise ValidationError("Enter what follows the @ of your addresses, such as example.com.")
    return domain


def add_domain(organization: Organization, text: str, actor: Actor) -> SignInDomain:
    """Store a domain to prove; return it, or the one there is. Raises ValidationError."""
    name = normal_domain(text)
    with transaction.atomic():
        if organization.sign_in_domains.count() >= MOST_DOMAINS:
            raise ValidationError(
                f"An organization can name at most {MOST_DOMAINS} domains. Remove one first."
            )
        domain, is_new = SignInDomain.objects.get_or_create(organization=organization, domain=name)
        if is_new:
            audit(domain, actor, AuditAction.ADD_DOMAIN, {"domain": ("", name)})
    return domain


def remove_domain(domain: SignInDomain, actor: Actor) -> None:
    """Delete a domain: people with such an address can no longer sign in by the provider, nor have to."""
    with transaction.atomic():
        if SignInDomain.objects.filter(pk=domain.pk).delete()[0]:
            if domain.proven_at is not None:
                _tell(domain, "removed", actor)
            audit(domain, actor, AuditAction.REMOVE_DOMAIN, {"domain": (domain.domain, "")})


def check_domain(domain: SignInDomain, actor: Actor) -> DomainCheck:
    """Look the domain's TXT record up and store what that showed.

    A proven domain whose record is gone keeps its power for LAPSES_AFTER; an unanswered look-up changes nothing.
    Raises TooManyCalls.
    """
    try:
        records = public_web.txt_records(domain.record_name, domain.organization_id)
    except public_web.LookupFailed:
        return DomainCheck.UNKNOWN
    is_found = domain.record_text in (record.strip() for record in records)
    try:
        with transaction.atomic():
            locked = SignInDomain.objects.select_for_update(of=("self",)).filter(pk=domain.pk).first()
            if locked is None:
                return DomainCheck.MISSING
            return _store(locked, is_found, actor)
    except IntegrityError:
        return DomainCheck.TAKEN


def _store(domain: SignInDomain, is_found: bool, actor: Actor) -> DomainCheck:
    now = timezone.now()
    was_proven = domain.proven_at is not None
    domain.checked_at = now
    if is_found:
        domain.proven_at, domain.missing_since = domain.proven_at or now, None
    elif was_proven:
        domain.missing_since = domain.missing_since or now
        if now - domain.missing_since >= LAPSES_AFTER:
            domain.proven_at = domain.missing_since = None
    domain.save(update_fields=["checked_at", "proven_at", "missing_since"])
    is_proven = domain.proven_at is not None
    if is_proven != was_proven:
        _tell(domain, "proven" if is_proven else "found to be proven no longer", actor)
        action = AuditAction.PROVE_DOMAIN if is_proven else AuditAction.LAPSE_DOMAIN
        audit(domain, actor, action, {"proven": (was_proven, is_proven)})
    return DomainCheck.FOUND if is_found else DomainCheck.MISSING


def _tell(domain: SignInDomain, what: str, actor: Actor) -> None:
    subject = f"a domain of single sign-on was {what}"
    tell_single_sign_on_changed(
        domain.organization, subject, f"The domain {domain.domain} was {what}.", actor
    )


# The discovery document of an OpenID Connect provider.
#
# Source: https://openid.net/specs/openid-connect-discovery-1_0.html


DISCOVERY_PATH = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def discover(provider: IdentityProvider) -> JsonObject | str:
    """Return the provider's discovery document, with every address in it checked; else why it can't be used.

    Raises TooManyCalls.
    """
    address = provider.issuer.rstrip("/") + DISCOVERY_PATH
    try:
        answer = public_web.call("GET", address, provider.organization_id)
    except public_web.AddressRefused as error:
        return str(error)
    except requests.RequestException as error:
        return f"The provider didn't answer ({type(error).__name__}). Check the issuer."
    if answer.status != 200:
        return f"The issuer has no discovery document: it answered {answer.status}. Check the issuer."
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return "The issuer's discovery document can't be read: it isn't a JSON object."
    return _checked(document, provider.issuer)


def _checked(document: JsonObject, issuer: str) -> JsonObject | str:
    """Return the document if it is the issuer's and complete: another's document would let that one sign people in."""
    named = document.get("issuer")
    if named != issuer:
        shown = str(named)[:200] if isinstance(named, str) else "none"
        return f"The discovery document names another issuer: {shown}. Copy the issuer exactly."
    for name in _ENDPOINTS:
        address = document.get(name)
        if not isinstance(address, str):
            return f"The discovery document has no {name}."
        try:
            public_web.check_address(address)
        except public_web.AddressRefused as error:
            return f"{name} of the discovery document: {error}"
    return document


# Check regularly whether an organization's domains are still its own and its provider can be used.


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
    failure = found if isinstance(found, str) else ""
    same = IdentityProvider.objects.filter(pk=provider.pk, issuer=provider.issuer)
    same.update(checked_at=timezone.now(), failure=failure)
    return failure


# What sign-ins by a provider are called, and removing those that nobody finished.


def backend_name(provider: IdentityProvider) -> str:
    """Return what social-core calls the provider in its rows and in sessions: one provider's state is no other's."""
    return f"single-sign-on-{provider.pk}"


def delete_unfinished(provider: IdentityProvider) -> None:
    """Delete the rows of sign-ins by the provider that were begun long ago and never finished."""
    before = int(time.time() - KEEP_UNFINISHED.total_seconds())
    scope = f"social_core.oauth2.{backend_name(provider)}"
    Nonce.objects.filter(server_url=scope, timestamp__lt=before).delete()
    Association.objects.filter(issued__lt=before).delete()  # OpenID Connect alone makes them
