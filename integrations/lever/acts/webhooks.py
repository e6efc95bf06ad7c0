"""The portal's webhooks in Lever, and the signature tokens that verify their deliveries."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.core.exceptions import ValidationError
from django.db import transaction

from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import ActionNotAllowed, WebhookEvent
from integrations.health.lever_probe import move_webhooks
from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import RegisteredWebhook
from integrations.lever.models.webhook import TOKEN_OVERLAP, LeverWebhook
from integrations.notifications.account_notices import audit_and_tell
from integrations.organizations.models.organization import Organization
from integrations.store import database

#: How many tokens that verify nothing any more are shown.
SHOWN_RETIRED = 10
#: A token this long can't be guessed from its last characters, which help people to tell tokens apart.
SHOW_ENDING_FROM = 32


class Generation(StrEnum):
    """Which of a webhook's two tokens: the one it has now, or the one that was replaced."""

    CURRENT = "current"
    PREVIOUS = "previous"


@dataclass(frozen=True)
class Token:
    """One signature token as a person may see it."""

    webhook: LeverWebhook
    generation: Generation
    label: str
    ending: str
    stored_at: datetime | None
    proved_at: datetime | None
    until: datetime | None = None
    is_unreadable: bool = False
    #: The labels of those that still count once this one is retired.
    remaining: tuple[str, ...] = ()

    @property
    def is_made_by_us(self) -> bool:
        """Whether it belongs to a webhook that the portal made through Lever's API."""
        return self.webhook.origin == LeverWebhook.Origin.API


def active_tokens(organization: Organization) -> list[Token]:
    """Return every token that verifies deliveries now: the main one, the one before, those made through the API.

    Those that no encryption key opens are among them, so that they are shown and can be retired.
    """
    webhooks = LeverWebhook.objects.active().filter(organization=organization)
    tokens = []
    for webhook in webhooks.order_by("-origin", "pk"):
        unreadable = webhook.unreadable_tokens
        if webhook.signature_token or "signature_token" in unreadable:
            tokens.append(
                Token(
                    webhook,
                    Generation.CURRENT,
                    _label(webhook, Generation.CURRENT),
                    _ending(webhook.signature_token),
                    webhook.token_stored_at or webhook.created_at,
                    webhook.token_proved_at,
                    is_unreadable="signature_token" in unreadable,
                )
            )
        if webhook.has_previous or "previous_signature_token" in unreadable:
            tokens.append(
                Token(
                    webhook,
                    Generation.PREVIOUS,
                    _label(webhook, Generation.PREVIOUS),
                    _ending(webhook.previous_signature_token),
                    None,
                    webhook.previous_proved_at,
                    webhook.previous_until,
                    is_unreadable="previous_signature_token" in unreadable,
                )
            )
    return [replace(one, remaining=_remaining(one, tokens)) for one in tokens]


def _remaining(retired: Token, tokens: list[Token]) -> tuple[str, ...]:
    """Return what still counts without this token: with a current one, its webhook's previous one goes too."""
    stays = {Generation.CURRENT} if retired.generation is Generation.PREVIOUS else set()
    readable = (one for one in tokens if not one.is_unreadable)
    return tuple(
        one.label for one in readable if one.webhook.pk != retired.webhook.pk or one.generation in stays
    )


def recently_retired(organization: Organization) -> list[LeverWebhook]:
    """Return the webhooks retired lately, newest first. A rejected request may have been signed with their tokens."""
    retired = LeverWebhook.objects.filter(organization=organization, retired_at__isnull=False)
    return list(retired.order_by("-retired_at")[:SHOWN_RETIRED])


def save_main_token(organization: Organization, token: str, actor: Actor) -> None:
    """Store the main token; the one it replaces is honoured for TOKEN_OVERLAP.

    Raises ValidationError with the fix.
    """
    token = _checked(token)
    with transaction.atomic():
        webhook, _ = LeverWebhook.objects.get_or_create(
            organization=organization,
            origin=LeverWebhook.Origin.MANUAL,
            retired_at=None,
            defaults={"url": organization.lever_webhook_url},
        )
        if webhook.signature_token == token:
            return
        changes = {"signature_token": (webhook.signature_token, token)}
        webhook.replace_token(token)
        audit_and_tell(webhook, actor, AuditAction.SAVE_CONNECTION, changes)


def save_previous_token(organization: Organization, token: str, actor: Actor) -> None:
    """Honour this token for TOKEN_OVERLAP as the one before the main token; empty ends that.

    Does nothing without a main token. Raises ValidationError with the fix.
    """
    token = _checked(token) if token.strip() else ""
    with transaction.atomic():
        webhook = LeverWebhook.objects.manual().filter(organization=organization).first()
        if webhook is None or webhook.previous_signature_token == token:
            return
        changes = {"previous_signature_token": (webhook.previous_signature_token, token)}
        webhook.previous_signature_token = token
        webhook.previous_until = database.now() + TOKEN_OVERLAP if token else None
        webhook.previous_proved_at = None
        webhook.save(update_fields=["previous_signature_token", "previous_until", "previous_proved_at"])
        audit_and_tell(webhook, actor, AuditAction.SAVE_CONNECTION, changes)


def retire_token(webhook: LeverWebhook, generation: Generation, actor: Actor) -> None:
    """Retire one of a webhook's tokens: it verifies no delivery from now on. Safe to run twice."""
    with transaction.atomic():
        if generation is Generation.PREVIOUS:
            was_active = webhook.has_previous or "previous_signature_token" in webhook.unreadable_tokens
            webhook.retire_previous()
        else:
            was_active = webhook.retired_at is None
            webhook.retire()
        if was_active:
            audit_and_tell(webhook, actor, AuditAction.RETIRE_TOKEN, name=_label(webhook, generation))


def _checked(token: str) -> str:
    token = token.strip()
    if not token or len(token) > 500 or not token.isprintable():
        raise ValidationError("Copy the whole signature token from Lever, without line breaks.")
    return token


def _label(webhook: LeverWebhook, generation: Generation) -> str:
    is_ours = webhook.origin == LeverWebhook.Origin.API
    label = f"Made by the portal: {webhook.event_label}" if is_ours else "Main token"
    return label if generation is Generation.CURRENT else f"{label}, the one before"


def _ending(token: str) -> str:
    return token[-4:] if len(token) >= SHOW_ENDING_FROM else ""


def make_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> list[LeverWebhook]:
    """Make a webhook in Lever for each event that the portal asks for; those that it made before are kept.

    Raises PlatformError.
    """
    return [make_webhook(organization, lever, actor, event) for event in WebhookEvent]


def make_webhook(
    organization: Organization,
    lever: LeverClient,
    actor: Actor,
    event: WebhookEvent = WebhookEvent.STAGE_CHANGE,
) -> LeverWebhook:
    """Make the webhook for an event in Lever and return it; one that the portal made before is kept.

    Lever accepts a second webhook with the same address, and shows a signature token only once: a webhook of ours
    whose token was lost is deleted and made again. Raises PlatformError.
    """
    move_webhooks(organization, lever, actor)
    active = LeverWebhook.objects.active().filter(organization=organization)
    stored = active.filter(origin=LeverWebhook.Origin.API, event=event).first()
    url = organization.lever_webhook_url
    listed = {webhook.id: webhook for webhook in lever.webhooks() if webhook.url == url}
    if stored and stored.lever_webhook_id in listed:
        if stored.signature_token:
            stored.listed_at, stored.missing_since = database.now(), None
            stored.save(update_fields=["listed_at", "missing_since"])
            return stored
        if listed[stored.lever_webhook_id].event == event:
            lever.delete_webhook(stored.lever_webhook_id)
    created = _created(organization, lever, event)
    is_listed = any(webhook.id == created.id for webhook in lever.webhooks())
    token = created.signature_token
    with transaction.atomic():
        webhook, _ = LeverWebhook.objects.update_or_create(
            organization=organization,
            origin=LeverWebhook.Origin.API,
            event=event,
            retired_at=None,
            defaults={
                "lever_webhook_id": created.id,
                "url": url,
                "signature_token": token,
                "token_stored_at": database.now(),
                "token_proved_at": None,
                "listed_at": database.now() if is_listed else None,
                "missing_since": None,
            },
        )
        audit_and_tell(webhook, actor, AuditAction.MAKE_WEBHOOK, {"signature_token": ("", token)})
    return webhook


def rotate_webhook(webhook: LeverWebhook, lever: LeverClient, actor: Actor) -> None:
    """Make the portal's webhook anew in Lever, with a new token, and delete the one before there.

    What that one sent is accepted for TOKEN_OVERLAP. Raises PlatformError. Raises ActionNotAllowed for one made by
    hand, and where somebody else has replaced or removed it meanwhile.
    """
    if webhook.origin != LeverWebhook.Origin.API:
        raise ActionNotAllowed("Make a new token in Lever, and paste it here.")
    former, url = webhook.lever_webhook_id, webhook.organization.lever_webhook_url
    created = _created(webhook.organization, lever, webhook.event)
    with transaction.atomic():
        same = LeverWebhook.objects.active().filter(pk=webhook.pk, lever_webhook_id=former)
        is_stored = same.update(
            lever_webhook_id=created.id, url=url, listed_at=database.now(), missing_since=None
        )
        if is_stored:
            changes = {"signature_token": (webhook.signature_token, created.signature_token)}
            webhook.replace_token(created.signature_token)
            audit_and_tell(webhook, actor, AuditAction.MAKE_WEBHOOK, changes)
    if not is_stored:
        _delete(lever, created.id)
        raise ActionNotAllowed("Somebody else has just replaced or removed this webhook.")
    try:
        _delete(lever, former)
    except PlatformError as error:
        raise PlatformError(
            f"The webhook has a new token, but Lever still lists the one before ({error}). Delete that one in Lever."
        ) from error


def _created(organization: Organization, lever: LeverClient, event: str) -> RegisteredWebhook:
    created = lever.create_webhook(organization.lever_webhook_url, event)
    if not created.signature_token:
        raise PlatformError("Lever made the webhook without telling its signature token; paste it by hand.")
    return created


def _delete(lever: LeverClient, webhook_id: str) -> None:
    """Delete a webhook in Lever, unless it is gone."""
    try:
        lever.delete_webhook(webhook_id)
    except PlatformError as error:
        if error.status != 404:
            raise


def remove_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> None:
    """Delete in Lever the webhooks that the portal made, and retire their tokens. Raises PlatformError."""
    active = LeverWebhook.objects.active().filter(organization=organization)
    for webhook in active.filter(origin=LeverWebhook.Origin.API):
        _delete(lever, webhook.lever_webhook_id)
        with transaction.atomic():
            webhook.retire()
            audit_and_tell(webhook, actor, AuditAction.REMOVE_WEBHOOK)
