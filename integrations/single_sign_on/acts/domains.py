"""The e-mail domains of an organization: adding, proving by a TXT record, removing."""

import re

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import LabelledEnum
from integrations.http import public_web
from integrations.notifications.account_notices import tell_single_sign_on_changed
from integrations.organizations.models.organization import Organization
from integrations.single_sign_on.models import LAPSES_AFTER, SignInDomain

#: With LOOKUP_SECONDS of `http/public_web.py` for each, the regular check stays within a duty's lease.
MOST_DOMAINS = 20
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(\.{_LABEL})*\.(?!\d+$){_LABEL}")


class DomainCheck(LabelledEnum):
    """What a look-up of a domain's TXT record showed."""

    FOUND = "found", "The record is there: the domain is verified."
    MISSING = (
        "missing",
        "There is no such record yet. Check its name and text; a new one may take an hour to be seen.",
    )
    UNKNOWN = "unknown", "No name server answered. Try again in some minutes."
    TAKEN = (
        "taken",
        "Another organization of this portal has verified this domain. One of the two has to remove it first.",
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
        _tell(domain, "verified" if is_proven else "lost: its record is gone", actor)
        action = AuditAction.PROVE_DOMAIN if is_proven else AuditAction.LAPSE_DOMAIN
        audit(domain, actor, action, {"proven": (was_proven, is_proven)})
    return DomainCheck.FOUND if is_found else DomainCheck.MISSING


def _tell(domain: SignInDomain, what: str, actor: Actor) -> None:
    subject = f"a domain of single sign-on was {what}"
    tell_single_sign_on_changed(
        domain.organization, subject, f"The domain {domain.domain} was {what}.", actor
    )
