"""Connect and disconnect: keys, tokens, webhooks and policies; each change leaves an audit entry."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from integrations.codescreen.client import CodeScreenClient
from integrations.codescreen.signature import decode_secret
from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.models import (
    Actor,
    AuditAction,
    AuditEntry,
    AuditTarget,
    Changes,
    CodeScreenConnection,
    LeverConnection,
    LeverWebhook,
    Organization,
    TargetKind,
)
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.catalog import stage_on_pass, sync
from integrations.workflow.email import connection_notices
from integrations.workflow.operations import invitations, signature_tokens
from integrations.workflow.outbox.enqueue import enqueue_template

POLICIES = (
    "stage_prefix",
    "bulk_limit",
    "bulk_window",
    "default_assessment",
    "note_on_skip",
    "paused",
    "rating_2_from",
    "rating_3_from",
    "rating_4_from",
    "reentry",
    "reentry_days",
    "leaving",
    "retention_days",
    "passed_tag",
    "failed_tag",
    "passed_stage",
    "hold_failed",
    "brand_logo_url",
    "brand_colour",
    "brand_signature",
)


def webhook_target(webhook: LeverWebhook) -> AuditTarget:
    """Return a webhook as what an audit entry is about."""
    return AuditTarget(TargetKind.LEVER_WEBHOOK, webhook.pk, "Lever webhook")


def codescreen_target(connection: CodeScreenConnection) -> AuditTarget:
    """Return a CodeScreen connection as what an audit entry is about."""
    return AuditTarget(TargetKind.CODESCREEN_CONNECTION, connection.pk, "CodeScreen connection")


def after_grant(organization: Organization, actor: Actor) -> None:
    """Record a new grant and set everything going that waited for it; called in the grant's transaction."""
    connection = LeverConnection.objects.filter(organization=organization).first()
    target = AuditTarget(TargetKind.LEVER_CONNECTION, connection.pk if connection else None, "Lever")
    AuditEntry.record(organization, actor, AuditAction.CONNECT, target)
    enqueue_template(organization)
    connection_notices.notify_reconnected(organization)
    invitations.requeue_waiting(organization)


def disconnect_lever(organization: Organization, actor: Actor) -> None:
    """Forget Lever's tokens; what arrives from now on is kept and decided when it is connected again."""
    with transaction.atomic():
        connection = LeverConnection.objects.filter(organization=organization).first()
        if connection is None:
            return
        before = connection.state
        connection.disconnect(f"Disconnected by {actor}.")
        target = AuditTarget(TargetKind.LEVER_CONNECTION, connection.pk, "Lever")
        changes = {"state": (before, connection.state)}
        AuditEntry.record(organization, actor, AuditAction.DISCONNECT, target, changes)


def save_signature_token(organization: Organization, token: str, actor: Actor) -> None:
    """Store the main signature token; the one it replaces is honoured for a day, additional ones until retired."""
    token = signature_tokens.checked(token)
    with transaction.atomic():
        webhook, _ = LeverWebhook.objects.get_or_create(
            organization=organization,
            origin=LeverWebhook.Origin.MANUAL,
            name="",
            retired_at=None,
            defaults={"event": DeliveryEvent.STAGE_CHANGE, "url": organization.lever_webhook_url},
        )
        if webhook.signature_token == token:
            return
        changes = {"signature_token": (webhook.signature_token, token)}
        for row in LeverWebhook.objects.active().filter(organization=organization).exclude(name=""):
            if row.signature_token == token:
                row.delete()  # an additional token becomes the main one
        webhook.replace_token(token)
        AuditEntry.record(organization, actor, AuditAction.SAVE_CONNECTION, webhook_target(webhook), changes)


def save_codescreen_key(organization: Organization, api_key: str, actor: Actor) -> None:
    """Store CodeScreen's API key, and take up what waited for one. Raises ValueError when it can't be one."""
    api_key = api_key.strip()
    if not api_key or len(api_key) > 500 or not (api_key.isascii() and api_key.isprintable()):
        raise ValueError("Copy the whole API key from CodeScreen: plain characters, without line breaks.")
    with transaction.atomic():
        connection, _ = CodeScreenConnection.objects.get_or_create(organization=organization)
        if connection.api_key == api_key and connection.is_working:
            return
        changes = {"api_key": (connection.api_key, api_key)}
        connection.api_key = api_key
        connection.state, connection.state_reason = CodeScreenConnection.State.CONNECTED, ""
        connection.key_stored_at = timezone.now()
        connection.verified_at = connection.assessments_refreshed_at = None
        connection.save()
        AuditEntry.record(
            organization, actor, AuditAction.SAVE_CONNECTION, codescreen_target(connection), changes
        )
        invitations.requeue_waiting(organization)


def save_codescreen_webhook_secret(organization: Organization, secret: str, actor: Actor) -> None:
    """Store the secret that proves CodeScreen's webhooks; empty removes it. Raises ValueError with the fix."""
    secret = secret.strip()
    if secret:
        decode_secret(secret)
    with transaction.atomic():
        connection, _ = CodeScreenConnection.objects.get_or_create(organization=organization)
        if connection.webhook_secret == secret:
            return
        changes = {"webhook_secret": (connection.webhook_secret, secret)}
        connection.webhook_secret = secret
        connection.save(update_fields=["webhook_secret"])
        AuditEntry.record(
            organization, actor, AuditAction.SAVE_CONNECTION, codescreen_target(connection), changes
        )


def verify_codescreen_key(organization: Organization, codescreen: CodeScreenClient) -> int:
    """Ask CodeScreen for its assessments with the stored key; how many. Raises PlatformError when it is refused."""
    try:
        sync.refresh_assessments(organization, codescreen)
    except PlatformError as error:
        if error.status == 401:
            sync.mark_key_refused(organization, str(error))
        raise
    invitations.requeue_waiting(organization)
    return len(sync.live_assessments(organization))


def make_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> list[LeverWebhook]:
    """Make the stage-change webhook through Lever's API; one that the portal made before is kept.

    Lever doesn't refuse a second webhook to the same address, and tells a signature token only once: one of ours
    whose token was lost is removed and made again. Raises PlatformError.
    """
    active = LeverWebhook.objects.active().filter(organization=organization)
    mine = active.filter(origin=LeverWebhook.Origin.API, event=DeliveryEvent.STAGE_CHANGE).first()
    url = organization.lever_webhook_url
    listed = [webhook for webhook in lever.webhooks() if webhook.url == url]
    if mine and mine.signature_token and any(webhook.id == mine.lever_webhook_id for webhook in listed):
        return [mine]
    for found in listed:
        if found.event == DeliveryEvent.STAGE_CHANGE and mine and found.id == mine.lever_webhook_id:
            lever.delete_webhook(found.id)
    made = lever.create_webhook(url, DeliveryEvent.STAGE_CHANGE)
    token = made.signature_token
    if not token:
        raise PlatformError("Lever made the webhook without telling its signature token; paste it by hand.")
    with transaction.atomic():
        webhook, _ = LeverWebhook.objects.update_or_create(
            organization=organization,
            origin=LeverWebhook.Origin.API,
            event=DeliveryEvent.STAGE_CHANGE,
            retired_at=None,
            defaults={
                "lever_webhook_id": made.id,
                "url": url,
                "signature_token": token,
                "token_stored_at": timezone.now(),
                "token_proved_at": None,
                "listed_at": timezone.now(),
                "missing_since": None,
            },
        )
        AuditEntry.record(
            organization,
            actor,
            AuditAction.MAKE_WEBHOOK,
            webhook_target(webhook),
            {"signature_token": ("", token)},
        )
    return [webhook]


def remove_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> None:
    """Remove from Lever the webhooks that the portal made. Raises PlatformError."""
    active = LeverWebhook.objects.active().filter(organization=organization)
    for webhook in active.filter(origin=LeverWebhook.Origin.API):
        try:
            lever.delete_webhook(webhook.lever_webhook_id)
        except PlatformError as error:
            if error.status != 404:
                raise
        with transaction.atomic():
            webhook.retire()
            AuditEntry.record(organization, actor, AuditAction.REMOVE_WEBHOOK, webhook_target(webhook))


def set_policies(organization: Organization, changes: Mapping[str, Any], actor: Actor) -> Changes:
    """Change policies; what changed, as name → (before, after). Raises ValidationError with the fix per field."""
    unknown = set(changes) - set(POLICIES)
    if unknown:
        raise ValidationError(f"No such policy: {', '.join(sorted(unknown))}.")
    before = {name: getattr(organization, name) for name in changes}
    changed = {name: (before[name], value) for name, value in changes.items() if before[name] != value}
    if not changed:
        return {}
    for name, (_, value) in changed.items():
        setattr(organization, name, value)
    organization.full_clean()
    stage_on_pass.refuse_inviting_target(organization, changed)
    with transaction.atomic():
        organization.save(update_fields=list(changed))
        target = AuditTarget(TargetKind.ORGANIZATION, organization.pk, organization.name)
        AuditEntry.record(organization, actor, AuditAction.CHANGE_POLICIES, target, changed)
        if "paused" in changed and not organization.paused:
            invitations.requeue_waiting(organization)
    return changed


def mark_codescreen_webhook_received(organization: Organization) -> None:
    """Remember that a verified CodeScreen webhook came through."""
    CodeScreenConnection.objects.filter(organization=organization).update(last_received_at=timezone.now())
