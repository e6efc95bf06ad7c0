"""Make and revoke the tokens of programs."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from integrations.api.models import ApiScope, ApiToken, digest_of
from integrations.audit.kept_rows import KeptRows
from integrations.audit.models.entry import Actor, AuditAction
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: Tells people, and programs that look for secrets, what it is.
PREFIX = "cslp_"
#: How many one organization may have.
MOST_TOKENS = 20
DEFAULT_DAYS, MOST_DAYS = 365, 730
API_TOKENS = KeptRows(
    ApiToken,
    roles=SUPER_ADMINS,
    named_by=("name",),
    taken="There is a token with this name. Revoke it, or choose another name.",
    told=("scopes", "ends"),
    added=AuditAction.MAKE_API_TOKEN,
    removed=AuditAction.REVOKE_API_TOKEN,
    most=MOST_TOKENS,
    is_full=f"There are {MOST_TOKENS} tokens already. Revoke one first.",
    record=audit_and_tell,
)


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
    errors: dict[str, str] = {}
    if unknown := sorted(set(scopes) - set(ApiScope)):
        errors["scopes"] = f"There is no scope {', '.join(unknown)}. There are: {', '.join(ApiScope)}."
    elif not scopes:
        errors["scopes"] = "Choose at least one."
    if not 0 < days <= MOST_DAYS:
        errors["days"] = f"Choose 1 to {MOST_DAYS} days."
    if errors:
        raise ValidationError(errors)
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        organization=organization,
        name=name.strip(),
        digest=digest_of(text),
        scopes=[scope for scope in ApiScope if scope in scopes],
        made_by=actor if isinstance(actor, User) else None,
        by_operator=not isinstance(actor, User),
        expires_at=database.now() + timedelta(days=days),
    )
    API_TOKENS.save(token, actor)
    return NewToken(token, text)
