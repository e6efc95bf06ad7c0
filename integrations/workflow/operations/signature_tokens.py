"""The signature tokens of one organization: several may prove deliveries at once, each until it is retired."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    LeverWebhook,
    Organization,
    TargetKind,
)
from integrations.models.lever_webhook import MAX_TOKENS

CURRENT, PREVIOUS = "current", "previous"
LONG_ENOUGH = 32  # from here on the last characters help to tell tokens apart, and nobody to guess one


@dataclass(frozen=True)
class Token:
    """One signature token as a person may see it."""

    webhook: LeverWebhook
    which: str
    label: str
    ending: str
    stored_at: datetime | None
    proved_at: datetime | None
    until: datetime | None = None

    @property
    def is_made_by_us(self) -> bool:
        """Whether it belongs to a webhook that the portal made through Lever's API."""
        return self.webhook.origin == LeverWebhook.Origin.API


def checked(token: str) -> str:
    """Return a token as it is stored. Raises ValueError with what to do when it can't be one."""
    token = token.strip()
    if not token or len(token) > 500 or not token.isprintable():
        raise ValueError("Copy the whole signature token from Lever, without line breaks.")
    return token


def listed(organization: Organization) -> list[Token]:
    """Return every token that may prove a delivery now: the main one, those beside it, those made through the API."""
    rows = LeverWebhook.objects.active().filter(organization=organization).order_by("-origin", "name", "pk")
    found = []
    for row in rows:
        if row.signature_token:
            stored_at = row.token_stored_at or row.created_at
            ending = _ending(row.signature_token)
            found.append(Token(row, CURRENT, _named(row, CURRENT), ending, stored_at, row.token_proved_at))
        if row.has_previous:
            ending = _ending(row.previous_signature_token)
            label, until = _named(row, PREVIOUS), row.previous_until
            found.append(Token(row, PREVIOUS, label, ending, None, row.previous_proved_at, until))
    return found


def _label(row: LeverWebhook) -> str:
    if row.origin == LeverWebhook.Origin.API:
        return "Made by the portal"
    return row.name or "Main token"


def _named(row: LeverWebhook, which: str) -> str:
    return _label(row) if which == CURRENT else f"{_label(row)}, the one before"


def _ending(token: str) -> str:
    return token[-4:] if len(token) >= LONG_ENOUGH else ""


def retired(organization: Organization) -> list[LeverWebhook]:
    """Return what was retired lately, the newest first; a refusal can still tell that one of their tokens was used."""
    rows = LeverWebhook.objects.filter(organization=organization, retired_at__isnull=False)
    return list(rows.order_by("-retired_at")[:MAX_TOKENS])


def add(organization: Organization, name: str, token: str, actor: Actor) -> LeverWebhook:
    """Honour another token beside those there are, until it is retired. Raises ValueError with what to do."""
    name, token = " ".join(name.split()), checked(token)
    if not name or len(name) > 60:
        raise ValueError("Give the token a name of at most 60 characters, such as “Second webhook”.")
    active = listed(organization)
    if len(active) >= MAX_TOKENS:
        raise ValueError(f"There are {MAX_TOKENS} tokens already. Retire one that is no longer used.")
    for known in active:
        if known.which == CURRENT and known.webhook.signature_token == token:
            raise ValueError(f"This token is stored already: {known.label}.")
    try:
        with transaction.atomic():
            webhook: LeverWebhook = LeverWebhook.objects.create(
                organization=organization, name=name, url=organization.lever_webhook_url
            )
            webhook.replace_token(token)
            target = AuditTarget(TargetKind.LEVER_WEBHOOK, webhook.pk, _label(webhook))
            changes = {"signature_token": ("", token)}
            AuditEntry.record(organization, actor, AuditAction.ADD_TOKEN, target, changes)
    except IntegrityError as error:
        raise ValueError(f"There is a token called “{name}” already. Choose another name.") from error
    return webhook


def retire(webhook: LeverWebhook, which: str, actor: Actor) -> None:
    """Let one token prove nothing from now on; safe to run twice."""
    with transaction.atomic():
        if which == PREVIOUS:
            was_active = webhook.has_previous
            webhook.retire_previous()
        else:
            was_active = webhook.retired_at is None
            webhook.retire()
        if was_active:
            target = AuditTarget(TargetKind.LEVER_WEBHOOK, webhook.pk, _named(webhook, which))
            AuditEntry.record(webhook.organization, actor, AuditAction.RETIRE_TOKEN, target)
