"""Make, move and remove the portal's webhooks through Lever's API."""

from django.db import transaction
from django.utils import timezone

from integrations.audit.models.audited_rows import audit
from integrations.audit.models.entry import Actor, AuditAction
from integrations.core.vocabulary import WebhookEvent
from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization


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
            return stored
        if listed[stored.lever_webhook_id].event == event:
            lever.delete_webhook(stored.lever_webhook_id)
    created = lever.create_webhook(url, event)
    token = created.signature_token
    if not token:
        raise PlatformError("Lever made the webhook without telling its signature token; paste it by hand.")
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
                "token_stored_at": timezone.now(),
                "token_proved_at": None,
                "listed_at": timezone.now(),
                "missing_since": None,
            },
        )
        audit(webhook, actor, AuditAction.MAKE_WEBHOOK, {"signature_token": ("", token)})
    return webhook


def webhooks_at_former_addresses(organization: Organization) -> list[LeverWebhook]:
    """Return the webhooks made by the portal that Lever still sends to a former address of the organization.

    One whose address has nothing to do with the organization's keys belongs to another installation of the portal,
    whose database this one may be a copy of; it is left alone.
    """
    active = LeverWebhook.objects.active().filter(organization=organization, origin=LeverWebhook.Origin.API)
    return list(active.filter(url__in=organization.lever_webhook_urls()[1:]))


def move_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> int:
    """Let Lever send the portal's webhooks to the present address; return how many were moved.

    The signature token stays, and the former address is honoured meanwhile: no delivery is refused. Safe to run
    twice. Raises PlatformError.
    """
    stored = webhooks_at_former_addresses(organization)
    if not stored:
        return 0
    listed = {webhook.id: webhook for webhook in lever.webhooks()}
    moved = [webhook for webhook in stored if webhook.lever_webhook_id in listed]
    for webhook in moved:
        url = organization.lever_webhook_url
        lever.move_webhook(listed[webhook.lever_webhook_id], url)
        with transaction.atomic():
            LeverWebhook.objects.filter(pk=webhook.pk).update(url=url)
            audit(webhook, actor, AuditAction.MOVE_WEBHOOK)
    return len(moved)


def remove_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> None:
    """Delete in Lever the webhooks that the portal made, and retire their tokens. Raises PlatformError."""
    active = LeverWebhook.objects.active().filter(organization=organization)
    for webhook in active.filter(origin=LeverWebhook.Origin.API):
        try:
            lever.delete_webhook(webhook.lever_webhook_id)
        except PlatformError as error:
            if error.status != 404:
                raise
        with transaction.atomic():
            webhook.retire()
            audit(webhook, actor, AuditAction.REMOVE_WEBHOOK)
