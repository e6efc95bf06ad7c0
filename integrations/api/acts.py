"""Make, rotate and revoke the tokens of programs."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.api.models import ApiScope, ApiToken, digest_of
from integrations.audit.kept_rows import KeptRows
from integrations.audit.models.entry import Actor, AuditAction, Changes
from integrations.core.vocabulary import ActionNotAllowed
from integrations.members.models.membership import SUPER_ADMINS
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: Tells people, and programs that look for secrets, what it is.
PREFIX = "cslp_"
#: For how long the token counts that another one replaced.
TOKEN_OVERLAP = timedelta(days=1)
#: How many one organization may have.
MOST_TOKENS = 20
DEFAULT_DAYS, MOST_DAYS = 365, 730
REPLACED = (
    "This token was rotated since the page was opened, and the new one was shown then. Rotate it again only if nobody "
    "has copied that."
)
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
    text = _new_text()
    token = ApiToken(
        organization=organization,
        name=name.strip(),
        digest=digest_of(text),
        scopes=[scope for scope in ApiScope if scope in scopes],
        **_maker(actor),
        expires_at=database.now() + timedelta(days=days),
    )
    API_TOKENS.save(token, actor)
    return NewToken(token, text)


def rotate_token(token: ApiToken, actor: Actor, made: str = "") -> NewToken:
    """Replace a token by one that reads the same for as long again; the one before counts for TOKEN_OVERLAP.

    `made` is when the one was made that is to be replaced, as text; empty for whichever it is. Raises ActionNotAllowed
    once that is revoked or replaced.
    """
    text, now = _new_text(), database.now()
    with transaction.atomic():
        Organization.objects.lock(token.organization_id)
        stored = API_TOKENS.of(token.organization).filter(pk=token.pk).first()
        if stored is None:
            raise ActionNotAllowed("Somebody has revoked this token. Make a new one.")
        if made and made != stored.created_at.isoformat():
            raise ActionNotAllowed(REPLACED)
        former_until = min(now + TOKEN_OVERLAP, stored.expires_at)
        changed = {
            "previous_digest": stored.digest,
            "previous_until": former_until,
            "digest": digest_of(text),
            "created_at": now,
            "expires_at": now + (stored.expires_at - stored.created_at),
            **_maker(actor),
        }
        for name, value in changed.items():
            setattr(stored, name, value)
        stored.save(update_fields=list(changed))
        changes: Changes = {"the_one_before_ends": (None, f"{former_until:%Y-%m-%d %H:%M}")}
        audit_and_tell(stored, actor, AuditAction.MAKE_API_TOKEN, changes)
    return NewToken(stored, text)


def _new_text() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _maker(actor: Actor) -> dict[str, Any]:
    return {
        "made_by": actor if isinstance(actor, User) else None,
        "by_operator": not isinstance(actor, User),
    }
