"""The hourly probe of one organization's Lever, for the doctor, which calls no platform: the webhooks, the template."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from django.db import transaction
from django.db.models import Q

from integrations.audit.models.entry import Actor, AuditAction
from integrations.audit.record import audit
from integrations.case.other_integration import record_webhooks
from integrations.catalog import feedback_template
from integrations.core.vocabulary import DeliveryEvent
from integrations.http.session import PlatformError
from integrations.lever.client import LeverClient
from integrations.lever.lookups import RegisteredWebhook
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.lever.oauth import scopes_of
from integrations.lever.permissions import refused_scopes
from integrations.organizations.models.organization import Organization
from integrations.store import database


def probe(organization: Organization, lever: LeverClient) -> None:
    """Store which webhooks Lever lists, whether the account is shared, and the feedback template as it is now.

    Where Lever doesn't tell what it grants, as for an API key, store what it refuses.

    What the grant doesn't allow to be read stays as it was. Raises PlatformError when Lever doesn't answer.
    """
    connection = LeverConnection.objects.get(organization=organization)
    with _unless_forbidden():
        registered = lever.webhooks()
        _update_webhooks(organization, registered)
        _record_other_integration(organization, registered)
        is_shared = _is_account_shared(organization, connection, registered)
        LeverConnection.objects.filter(pk=connection.pk).update(is_account_shared=is_shared)
    with _unless_forbidden():
        feedback_template.read_again(lever, connection)
    if not connection.scopes:
        needed = scopes_of(attaches_files=organization.attach_report)
        connection.note_refused(refused_scopes(lever, needed))


def look_before_connecting(organization: Organization, lever: LeverClient) -> None:
    """Record whether Lever lists a webhook of CodeScreen's own integration, so that nothing is sent beside it.

    Where Lever can't be asked, the hourly probe tells.
    """
    with suppress(PlatformError):
        _record_other_integration(organization, lever.webhooks())


def _record_other_integration(organization: Organization, registered: Sequence[RegisteredWebhook]) -> None:
    stage_changes = (webhook for webhook in registered if webhook.event == DeliveryEvent.STAGE_CHANGE)
    record_webhooks(organization, (webhook.url for webhook in stage_changes))


@contextmanager
def _unless_forbidden() -> Iterator[None]:
    """Go on after a read that the grant doesn't allow, which Lever answers with 403 or 404."""
    try:
        yield
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise


def _is_account_shared(
    organization: Organization, connection: LeverConnection, registered: Sequence[RegisteredWebhook]
) -> bool:
    """Whether another organization here is connected to the same Lever account.

    The access token names the account only where it can be read; the account's webhooks show it in any case.
    """
    prefix = organization.lever_webhook_url.rstrip("/").removesuffix(organization.webhook_key)
    keys = {
        webhook.url.removeprefix(prefix).rstrip("/")
        for webhook in registered
        if webhook.url.startswith(prefix)
    }
    is_same = Q(webhook_key__in=keys) | Q(previous_webhook_key__in=keys)
    if connection.lever_account_id:
        is_same |= Q(lever_connection__lever_account_id=connection.lever_account_id)
    connected = Organization.objects.filter(lever_connection__state=LeverConnection.State.CONNECTED)
    return connected.filter(is_same).exclude(pk=organization.pk).exists()


def _update_webhooks(organization: Organization, registered: Sequence[RegisteredWebhook]) -> None:
    """Note on each stored webhook whether Lever lists it, or since when it no longer does."""
    registered_ids = {webhook.id for webhook in registered}
    addresses = {address.rstrip("/") for address in organization.lever_webhook_urls()}
    ids_with_our_address = {
        webhook.id
        for webhook in registered
        if webhook.event == DeliveryEvent.STAGE_CHANGE and webhook.url.rstrip("/") in addresses
    }
    active = LeverWebhook.objects.active().filter(organization=organization)
    made_by_api = {
        webhook.lever_webhook_id for webhook in active if webhook.origin == LeverWebhook.Origin.API
    }
    is_manual_listed = bool(ids_with_our_address - made_by_api)
    for webhook in active:
        webhook_id = webhook.lever_webhook_id
        is_listed = webhook_id in registered_ids if webhook_id else is_manual_listed
        if is_listed:
            active.filter(pk=webhook.pk).update(listed_at=database.now(), missing_since=None)
        elif webhook.listed_at is not None:  # whether Lever lists manual webhooks at all isn't documented
            active.filter(pk=webhook.pk, missing_since__isnull=True).update(missing_since=database.now())


def _at_former_address(organization: Organization) -> list[LeverWebhook]:
    """Return the webhooks made by the portal that Lever still sends to a former address, refused by now or not.

    One at another address than this installation's belongs to another installation of the portal, whose database this
    one may be a copy of; it is left alone.
    """
    url = organization.lever_webhook_url
    active = LeverWebhook.objects.active().filter(organization=organization, origin=LeverWebhook.Origin.API)
    own = active.filter(url__startswith=url.removesuffix(f"{organization.webhook_key}/"))
    return list(own.exclude(url=url))


def move_webhooks(organization: Organization, lever: LeverClient, actor: Actor) -> int:
    """Let Lever send the portal's webhooks to the present address; return how many were moved.

    The signature token stays, and the previous address is honoured meanwhile: no delivery is refused. Safe to run
    twice. Raises PlatformError.
    """
    stored = _at_former_address(organization)
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
