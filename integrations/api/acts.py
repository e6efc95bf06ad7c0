"""Make and revoke the tokens of programs."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.api.models import ApiScope, ApiToken, digest_of
from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit, target_of
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: Tells people, and programs that look for secrets, what it is.
PREFIX = "cslp_"
#: How many one organization may have.
MOST_TOKENS = 20
DEFAULT_DAYS, MOST_DAYS = 365, 730


@dataclass(frozen=True)
class NewToken:
    """A token that was just made, and what a program sends: only its hash is stored."""

    token: ApiToken
    text: str = field(repr=False)


def make_token(
    organization: Organization, name: str, scopes: Collection[str], days: int, actor: Actor
) -> NewToken:
    """Make a token that reads these lists for so many days; a command makes it for the operator.

    Raises ValidationError by field.
    """
    name = name.strip()
    errors: dict[str, str] = {}
    if not 0 < len(name) <= 60:
        errors["name"] = "Enter a name of at most 60 characters."
    if unknown := sorted(set(scopes) - set(ApiScope)):
        errors["scopes"] = f"There is no scope {', '.join(unknown)}. There are: {', '.join(ApiScope)}."
    elif not scopes:
        errors["scopes"] = "Choose at least one."
    if not 0 < days <= MOST_DAYS:
        errors["days"] = f"Choose 1 to {MOST_DAYS} days."
    if errors:
        raise ValidationError(errors)
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        Organization.objects.lock(organization.pk)
        others = ApiToken.objects.filter(organization=organization)
        if others.filter(name=name).exists():
            raise ValidationError(
                {"name": "There is a token with this name. Revoke it, or choose another name."}
            )
        if others.count() >= MOST_TOKENS:
            raise ValidationError(f"There are {MOST_TOKENS} tokens already. Revoke one first.")
        token = ApiToken.objects.create(
            organization=organization,
            name=name,
            digest=digest_of(text),
            scopes=[scope for scope in ApiScope if scope in scopes],
            made_by=actor if isinstance(actor, User) else None,
            by_operator=not isinstance(actor, User),
            expires_at=database.now() + timedelta(days=days),
        )
        changes = {"scopes": ([], token.scopes), "ends": ("", f"{token.expires_at:%Y-%m-%d}")}
        audit_and_tell(token, actor, AuditAction.MAKE_API_TOKEN, changes)
    return NewToken(token, text)


def revoke_token(token: ApiToken, actor: Actor) -> bool:
    """Delete the token; return whether it was there. The program's next request is refused."""
    target = target_of(token)
    with transaction.atomic():
        if not ApiToken.objects.filter(pk=token.pk).delete()[0]:
            return False
        audit(target, actor, AuditAction.REVOKE_API_TOKEN, {"scopes": (token.scopes, [])})
    return True
