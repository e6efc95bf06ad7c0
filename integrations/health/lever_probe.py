"""The hourly probe of one organization's Lever for the doctor: a few calls, one about candidates after a silence."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import TypedDict

from django.db.models import Max, Q
from django.utils import timezone

from integrations.catalog import feedback_template
from integrations.core.vocabulary import DeliveryEvent, Platform
from integrations.health.models import LeverProbe
from integrations.http.session import PlatformError
from integrations.inbox.models.delivery import Delivery
from integrations.lever.client import LeverClient
from integrations.lever.lookups import LeverUser, RegisteredWebhook
from integrations.lever.models.connection import LeverConnection
from integrations.lever.models.webhook import LeverWebhook
from integrations.organizations.models.organization import Organization

PROBE_VALID_FOR = timedelta(days=1)  # an older probe says nothing about today
USUAL_GAP_OVER = timedelta(days=14)
SHORTEST_SILENCE = timedelta(hours=3)
TIMES_THE_USUAL_GAP = 3
#: Lever retries a webhook for a while: that of a younger stage change may still arrive.
STILL_UNDERWAY = timedelta(hours=1)
CLOCK_SKEW = timedelta(minutes=2)
MOST_COUNTED = 100


class Found(TypedDict, total=False):
    """Columns of the probe with what was found; those that weren't read are missing."""

    is_template_gone: bool
    missing_fields: list[str]
    is_author_gone: bool
    is_account_shared: bool
    missed_events: int
    silent_since: datetime | None


def latest_probe(organization: Organization) -> LeverProbe | None:
    """Return the organization's probe, None when there is none from the last day."""
    valid_since = timezone.now() - PROBE_VALID_FOR
    return LeverProbe.objects.filter(organization=organization, checked_at__gt=valid_since).first()


def probe(organization: Organization, lever: LeverClient) -> None:
    """Store the state of the feedback template, its author and the webhooks, and how many events had no delivery.

    The chosen author's state is stored with the organization, all else with the probe. What the grant doesn't allow to
    be read keeps its earlier value. Raises PlatformError when Lever doesn't answer.
    """
    with _unless_forbidden():
        _update_chosen_author(organization, lever)
    found: Found = {}
    for read in (_account, _template, _author, _silence):
        with _unless_forbidden():
            found |= read(organization, lever)
    LeverProbe.objects.update_or_create(
        organization=organization, defaults={**found, "checked_at": timezone.now()}
    )


@contextmanager
def _unless_forbidden() -> Iterator[None]:
    """Go on after a read that the grant doesn't allow, which Lever answers with 403 or 404."""
    try:
        yield
    except PlatformError as error:
        if error.status not in {403, 404}:
            raise


def _update_chosen_author(organization: Organization, lever: LeverClient) -> None:
    """Store the name of the chosen author of feedback, and whether that user has left Lever."""
    author_id = Organization.objects.get(pk=organization.pk).feedback_author
    if not author_id:
        return
    own = Organization.objects.filter(pk=organization.pk, feedback_author=author_id)
    if author := _user(author_id, lever):
        own.update(feedback_author_name=author.name[:300], feedback_author_gone=not author.is_active)
    else:
        own.update(feedback_author_gone=True)


def _account(organization: Organization, lever: LeverClient) -> Found:
    """Compare the account's webhooks with ours, and with those of other organizations.

    The access token names the account only where it can be read; the account's webhooks show it in any case.
    """
    registered = lever.webhooks()
    _update_webhooks(organization, registered)
    prefix = organization.lever_webhook_url.rstrip("/").removesuffix(organization.webhook_key)
    keys = {
        webhook.url.removeprefix(prefix).rstrip("/")
        for webhook in registered
        if webhook.url.startswith(prefix)
    }
    connected = Organization.objects.filter(lever_connection__state=LeverConnection.State.CONNECTED)
    is_same = Q(webhook_key__in=keys) | Q(previous_webhook_key__in=keys)
    account_id = LeverConnection.objects.get(organization=organization).lever_account_id
    if account_id:
        is_same |= Q(lever_connection__lever_account_id=account_id)
    return {"is_account_shared": connected.filter(is_same).exclude(pk=organization.pk).exists()}


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
            active.filter(pk=webhook.pk).update(listed_at=timezone.now(), missing_since=None)
        elif webhook.listed_at is not None:  # whether Lever lists manual webhooks at all isn't documented
            active.filter(pk=webhook.pk, missing_since__isnull=True).update(missing_since=timezone.now())


def _template(organization: Organization, lever: LeverClient) -> Found:
    """Find out whether the feedback template was deleted, or lacks fields."""
    connection = LeverConnection.objects.get(organization=organization)
    if not connection.feedback_template_id:
        return {"is_template_gone": False, "missing_fields": []}
    template = feedback_template.read_again(lever, connection)
    missing = [] if template is None else map(str, feedback_template.missing_fields(template))
    return {"is_template_gone": template is None, "missing_fields": list(missing)}


def _author(organization: Organization, lever: LeverClient) -> Found:
    """Find out whether the author of feedback has left Lever."""
    author_id = LeverConnection.objects.get(organization=organization).lever_user_id
    author = _user(author_id, lever) if author_id else None
    return {"is_author_gone": bool(author_id) and not (author and author.is_active)}


def _user(user_id: str, lever: LeverClient) -> LeverUser | None:
    """Return the user; None where Lever has them no longer."""
    try:
        return lever.user(user_id)
    except PlatformError as error:
        if error.status != 404:
            raise
        return None


def _silence(organization: Organization, lever: LeverClient) -> Found:
    """Count the stage changes since the last delivery; Lever is only asked after an unusually long silence.

    On a quiet weekend nobody changes stage in Lever either, so none are counted.
    """
    webhooks = LeverWebhook.objects.active().filter(
        organization=organization, event=DeliveryEvent.STAGE_CHANGE
    )
    last_received_at: datetime | None = webhooks.aggregate(at=Max("last_received_at"))["at"]
    if last_received_at is None or (
        timezone.now() - last_received_at < _unusual_silence(organization, last_received_at)
    ):
        return {"missed_events": 0, "silent_since": None}
    since, until = last_received_at + CLOCK_SKEW, timezone.now() - STILL_UNDERWAY
    updated = lever.opportunities(updated_at_start=str(int(since.timestamp() * 1000)))
    missed_events = sum(
        opportunity.has_moved
        and opportunity.entered_at is not None
        and since < opportunity.entered_at < until
        for opportunity in islice(updated, MOST_COUNTED)
    )
    return {"missed_events": missed_events, "silent_since": last_received_at}


def _unusual_silence(organization: Organization, last_received_at: datetime) -> timedelta:
    """Return how long a silence is unusual: several times the mean gap of the two weeks before it."""
    received = Delivery.objects.filter(
        organization=organization,
        platform=Platform.LEVER,
        event=DeliveryEvent.STAGE_CHANGE,
        received_at__gt=last_received_at - USUAL_GAP_OVER,
        received_at__lte=last_received_at + CLOCK_SKEW,
    ).count()
    return max(SHORTEST_SILENCE, USUAL_GAP_OVER / max(1, received) * TIMES_THE_USUAL_GAP)
