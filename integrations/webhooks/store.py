"""Store a verified webhook once."""

from contextlib import nullcontext
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from integrations.models import Delivery, Erasure, Organization
from integrations.queue.notify import notify_workers
from integrations.vocabulary import Platform
from integrations.workflow.erasure.columns import kept_of_payload


def store_delivery(
    organization: Organization,
    platform: Platform,
    *,
    event: str,
    dedupe_key: str,
    opportunity_id: str,
    payload: dict[str, Any],
) -> bool:
    """Commit the delivery and notify the workers; False when it was stored before.

    Of somebody whose data was erased, only ids and times are stored.
    """
    if Erasure.objects.forbids(organization.pk, opportunity_id):
        payload = kept_of_payload(payload)
    identity = {"organization": organization, "platform": platform, "dedupe_key": dedupe_key}
    # inside a transaction a duplicate must not abort the statements around it; outside one there are none
    savepoint = transaction.atomic() if connection.in_atomic_block else nullcontext()
    try:
        with savepoint:
            Delivery.objects.create(**identity, event=event, opportunity_id=opportunity_id, payload=payload)
    except IntegrityError:
        # if another constraint failed, no row exists, and the request must not be answered as a repeat
        if not Delivery.objects.filter(**identity).update(repeats=F("repeats") + 1):
            raise
        return False
    notify_workers()
    return True
