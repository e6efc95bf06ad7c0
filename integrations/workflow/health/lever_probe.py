"""The hourly look at one organization's Lever, for the doctor: three or four calls, none of them for a candidate."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Max
from django.utils import timezone

from integrations.http.errors import PlatformError
from integrations.lever.client import LeverClient
from integrations.models import Delivery, LeverConnection, LeverProbe, LeverWebhook, Organization
from integrations.vocabulary import DeliveryEvent
from integrations.workflow.catalog import feedback_template

REMEMBERED = timedelta(days=14)
SHORTEST_SILENCE = timedelta(hours=3)
TIMES_THE_USUAL = 3
#: Lever tries a webhook again for a while: what is younger may still come.
STILL_UNDERWAY = timedelta(hours=1)
CLOCK_SKEW = timedelta(minutes=2)
MOST_COUNTED = 100

Fact = dict[str, Any]


def probe(organization: Organization, lever: LeverClient) -> None:
    """Store what Lever says of its webhooks, the feedback template, its author, and changes nobody told of.

    What the app may not ask for is left as it was known. Raises PlatformError when Lever doesn't answer.
    """
    facts: Fact = {}
    parts: tuple[Callable[[Organization, LeverClient], Fact], ...] = (_webhooks, _template, _author, _silence)
    for part in parts:
        try:
            facts |= part(organization, lever)
        except PlatformError as error:
            if error.status not in {403, 404}:
                raise
    LeverProbe.objects.update_or_create(
        organization=organization, defaults={"checked_at": timezone.now(), **facts}
    )


def _webhooks(organization: Organization, lever: LeverClient) -> Fact:
    """Note which of the known webhooks Lever lists, and which it no longer does."""
    listed = lever.webhooks()
    ids = {webhook.id for webhook in listed}
    address = organization.lever_webhook_url.rstrip("/")
    ours = {
        webhook.id
        for webhook in listed
        if webhook.event == DeliveryEvent.STAGE_CHANGE and webhook.url.rstrip("/") == address
    }
    active = LeverWebhook.objects.active().filter(organization=organization)
    made = {row.lever_webhook_id for row in active if row.origin == LeverWebhook.Origin.API}
    for webhook in active:
        is_listed = webhook.lever_webhook_id in ids if webhook.lever_webhook_id else bool(ours - made)
        if is_listed:
            active.filter(pk=webhook.pk).update(listed_at=timezone.now(), missing_since=None)
        elif webhook.listed_at is not None:  # whether Lever lists those made by hand isn't documented
            active.filter(pk=webhook.pk, missing_since__isnull=True).update(missing_since=timezone.now())
    return {}


def _template(organization: Organization, lever: LeverClient) -> Fact:
    template_id = LeverConnection.objects.get(organization=organization).feedback_template_id
    template = feedback_template.read_template(lever, template_id) if template_id else None
    return {
        "is_template_gone": bool(template_id) and template is None,
        "missing_fields": feedback_template.missing_fields(template) if template else [],
    }


def _author(organization: Organization, lever: LeverClient) -> Fact:
    author = LeverConnection.objects.get(organization=organization).lever_user_id
    if not author:
        return {"is_author_gone": False}
    try:
        return {"is_author_gone": not lever.user(author).is_active}
    except PlatformError as error:
        if error.status != 404:
            raise
        return {"is_author_gone": True}


def _silence(organization: Organization, lever: LeverClient) -> Fact:
    """Count the candidates who changed stage since the last delivery; asked only when it is quiet for unusually long.

    A quiet weekend is quiet in Lever too, and counts nobody.
    """
    last = _last_received(organization)
    if last is None or timezone.now() - last < _unusual(organization, last):
        return {"missed_events": 0, "silent_since": None}
    since = str(int((last + CLOCK_SKEW).timestamp() * 1000))
    until = timezone.now() - STILL_UNDERWAY
    unheard = [
        row
        for row in islice(lever.opportunities(updated_at_start=since), MOST_COUNTED)
        if row.has_moved and row.entered_at is not None and last + CLOCK_SKEW < row.entered_at < until
    ]
    return {"missed_events": len(unheard), "silent_since": last}


def _last_received(organization: Organization) -> datetime | None:
    rows = LeverWebhook.objects.active().filter(organization=organization)
    last: datetime | None = rows.aggregate(at=Max("last_received_at"))["at"]
    return last


def _unusual(organization: Organization, last: datetime) -> timedelta:
    """Return how long a silence is unusual: several times the mean gap of the two weeks before it."""
    heard = Delivery.objects.filter(
        organization=organization,
        platform=Delivery.Platform.LEVER,
        event=DeliveryEvent.STAGE_CHANGE,
        received_at__gt=last - REMEMBERED,
        received_at__lte=last + CLOCK_SKEW,
    ).count()
    return max(SHORTEST_SILENCE, REMEMBERED / max(1, heard) * TIMES_THE_USUAL)
